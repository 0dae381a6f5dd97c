"""``/v1/R/bulk``: many items in one call, a result for each."""

from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from hksz_db.api import answers, operations
from hksz_db.api.access import writing_as
from hksz_db.api.bodies import load
from hksz_db.api.costs import Cost
from hksz_db.api.parameters import Faults, arguments, listed, one_line
from hksz_db.api.problems import fault_document, status_of
from hksz_db.api.repeats import once
from hksz_db.api.resource import Resource
from hksz_db.api.views import add_call
from hksz_db.domain.errors import Conflict, DomainError, Fault, Forbidden, Invalid
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome, Scope
from hksz_db.services.api_keys import Actor
from hksz_db.services.bulk import Result, write
from hksz_db.services.review import REVIEWED
from schemas.bulk import BulkParametersSchema, BulkSchema

_STATUSES = {BulkOutcome.CREATED: 201}
# Enough to mend an item; an answer must not outgrow the question.
_MAX_FAULTS = 20


def add_bulk(blueprint: Blueprint, resource: Resource) -> None:
    """Add the call to the blueprint of a resource."""
    schema, parameters = BulkSchema(), BulkParametersSchema()

    def work(session: Session, actor: Actor) -> Response:
        mode, atomic = _asked(parameters)
        items: list[Any] = load(schema)["items"]
        allowed = partial(_demand_review, actor)
        results = write(session, resource.writer, items, mode, atomic=atomic, allowed=allowed)
        if atomic:
            _check(results)
        return answers.many(_document(results))

    def view() -> Response:
        with writing_as(resource.scope) as (session, actor):
            return once(session, actor, partial(work, session, actor))

    add_call(
        blueprint, "POST /bulk", "bulk", operations.writing_many(resource), view, cost=Cost.BOUNDED
    )


def _asked(schema: BulkParametersSchema) -> tuple[BulkMode, bool]:
    given, faults = arguments(), Faults()
    for name in given.keys() - schema.fields.keys():
        known = listed(schema.fields)
        faults.add(name, "unknown", f"Unknown parameter {name!r}; known: {known}.")
    for name, messages in schema.validate(
        {k: given[k] for k in schema.fields if k in given}
    ).items():
        faults.add(name, "invalid", one_line(messages))
    faults.check()
    asked = schema.load(given)
    return BulkMode(asked["mode"]), asked["atomic"]


def _demand_review(actor: Actor, statuses: Collection[str]) -> None:
    if REVIEWED & set(statuses):
        actor.demand(Scope.REVIEW)


def _check(results: Sequence[Result]) -> None:
    """Raise, of all that is wrong with any of the items, the error that stands for it."""
    refused = [
        (number, result)
        for number, result in enumerate(results)
        if any(fault.code != "not_written" for fault in result.faults)
    ]
    if not refused:
        return
    faults = [fault for number, result in refused for fault in _faults(number, result)]
    kinds = {type(result.error) for _, result in refused}
    error: type[Conflict | Forbidden | Invalid] = Invalid
    if Forbidden in kinds:
        error = Forbidden
    elif kinds == {Conflict}:
        error = Conflict
    count = f"{len(refused)} of {len(results)} items"
    raise error(f"Nothing was written: {count} were refused.", faults)


def _document(results: Sequence[Result]) -> dict[str, Any]:
    counts = Counter(result.outcome for result in results)
    return {
        "data": [_result(number, result) for number, result in enumerate(results)],
        "meta": {str(outcome): counts[outcome] for outcome in BulkOutcome},
    }


def _result(number: int, result: Result) -> dict[str, Any]:
    return {
        "index": number,
        "status": _status(result),
        "outcome": result.outcome,
        "id": None if result.id is None else str(result.id),
        "external_id": result.external_id,
        "version": result.version,
        "errors": [fault_document(fault) for fault in _faults(number, result)],
    }


def _status(result: Result) -> int:
    error: DomainError | None = result.error
    return _STATUSES.get(result.outcome, 200) if error is None else status_of(error)


def _faults(number: int, result: Result) -> list[Fault]:
    return [fault.within(f"#/items/{number}") for fault in result.faults[:_MAX_FAULTS]]
