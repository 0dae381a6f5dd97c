"""The service in its usual design: ORM objects, selectinload, marshmallow and Flask.

It gives the same answers from the same tables, and is as fast as this design allows: embedded rows
are loaded with one statement for each relation, and never one by one.
"""

import hashlib
import os
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request
from sqlalchemy import ARRAY, Select, Text, create_engine, func, literal, select, true
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from benchmarks.orm_models import (
    ApiKey,
    Claim,
    ClaimEntity,
    ClaimRelation,
    Entity,
    Evidence,
    Figure,
    Metric,
    Source,
    SourceContributor,
    SourceRelation,
    Unit,
)
from hksz_db.database import driver_url
from hksz_db.domain.chronology import Period, parse
from hksz_db.domain.ranges import Interval, Statement, read
from hksz_db.domain.search_terms import search_terms
from hksz_db.domain.vocabulary import Comparator, Dimension, MetricMeasure, Scope
from hksz_db.queries.pages import RANKED
from schemas.claims import ClaimCreateSchema, ClaimSchema

DATABASE_URL = "BENCHMARK_DATABASE_URL"
"""The environment variable with the URL of the database."""

THREADS = 4

blueprint = Blueprint("claims", __name__, url_prefix="/v1/claims")
_one = ClaimSchema(exclude=("statements",))
_item = ClaimSchema(exclude=("statements", "sources"))
_created = ClaimCreateSchema()

# Separate statements for lists and joins for single objects are the fastest combination here.
_CONTRIBUTORS = selectinload(Source.contributors).joinedload(SourceContributor.entity)
_EVIDENCE = selectinload(Claim.evidence)
_SOURCE_OF_EVIDENCE = _EVIDENCE.joinedload(Evidence.source)
_EMBEDDED: tuple[ORMOption, ...] = (
    joinedload(Claim.claimant),
    joinedload(Claim.reported_by),
    selectinload(Claim.topic_rows),
    selectinload(Claim.relations).joinedload(ClaimRelation.to),
    selectinload(Claim.entities).joinedload(ClaimEntity.entity),
    joinedload(Claim.time_anchor),
    joinedload(Claim.due_anchor),
    selectinload(Claim.figures).options(
        joinedload(Figure.metric), joinedload(Figure.subject), joinedload(Figure.period_anchor)
    ),
    _EVIDENCE.joinedload(Evidence.attributed_to),
    _EVIDENCE.joinedload(Evidence.said_anchor),
    _SOURCE_OF_EVIDENCE.options(_CONTRIBUTORS),
)
_WHOLE_SOURCE: tuple[ORMOption, ...] = (
    _CONTRIBUTORS,
    selectinload(Source.captures),
    selectinload(Source.relations).joinedload(SourceRelation.to),
)
_WHOLE = (*_EMBEDDED[:-1], _SOURCE_OF_EVIDENCE.options(*_WHOLE_SOURCE))


def create_app() -> Flask:
    """The application."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["engine"] = create_engine(
        driver_url(os.environ[DATABASE_URL]),
        pool_size=THREADS,
        connect_args={"options": "-c TimeZone=UTC -c jit=off"},
    )
    app.register_blueprint(blueprint)
    return app


def _session() -> Session:
    return Session(current_app.extensions["engine"])


@blueprint.get("/<uuid:id>")
def read_one(id: Any) -> Response:
    """A claim with everything that is embedded."""
    with _session() as session:
        claim = session.scalar(
            select(Claim).where(Claim.id == id, Claim.deleted_at.is_(None)).options(*_WHOLE)
        )
        return jsonify(_one.dump(claim)) if claim else abort(404)


@blueprint.get("")
def read_page() -> Response:
    """A page of claims by entity and year, or by full text."""
    size = request.args.get("per_page", 25, int)
    query = _found(request.args["q"]) if "q" in request.args else _filtered()
    with _session() as session:
        claims = session.scalars(query.options(*_EMBEDDED).limit(size + 1)).all()
        more = claims[size - 1].id if len(claims) > size else None
        meta = {"next_cursor": more, "per_page": size}
        return jsonify({"data": _item.dump(claims[:size], many=True), "meta": meta})


def _filtered() -> Select[tuple[Claim]]:
    days = _days(parse(request.args["time__within"]))
    entity_id = request.args["entities__id"]
    return (
        select(Claim)
        .where(
            Claim.deleted_at.is_(None),
            Claim.entities.any(ClaimEntity.entity_id == entity_id),
            Claim.time_days.overlaps(days),
        )
        .order_by(Claim.id)
    )


def _found(words: str) -> Select[tuple[Claim]]:
    terms = literal(search_terms(words), ARRAY(Text()))
    wanted = select(func.search_query(terms, true())).scalar_subquery()
    matches = (
        select(Claim.id, Claim.search)
        .where(Claim.deleted_at.is_(None), Claim.search.bool_op("@@")(wanted))
        .offset(0)
        .subquery()
    )
    # Like the service, rank only the newest matches.
    newest = select(matches).order_by(matches.c.id.desc()).limit(RANKED).subquery()
    rank = func.ts_rank(newest.c.search, wanted, 1)
    return (
        select(Claim).join(newest, newest.c.id == Claim.id).order_by(rank.desc(), Claim.id.desc())
    )


@blueprint.post("")
def create() -> tuple[Response, int]:
    """Create a claim with its figures and evidence."""
    with _session() as session:
        key = _key(session)
        fields = _created.load(request.get_json())
        claim = _claim(session, fields, key.label)
        session.add(claim)
        session.flush()
        answer = jsonify(_one.dump(claim))
        session.commit()
    return answer, 201


def _key(session: Session) -> ApiKey:
    secret = request.headers["Authorization"].removeprefix("Bearer ")
    digest = hashlib.sha256(secret.encode()).digest()
    key = session.scalar(select(ApiKey).where(ApiKey.key_sha256 == digest))
    if key is None or key.revoked_at or Scope.CLAIMS_WRITE not in key.scopes:
        abort(401)
    return key


def _claim(session: Session, fields: dict[str, Any], author: str) -> Claim:
    figures, evidence = fields.pop("figures", []), fields.pop("evidence", [])
    links = fields.pop("entities", [])
    entities = _by_name(
        session,
        Entity.external_id,
        fields["claimant_external_id"],
        *(link["entity_external_id"] for link in links),
        *(figure["subject_external_id"] for figure in figures),
    )
    claimant = entities[fields.pop("claimant_external_id")]
    time: Period | None = fields.pop("time_edtf", None)
    return Claim(
        **fields,
        claimant=claimant,
        reported_by=None,
        time_edtf=time.edtf if time else None,
        time_days=_days(time) if time else None,
        topic_rows=[],
        relations=[],
        entities=[
            ClaimEntity(entity=entities[link["entity_external_id"]], role=link["role"])
            for link in links
        ],
        figures=_figures(session, figures, entities, fields["modality"]),
        evidence=_evidence(session, evidence, author),
    )


def _by_name(
    session: Session, column: InstrumentedAttribute[Any], *names: str, options: Any = ()
) -> dict[str, Any]:
    query = select(column.class_).where(column.in_(set(names))).options(*options)
    return {getattr(row, column.key): row for row in session.scalars(query)}


def _figures(
    session: Session, given: list[dict[str, Any]], entities: dict[str, Entity], modality: str
) -> list[Figure]:
    metrics = _by_name(
        session, Metric.external_id, *(figure["metric_external_id"] for figure in given)
    )
    units = _by_name(session, Unit.code, *(figure["unit_code"] for figure in given))
    return [
        _figure(
            figure,
            metrics[figure.pop("metric_external_id")],
            units[figure["unit_code"]],
            entities[figure.pop("subject_external_id")],
            modality,
        )
        for figure in given
    ]


def _figure(
    given: dict[str, Any], metric: Metric, unit: Unit, subject: Entity, modality: str
) -> Figure:
    period: Period | None = given.pop("period_edtf", None)
    statement = Statement(
        Comparator(given["comparator"]),
        given.get("amount"),
        given.get("lower_bound"),
        given.get("upper_bound"),
        given["as_stated"],
        given["exact"],
        MetricMeasure(metric.measure),
    )
    dimension = Dimension(metric.dimension)
    reading = read(statement, dimension, unit.factor, nonnegative=metric.nonnegative)
    return Figure(
        **{"modality": modality, **given},
        metric=metric,
        subject=subject,
        dimension=unit.dimension,
        nonnegative=metric.nonnegative,
        unit_factor=unit.factor,
        value_numbers=_range(reading.value),
        plausible_numbers=_range(reading.plausible),
        range_rule=reading.rule,
        period_edtf=period.edtf if period else None,
        period_days=_days(period) if period else None,
    )


def _evidence(session: Session, given: list[dict[str, Any]], author: str) -> list[Evidence]:
    names = [passage["source_external_id"] for passage in given]
    sources = _by_name(session, Source.external_id, *names, options=_WHOLE_SOURCE)
    return [
        Evidence(source=sources[passage.pop("source_external_id")], added_by=author, **passage)
        for passage in given
    ]


def _days(period: Period) -> Range[Any]:
    # PostgreSQL stores ranges of days with the upper end excluded.
    return Range(period.earliest, period.latest and period.latest + timedelta(days=1))


def _range(interval: Interval) -> Range[Any]:
    opening = "[" if interval.lower_inclusive else "("
    closing = "]" if interval.upper_inclusive else ")"
    return Range(interval.lower, interval.upper, bounds=f"{opening}{closing}")  # type: ignore[arg-type]
