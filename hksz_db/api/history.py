"""``/v1/R/{id}/history``: who changed what, what a row was in each version, and back to it."""

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from hksz_db.api import answers, operations
from hksz_db.api.access import check_reader, check_review, database, writing_as
from hksz_db.api.conditions import matched_versions
from hksz_db.api.costs import Cost
from hksz_db.api.parameters import no_parameters
from hksz_db.api.questions import paging, reading_then
from hksz_db.api.repeats import once
from hksz_db.api.resource import Resource
from hksz_db.api.views import add_call
from hksz_db.domain.differences import differences
from hksz_db.domain.errors import Conflict
from hksz_db.exchange.bodies import patch_body
from hksz_db.queries import versions
from hksz_db.services.batches import update
from hksz_db.services.loading import load
from hksz_db.services.review import demand_review
from hksz_db.services.rows import require_live


def add_history(blueprint: Blueprint, resource: Resource) -> None:
    """Add the calls to the blueprint of the resource."""
    for add in (_add_versions, _add_version, _add_differences, _add_return):
        add(blueprint, resource)


def _add_versions(blueprint: Blueprint, resource: Resource) -> None:
    def view(id: UUID) -> Response:
        check_reader()
        return answers.versions(resource, id, paging())

    described = operations.listing_versions(resource)
    add_call(
        blueprint, "GET /<uuid:id>/history", "list_versions", described, view, cost=Cost.BOUNDED
    )


def _add_version(blueprint: Blueprint, resource: Resource) -> None:
    def view(id: UUID, version: int) -> Response:
        check_reader()
        fields = reading_then(resource)
        found = versions.version(database(), resource.name, id, version)
        document = versions.document(database(), resource.name, id, fields, found.at)
        body = b'%b,"document":%b}' % (found.entry.removesuffix(b"}"), document or b"null")
        return answers.tagged(body)

    described = operations.reading_version(resource)
    add_call(
        blueprint,
        "GET /<uuid:id>/history/<int:version>",
        "read_version",
        described,
        view,
        cost=Cost.BOUNDED,
    )


def _add_differences(blueprint: Blueprint, resource: Resource) -> None:
    def view(id: UUID, version: int, other: int) -> Response:
        check_reader()
        no_parameters()
        earlier, later = (
            versions.document_in(database(), resource.name, id, number)
            for number in (version, other)
        )
        found = [asdict(difference) for difference in differences(earlier, later)]
        answer = {"from": version, "to": other, "differences": found}
        return answers.tagged(json.dumps(answer, ensure_ascii=False).encode())

    call = "GET /<uuid:id>/history/<int:version>/diff/<int:other>"
    add_call(
        blueprint,
        call,
        "compare_versions",
        operations.comparing_versions(resource),
        view,
        cost=Cost.BOUNDED,
    )


def _add_return(blueprint: Blueprint, resource: Resource) -> None:
    schema = resource.writer.patch_schema()

    def view(id: UUID, version: int) -> Response:
        with writing_as(resource.scope) as (session, actor):
            no_parameters()
            versions = matched_versions()

            def restore() -> Response:
                fields = load(schema, _patch(session, resource, id, version))
                check_review(actor, fields)
                demand_review(session, actor, resource.name, id)
                update(session, resource.name, id, versions, fields)
                return answers.written(session, resource, id, 200)

            return once(session, actor, restore)

    call = "POST /<uuid:id>/history/<int:version>/restore"
    add_call(
        blueprint,
        call,
        "restore_version",
        operations.restoring_version(resource),
        view,
        cost=Cost.BOUNDED,
    )


def _patch(session: Session, resource: Resource, id: UUID, version: int) -> dict[str, Any]:
    """The merge patch that makes a live row what it was in a version."""
    require_live(session, resource.name, id)
    document = versions.document_in(database(), resource.name, id, version)
    if document is None:
        raise Conflict(f"The {resource.singular} {id} was deleted in version {version}.")
    return patch_body(resource.name, document)
