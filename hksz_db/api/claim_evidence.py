"""``/v1/claims/{id}/evidence``: list the evidence of a claim, and add to it."""

from uuid import UUID

from flask import Response

from hksz_db.api import answers
from hksz_db.api.access import Write, check_review
from hksz_db.api.bodies import load
from hksz_db.api.calls import Call
from hksz_db.api.parameters import arguments
from hksz_db.api.resource import Resource
from hksz_db.queries.filters import Criterion
from hksz_db.queries.questions import LIST, parameters, read_list
from hksz_db.services import batches
from hksz_db.services.rows import require_live
from schemas.evidence import ClaimEvidenceCreateSchema
from schemas.pages import page_schema


def list_evidence(evidence: Resource, claims: Resource) -> Call:
    """``GET /v1/claims/{id}/evidence``."""

    def list_evidence(id: UUID) -> Response:
        """List the evidence of one claim."""
        question = read_list(evidence.name, arguments()).narrowed(Criterion("claim_id", "eq", id))
        return answers.page(evidence, question, within=(claims, id))

    return Call(
        "GET /<uuid:id>/evidence",
        list_evidence,
        page_schema(evidence.model, evidence.document),
        headers=("ETag", "Link"),
        parameters=parameters(evidence.name, LIST),
        errors=(410,),
    )


def create_evidence(evidence: Resource, claims: Resource) -> Call:
    """``POST /v1/claims/{id}/evidence``."""
    schema = ClaimEvidenceCreateSchema()

    def create_evidence(write: Write, id: UUID) -> Response:
        """Add evidence to one claim."""
        require_live(write.session, claims.name, id)
        fields = load(schema)
        check_review(write.actor, fields)
        new_id = batches.create(write.session, evidence.name, {**fields, "claim_id": id})
        return answers.written(write.session, evidence, new_id, 201)

    return Call(
        "POST /<uuid:id>/evidence",
        create_evidence,
        evidence.document,
        status=201,
        body=ClaimEvidenceCreateSchema,
        scope=evidence.scope,
        errors=(410,),
    )
