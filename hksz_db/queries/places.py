"""Entities that lie under a place, by any number of located_in and part_of relations.

The operator ``under`` takes the id of the place, ``under_external_id`` its external id.
"""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Select,
    Subquery,
    Uuid,
    any_,
    bindparam,
    func,
    select,
)

from hksz_db.domain.vocabulary import EntityKind, EntityRelationKind
from hksz_db.models import ClaimEntity, Entity, EntityRelation, table_of
from hksz_db.queries.documents import term

_entities = table_of(Entity).alias()
_subjects = table_of(Entity).alias()
_relations = table_of(EntityRelation).alias()
_links = table_of(ClaimEntity).alias()
# Literals, so that the place is the only parameter of the statement.
_KINDS = [term(EntityRelationKind.LOCATED_IN), term(EntityRelationKind.PART_OF)]
_PLACES = (EntityKind.PLACE, EntityKind.ZONE, EntityKind.FACILITY)


def entities_under(operator: str, parameter: str) -> Select[UUID]:
    """The ids of the live entities under the place, without the place itself."""
    reached = _reached(operator, parameter)
    place = _place(operator, parameter).scalar_subquery()
    return select(reached.c.id).where(reached.c.id != place)


def claims_under(operator: str, parameter: str) -> Select[UUID]:
    """The ids of the claims that are linked in any role to the place or to an entity under it."""
    reached = select(_reached(operator, parameter).c.id).scalar_subquery()
    # The planner overestimates a recursion about a hundredfold and would scan all links and claims.
    # It expects ten elements of an array, and looks those up.
    return select(_links.c.claim_id).where(_links.c.entity_id == any_(func.array(reached)))


def claim_is_under(claim: ColumnElement[UUID]) -> Callable[[str, str], ColumnElement[bool]]:
    """Makes the condition that ``claims_under`` finds the claim with this id."""

    def condition(operator: str, parameter: str) -> ColumnElement[bool]:
        # The planner makes a hash of the places, once.
        is_under = _links.c.entity_id.in_(select(_reached(operator, parameter).c.id))
        any_is = func.bool_or(is_under, type_=Boolean())
        return select(any_is).where(_links.c.claim_id == claim).scalar_subquery()

    return condition


def _place(operator: str, parameter: str) -> Select[UUID]:
    if operator == "under":
        return select(bindparam(parameter, type_=Uuid()).label("id"))
    external_id = _entities.c.external_id
    return select(_entities.c.id).where(
        external_id == bindparam(parameter, type_=external_id.type),
        _entities.c.deleted_at.is_(None),
    )


def _reached(operator: str, parameter: str) -> CTE:
    reached = _place(operator, parameter).cte("reached", recursive=True, nesting=True)
    within = (
        select(_relations.c.subject_id)
        .join(reached, reached.c.id == _relations.c.object_id)
        .join(_subjects, _subjects.c.id == _relations.c.subject_id)
        .where(_relations.c.kind.in_(_KINDS), _subjects.c.deleted_at.is_(None))
    )
    # With UNION ALL, a cycle in the data would never end.
    return reached.union(within)


def places_of(entities: Select[UUID]) -> Subquery:
    """Each of the entities with every live place that it is or lies under, as ``under`` finds it.

    Its columns are ``entity_id`` and ``place_id``; ``entities`` selects ids.
    """
    (id,) = entities.selected_columns
    start = entities.with_only_columns(id.label("entity_id"), id.label("place_id"))
    reached = start.cte("above", recursive=True)
    further = (
        select(reached.c.entity_id, _relations.c.object_id)
        .join(_relations, _relations.c.subject_id == reached.c.place_id)
        .join(_subjects, _subjects.c.id == _relations.c.subject_id)
        .where(_relations.c.kind.in_(_KINDS), _subjects.c.deleted_at.is_(None))
    )
    every = reached.union(further)
    return (
        select(every.c.entity_id, every.c.place_id)
        .join(_entities, _entities.c.id == every.c.place_id)
        .where(
            _entities.c.kind.in_([term(kind) for kind in _PLACES]),
            _entities.c.deleted_at.is_(None),
        )
        .subquery("places")
    )
