"""The views that every resource has: load, call, answer."""

from collections.abc import Callable
from functools import partial
from inspect import getdoc
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from hksz_db.api import answers, exports, operations
from hksz_db.api.access import check_reader, check_review, writing_as
from hksz_db.api.bodies import MERGE_PATCH, load, load_object
from hksz_db.api.conditions import matched_versions
from hksz_db.api.costs import Cost, costs
from hksz_db.api.operations import Operation
from hksz_db.api.parameters import no_parameters
from hksz_db.api.questions import (
    exported,
    from_query_string,
    from_tree,
    grouped,
    moment_alone,
    reading,
)
from hksz_db.api.repeats import once
from hksz_db.api.resource import Resource
from hksz_db.services import lifecycle
from hksz_db.services.api_keys import Actor
from hksz_db.services.batches import create, update
from hksz_db.services.review import demand_review, demand_review_of_new


def blueprint_for(resource: Resource) -> Blueprint:
    """The blueprint with the resource's calls."""
    blueprint = Blueprint(
        resource.name,
        __name__,
        url_prefix=f"/v1/{resource.name}",
        description=getdoc(resource.document),
    )
    for add in _CALLS:
        add(blueprint, resource)
    return blueprint


def add_call(
    blueprint: Blueprint,
    call: str,
    name: str,
    operation: Operation,
    view: Callable[..., Response],
    *,
    cost: Cost,
) -> None:
    """Add a call such as ``GET /<uuid:id>``, its description and its cost to a blueprint."""
    method, _, rule = call.partition(" ")
    described = costs(cost)(blueprint.doc(**operation)(view))
    blueprint.add_url_rule(rule, name, described, methods=[method])


def _add_list(blueprint: Blueprint, resource: Resource) -> None:
    def view() -> Response:
        check_reader()
        return answers.page(resource, from_query_string(resource))

    add_call(blueprint, "GET ", "list", operations.listing(resource), view, cost=Cost.COSTLY)


def _add_read(blueprint: Blueprint, resource: Resource) -> None:
    def view(id: UUID) -> Response:
        check_reader()
        return answers.one(resource, id, reading(resource))

    add_call(
        blueprint, "GET /<uuid:id>", "read", operations.reading(resource), view, cost=Cost.BOUNDED
    )


def _add_parts(blueprint: Blueprint, resource: Resource) -> None:
    for part, cost in resource.parts.items():
        _add_part(blueprint, resource, part, cost)


def _add_part(blueprint: Blueprint, resource: Resource, part: str, cost: Cost) -> None:
    def view(id: UUID) -> Response:
        check_reader()
        return answers.part(resource, id, part, moment_alone())

    described = operations.reading_part(resource, part)
    add_call(blueprint, f"GET /<uuid:id>/{part}", f"read_{part}", described, view, cost=cost)


def _add_create(blueprint: Blueprint, resource: Resource) -> None:
    schema = resource.writer.create_schema()

    def work(session: Session, actor: Actor) -> Response:
        fields = load(schema)
        check_review(actor, fields)
        id = create(session, resource.name, fields)
        demand_review_of_new(session, actor, resource.name, id)
        return answers.written(session, resource, id, 201)

    def view() -> Response:
        with writing_as(resource.scope) as (session, actor):
            no_parameters()
            return once(session, actor, partial(work, session, actor))

    add_call(blueprint, "POST ", "create", operations.creating(resource), view, cost=Cost.BOUNDED)


def _add_change(blueprint: Blueprint, resource: Resource) -> None:
    schema = resource.writer.patch_schema()

    def view(id: UUID) -> Response:
        with writing_as(resource.scope) as (session, actor):
            no_parameters()
            versions = matched_versions()
            fields = load(schema, MERGE_PATCH)
            check_review(actor, fields)
            demand_review(session, actor, resource.name, id)
            update(session, resource.name, id, versions, fields)
            return answers.written(session, resource, id, 200)

    add_call(
        blueprint,
        "PATCH /<uuid:id>",
        "change",
        operations.changing(resource),
        view,
        cost=Cost.BOUNDED,
    )


def _add_delete(blueprint: Blueprint, resource: Resource) -> None:
    def view(id: UUID) -> Response:
        with writing_as(resource.scope) as (session, actor):
            no_parameters()
            versions = matched_versions()
            demand_review(session, actor, resource.name, id)
            lifecycle.delete(session, resource.name, id, versions)
            return answers.deleted(session, resource, id)

    add_call(
        blueprint,
        "DELETE /<uuid:id>",
        "delete",
        operations.deleting(resource),
        view,
        cost=Cost.BOUNDED,
    )


def _add_restore(blueprint: Blueprint, resource: Resource) -> None:
    def view(id: UUID) -> Response:
        with writing_as(resource.scope) as (session, actor):
            no_parameters()
            versions = matched_versions()

            def restore() -> Response:
                demand_review(session, actor, resource.name, id)
                lifecycle.restore(session, resource.name, id, versions)
                return answers.written(session, resource, id, 200)

            return once(session, actor, restore)

    add_call(
        blueprint,
        "POST /<uuid:id>/restore",
        "restore",
        operations.restoring(resource),
        view,
        cost=Cost.BOUNDED,
    )


def _add_query(blueprint: Blueprint, resource: Resource) -> None:
    def view() -> Response:
        check_reader()
        no_parameters()
        return answers.page(resource, from_tree(resource, load_object()))

    add_call(
        blueprint, "POST /query", "query", operations.querying(resource), view, cost=Cost.COSTLY
    )


def _add_aggregate(blueprint: Blueprint, resource: Resource) -> None:
    def view() -> Response:
        check_reader()
        question, group_by = grouped(resource)
        return answers.groups(resource, question, group_by)

    add_call(
        blueprint,
        "GET /aggregate",
        "aggregate",
        operations.aggregating(resource),
        view,
        cost=Cost.COSTLY,
    )


def _add_export(blueprint: Blueprint, resource: Resource) -> None:
    def view() -> Response:
        check_reader()
        return exports.export(resource, *exported(resource))

    add_call(
        blueprint, "GET /export", "export", operations.exporting(resource), view, cost=Cost.COSTLY
    )


_CALLS = (
    _add_list,
    _add_read,
    _add_parts,
    _add_create,
    _add_change,
    _add_delete,
    _add_restore,
    _add_query,
    _add_aggregate,
    _add_export,
)
