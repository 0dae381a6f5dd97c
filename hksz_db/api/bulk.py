"""``POST /v1/R/bulk``: many items in one call, with a result for each."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Response
from marshmallow import Schema, fields

from hksz_db.api import answers
from hksz_db.api.calls import Call
from hksz_db.api.problems import fault_document
from hksz_db.api.requests import Write, load
from hksz_db.domain.errors import Conflict, Fault, Forbidden, Invalid
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from hksz_db.http.costs import Weight
from hksz_db.http.requests import arguments
from hksz_db.http.statuses import status_of
from hksz_db.queries.questions import model_of
from hksz_db.queries.readable import Readable
from hksz_db.services.bulk import Result, uncollected
from hksz_db.services.bulk import write as write_items
from hksz_db.services.registry import WRITERS
from schemas.bulk import BULK, MAX_ITEMS, BulkAnswerSchema, BulkSchema
from schemas.fields import BoundedList

# Enough to correct an item. Without a limit the answer could be much longer than the request.
_MAX_FAULTS = 20


def bulk(resource: Readable) -> Call:
    """``POST /v1/R/bulk``."""
    schema = BulkSchema()
    writer = WRITERS[resource.name]

    def bulk(write: Write) -> Response:
        """Add or change many {name} in one call.

        Each item is checked and answered on its own, with the status of a single write. An item
        without an `external_id` is new. If the `external_id` of an item already exists, the item
        is rejected with `mode=create`, left alone with `ignore`, and applied as a merge patch with
        `upsert`: it may leave out what is required for a new item, and may repeat what can only be
        set at creation. An item whose row has been merged is rejected. The figures and
        evidence of an existing claim are added or changed in the same way; each of them needs an
        `external_id` and must be complete.

        An item may refer to earlier items by `external_id`. With `atomic=true` either all items
        are written or none, and all errors are reported in one problem document.
        """
        asked = BULK.read(arguments())
        mode, atomic = BulkMode(asked["mode"]), asked["atomic"]
        with uncollected():
            items: list[Any] = load(schema)["items"]
            results = write_items(
                write.session, writer, items, mode, atomic=atomic, rules=write.rules
            )
            if atomic:
                _check(results)
            return answers.computed(_document(results), 207)

    items = BoundedList(fields.Nested(writer.create_schema), MAX_ITEMS, required=True)
    return Call(
        "POST /bulk",
        bulk,
        BulkAnswerSchema,
        status=207,
        headers=(),
        parameters=BULK,
        body=Schema.from_dict({"items": items}, name=f"{model_of(resource)}BulkSchema"),
        scope=writer.scope,
        weight=Weight.SCAN,
    )


def _check(results: Sequence[Result]) -> None:
    """Raise one error with the faults of all items that were refused."""
    refused = [
        (number, result)
        for number, result in enumerate(results)
        if any(fault.code != "not_written" for fault in result.faults)
    ]
    if not refused:
        return
    faults = [fault for number, result in refused for fault in _within(number, result.faults)]
    kinds = {type(result.error) for _, result in refused}
    error = Forbidden if Forbidden in kinds else Conflict if kinds == {Conflict} else Invalid
    count = f"{len(refused)} of {len(results)} items"
    raise error(f"Nothing was written: {count} were refused.", faults)


def _document(results: Sequence[Result]) -> dict[str, object]:
    counts = Counter(result.outcome for result in results)
    return {
        "data": [_result(number, result) for number, result in enumerate(results)],
        "meta": {str(outcome): counts[outcome] for outcome in BulkOutcome},
    }


def _result(number: int, result: Result) -> dict[str, object]:
    status = 201 if result.outcome is BulkOutcome.CREATED else 200
    return {
        "index": number,
        "status": status_of(result.error) if result.error else status,
        "outcome": result.outcome,
        "id": None if result.id is None else str(result.id),
        "external_id": result.external_id,
        "version": result.version,
        "errors": _fault_documents(number, result.faults),
        "warnings": _fault_documents(number, result.warnings),
    }


def _fault_documents(number: int, faults: Sequence[Fault]) -> list[dict[str, str]]:
    return [fault_document(fault) for fault in _within(number, faults)]


def _within(number: int, faults: Sequence[Fault]) -> list[Fault]:
    return [fault.within(f"#/items/{number}") for fault in faults[:_MAX_FAULTS]]
