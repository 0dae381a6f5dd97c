"""``/v1/entities/{id}/merge`` and ``/unmerge``: two that are one, and two again."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from hksz_db.api import answers, operations
from hksz_db.api.access import writing_as
from hksz_db.api.bodies import load
from hksz_db.api.catalogue import ENTITIES
from hksz_db.api.conditions import matched_versions
from hksz_db.api.costs import Cost
from hksz_db.api.parameters import no_parameters
from hksz_db.api.repeats import once
from hksz_db.api.views import add_call
from hksz_db.domain.vocabulary import Scope
from hksz_db.services import merging
from schemas.entities import EntityMergeSchema


def add_entity_merges(blueprint: Blueprint) -> None:
    """Add the calls to the blueprint of the entities."""
    schema = EntityMergeSchema()

    def merge(id: UUID) -> Response:
        def work(session: Session, versions: list[int] | None) -> Response:
            into_id = merging.merge(session, id, versions, load(schema))
            return answers.written(session, ENTITIES, into_id, 200)

        return _reviewing(work)

    def unmerge(id: UUID) -> Response:
        def work(session: Session, versions: list[int] | None) -> Response:
            merging.undo(session, id, versions)
            return answers.written(session, ENTITIES, id, 200)

        return _reviewing(work)

    described = operations.merging(ENTITIES, EntityMergeSchema)
    add_call(blueprint, "POST /<uuid:id>/merge", "merge", described, merge, cost=Cost.BOUNDED)
    described = operations.unmerging(ENTITIES)
    add_call(blueprint, "POST /<uuid:id>/unmerge", "unmerge", described, unmerge, cost=Cost.BOUNDED)


def _reviewing(work: Callable[[Session, list[int] | None], Response]) -> Response:
    # It changes what others wrote, and what was accepted.
    with writing_as(ENTITIES.scope) as (session, actor):
        actor.demand(Scope.REVIEW)
        no_parameters()
        return once(session, actor, partial(work, session, matched_versions()))
