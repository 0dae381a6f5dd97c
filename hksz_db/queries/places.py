"""What lies where: entities under a place, over located_in and part_of, in any number of steps.

A place is named by the operator ``under`` (its id) or ``under_external_id`` (its external id).
"""

from typing import Any

from sqlalchemy import CTE, Select, Text, Uuid, any_, bindparam, func, literal_column, select

from hksz_db.domain.vocabulary import EntityRelationKind
from hksz_db.models import ClaimEntity, Entity, EntityRelation
from hksz_db.queries.resources import table_of

_entities = table_of(Entity).alias()
_subjects = table_of(Entity).alias()
_relations = table_of(EntityRelation).alias()
_links = table_of(ClaimEntity).alias()
# Part of the text, so that the statement has the place alone for a parameter.
_KINDS = [
    literal_column(f"'{kind}'", Text())
    for kind in (EntityRelationKind.LOCATED_IN, EntityRelationKind.PART_OF)
]


def entities_under(operator: str, parameter: str) -> Select[Any]:
    """The ids of the live entities that lie under the place, without the place itself."""
    reached = _reached(operator, parameter)
    place = _place(operator, parameter).scalar_subquery()
    return select(reached.c.id).where(reached.c.id != place)


def claims_under(operator: str, parameter: str) -> Select[Any]:
    """The ids of the claims linked, in whatever role, to the place or to what lies under it."""
    reached = select(_reached(operator, parameter).c.id).scalar_subquery()
    # The planner takes a recursion for a hundred times as large as most are, and would go through
    # all links and claims. Of an array it expects ten: it looks those up.
    return select(_links.c.claim_id).where(_links.c.entity_id == any_(func.array(reached)))


def _place(operator: str, parameter: str) -> Select[Any]:
    if operator == "under":
        return select(bindparam(parameter, type_=Uuid()).label("id"))
    external_id = _entities.c.external_id
    return select(_entities.c.id).where(external_id == bindparam(parameter, type_=external_id.type))


def _reached(operator: str, parameter: str) -> CTE:
    reached = _place(operator, parameter).cte("reached", recursive=True, nesting=True)
    within = (
        select(_relations.c.subject_id)
        .join(reached, reached.c.id == _relations.c.object_id)
        .join(_subjects, _subjects.c.id == _relations.c.subject_id)
        .where(_relations.c.kind.in_(_KINDS), _subjects.c.deleted_at.is_(None))
    )
    # UNION, where a circle in the data would keep UNION ALL going for ever.
    return reached.union(within)
