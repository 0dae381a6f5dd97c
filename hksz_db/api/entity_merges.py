"""``/v1/entities/{id}/merge`` and ``/unmerge``: two that are one, and two again."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from hksz_db.api import answers, operations
from hksz_db.api.access import writing_as
from hksz_db.api.bodies import load
from hksz_db.api.catalogue import ENTITIES
from hksz_db.api.conditions import matched_versions
from hksz_db.api.parameters import no_parameters
from hksz_db.api.views import add_call
from hksz_db.services import merging
from hksz_db.vocabulary import Scope
from schemas.entities import EntityMergeSchema


def add_entity_merges(blueprint: Blueprint) -> None:
    """Add the calls to the blueprint of the entities."""
    schema = EntityMergeSchema()

    def merge(id: UUID) -> Response:
        with _reviewing() as session:
            into_id = merging.merge(session, id, matched_versions(), load(schema))
            return answers.written(session, ENTITIES, into_id, 200)

    def unmerge(id: UUID) -> Response:
        with _reviewing() as session:
            merging.undo(session, id, matched_versions())
            return answers.written(session, ENTITIES, id, 200)

    described = operations.merging(ENTITIES, EntityMergeSchema)
    add_call(blueprint, "POST /<uuid:id>/merge", "merge", described, merge)
    described = operations.unmerging(ENTITIES)
    add_call(blueprint, "POST /<uuid:id>/unmerge", "unmerge", described, unmerge)


@contextmanager
def _reviewing() -> Iterator[Session]:
    # It changes what others wrote, and what was accepted.
    with writing_as(ENTITIES.scope) as (session, actor):
        actor.demand(Scope.REVIEW)
        no_parameters()
        yield session
