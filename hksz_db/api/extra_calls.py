"""The calls that only one resource has, and the list of comparisons."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response

from hksz_db.api import answers
from hksz_db.api.calls import Call, Section, list_call, write_parameters, written_schema
from hksz_db.api.requests import PLAIN_TEXT, Write, load, load_text
from hksz_db.domain.vocabulary import Normalization
from hksz_db.http.costs import Weight
from hksz_db.http.requests import arguments
from hksz_db.queries.comparisons import COMPARISONS
from hksz_db.queries.filters import Criterion
from hksz_db.queries.questions import FACETS, parameters, read_facets, read_list
from hksz_db.queries.registry import RESOURCES
from hksz_db.queries.verification import check, verifiable_statement
from hksz_db.services import batches, merging
from hksz_db.services.registry import WRITERS
from hksz_db.services.rows import live_id
from schemas.evidence import ClaimEvidenceCreateSchema
from schemas.facets import FacetsAnswerSchema
from schemas.merges import MergeSchema
from schemas.verification import TextToVerifySchema, VerificationSchema

_CLAIMS, _EVIDENCE = RESOURCES["claims"], RESOURCES["evidence"]


def _verify(id: UUID) -> Response:
    """Check the locators of one source against your own copy of its text.

    Send it as JSON in UTF-8, or as plain text in UTF-8, UTF-16, GB18030 or Big5; the `charset`
    of the `Content-Type` says which. It is read without its byte order mark, and normalised as
    `nfc-ws1`: Unicode NFC, each run of white space as one space, and none at either end. Offsets
    count code points of that form, and the end is exclusive. The text is not stored or logged,
    and is not sent to the database.
    """
    text = load_text(TextToVerifySchema())
    found = check(text, answers.raw(RESOURCES["sources"], id, verifiable_statement()))
    locators = [
        {"evidence_id": each.evidence_id, "claim_id": each.claim_id, **vars(each.finding)}
        for each in found.checked
    ]
    response = answers.computed(
        {
            "source_id": str(id),
            "normalization": Normalization.NFC_WS1,
            "char_length": found.char_length,
            "text_sha256": found.text_sha256,
            "capture": found.capture,
            "without_locator": found.without_locator,
            "locators": locators,
        }
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _read_facets() -> Response:
    """Count claims by the values of every facet: the counts that remain if one is chosen.

    It takes the filters and `q` of the list of claims. Each count is that of the list if the value
    is added to the query. The values of a facet that the query is filtered by already are counted
    as alternatives: as if the query did not have the parameters in `without`.

    A value that the query names is listed even if others have more claims. If more than 10,000
    claims match, the newest 10,000 are counted, and `all` is false. If the database does not
    finish in time, the answer is 503.
    """
    return answers.facets(*read_facets(_CLAIMS.name, arguments()))


# The variable is neither ``id`` nor ``claim_id``: these are filters of evidence.
def _list_evidence(parent_id: UUID) -> Response:
    """List the evidence of one claim."""
    of_claim = Criterion("claim_id", "eq", parent_id)
    question = read_list(_EVIDENCE.name, arguments()).narrowed(of_claim)
    return answers.page(_EVIDENCE, question, within=(_CLAIMS, parent_id))


def _create_evidence(write: Write, parent_id: UUID) -> Response:
    """Add evidence to one claim, or to the one that it was merged into."""
    claim_id = live_id(write.session, _CLAIMS.name, parent_id)
    fields = {**load(ClaimEvidenceCreateSchema()), "claim_id": claim_id}
    new_id = batches.create(write.session, "evidence", fields, write.rules)
    return answers.written(write.session, _EVIDENCE, new_id, 201, dry_run=write.dry_run)


def _merge_calls(resource: str) -> Sequence[Call]:
    """The calls that merge rows of the resource and undo it."""
    readable, scope = RESOURCES[resource], WRITERS[resource].scope

    def merge(write: Write, id: UUID) -> Response:
        """Merge one {singular} into another. Also needs the scope `review`.

        The other one keeps its description, and everything that refers to this one is moved to it,
        except duplicates. From then on a read of this id is answered with 308.
        """
        into_id = merging.merge(write.session, resource, id, write.versions, load(MergeSchema()))
        return answers.written(write.session, readable, into_id, 200)

    def unmerge(write: Write, id: UUID) -> Response:
        """Undo the merge of one {singular}. Also needs the scope `review`.

        Whatever was moved and still exists is moved back.
        """
        merging.undo(write.session, resource, id, write.versions)
        return answers.written(write.session, readable, id, 200)

    # Merges change reviewed rows, and the rows of others.
    terms: Mapping[str, Any] = {"scope": scope, "reviews": True, "if_match": True}
    return (
        Call(
            "POST /<uuid:id>/merge",
            merge,
            written_schema(readable),
            body=MergeSchema,
            errors=(410,),
            **terms,
        ),
        Call("POST /<uuid:id>/unmerge", unmerge, written_schema(readable), **terms),
    )


def _list_comparisons(id: UUID) -> Response:
    """List the comparisons of one figure."""
    question = read_list(COMPARISONS.name, arguments())
    return answers.comparisons(question, of=(RESOURCES["figures"], id))


def _list() -> Response:
    """List {name}, a page at a time."""
    return answers.comparisons(read_list(COMPARISONS.name, arguments()))


EXTRA_CALLS: Mapping[str, Sequence[Call]] = {
    "sources": (
        Call(
            "POST /<uuid:id>/verify",
            _verify,
            VerificationSchema,
            headers=("Cache-Control",),
            body={
                "application/json": TextToVerifySchema,
                PLAIN_TEXT: {"type": "string", "minLength": 1},
            },
            errors=(410, 422),
            weight=Weight.SEARCH,
        ),
        *_merge_calls("sources"),
    ),
    "claims": (
        Call(
            "GET /facets",
            _read_facets,
            FacetsAnswerSchema,
            parameters=parameters(_CLAIMS.name, FACETS),
            weight=Weight.SEARCH,
        ),
        list_call("GET /<uuid:parent_id>/evidence", _list_evidence, _EVIDENCE, errors=(410,)),
        Call(
            "POST /<uuid:parent_id>/evidence",
            _create_evidence,
            written_schema(_EVIDENCE),
            status=201,
            parameters=write_parameters(_EVIDENCE),
            body=ClaimEvidenceCreateSchema,
            scope=WRITERS["evidence"].scope,
            errors=(410,),
        ),
        *_merge_calls("claims"),
    ),
    "entities": _merge_calls("entities"),
    "figures": (
        list_call(
            "GET /<uuid:id>/comparisons", _list_comparisons, COMPARISONS, (410,), Weight.SCAN
        ),
    ),
}
COMPARISON_CALLS = Section(
    COMPARISONS.name,
    COMPARISONS.schema,
    [list_call("GET ", _list, COMPARISONS, weight=Weight.SCAN)],
)
