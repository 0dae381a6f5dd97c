"""``/v1/claims/{id}/evidence``: the researcher's path to add a corroborating source."""

from functools import partial
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from hksz_db.api import answers, operations
from hksz_db.api.access import check_reader, check_review, writing_as
from hksz_db.api.bodies import load
from hksz_db.api.catalogue import CLAIMS, EVIDENCE
from hksz_db.api.costs import Cost
from hksz_db.api.parameters import no_parameters
from hksz_db.api.questions import from_query_string
from hksz_db.api.repeats import once
from hksz_db.api.views import add_call
from hksz_db.queries.filters import Criterion
from hksz_db.services.api_keys import Actor
from hksz_db.services.batches import create
from hksz_db.services.rows import require_live
from schemas.evidence import ClaimEvidenceCreateSchema


def add_claim_evidence(blueprint: Blueprint) -> None:
    """Add the calls to the blueprint of the claims."""
    schema = ClaimEvidenceCreateSchema()

    def list_evidence(id: UUID) -> Response:
        check_reader()
        question = from_query_string(EVIDENCE).narrowed(Criterion("claim_id", "eq", id))
        return answers.page(EVIDENCE, question, within=(CLAIMS, id))

    def work(session: Session, actor: Actor, id: UUID) -> Response:
        require_live(session, CLAIMS.name, id)
        fields = load(schema)
        check_review(actor, fields)
        new_id = create(session, EVIDENCE.name, {**fields, "claim_id": id})
        return answers.written(session, EVIDENCE, new_id, 201)

    def create_evidence(id: UUID) -> Response:
        with writing_as(EVIDENCE.scope) as (session, actor):
            no_parameters()
            return once(session, actor, partial(work, session, actor, id))

    listing = operations.listing_within(EVIDENCE, CLAIMS)
    add_call(
        blueprint,
        "GET /<uuid:id>/evidence",
        "list_evidence",
        listing,
        list_evidence,
        cost=Cost.COSTLY,
    )
    creating = operations.creating_within(EVIDENCE, CLAIMS, ClaimEvidenceCreateSchema)
    add_call(
        blueprint,
        "POST /<uuid:id>/evidence",
        "create_evidence",
        creating,
        create_evidence,
        cost=Cost.BOUNDED,
    )
