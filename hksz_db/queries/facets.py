"""Facets of a list of claims: how many would remain if it were filtered by one more value.

A facet that the list is filtered by counts its values as alternatives: the claims that the other
filters select. All facets are one statement, which finds the claims of each such selection once.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    any_,
    bindparam,
    case,
    cast,
    column,
    false,
    func,
    null,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.util import ClauseAdapter

from hksz_db.database import Prepared, prepare
from hksz_db.domain.chronology import Period
from hksz_db.domain.vocabulary import ClaimEntityRole
from hksz_db.models import Base, ClaimEntity, Entity, Metric, table_of
from hksz_db.queries.claims import CLAIMS
from hksz_db.queries.derivation import document
from hksz_db.queries.documents import (
    Group,
    Json,
    Node,
    One,
    SqlValue,
    array,
    expression,
    number,
    sql_file,
    term,
)
from hksz_db.queries.filters import (
    Criterion,
    Exists,
    Expression,
    Leaf,
    OnColumn,
    Related,
    Shape,
    Target,
    conjunction,
    criteria,
    is_hard_to_estimate,
)
from hksz_db.queries.pages import (
    is_found,
    newest_found,
    newest_of,
    owners_of_parts,
    row_count,
)
from hksz_db.queries.places import places_of
from schemas.facets import MAX_YEARS, MOST_COUNTED
from schemas.summaries import EntitySummarySchema, MetricSummarySchema

_T = TypeVar("_T")

_LOOKED_THROUGH = 100_000
"""The number of claims, the newest, among which those that match are looked for first."""

_SEARCHED = 300_000
"""The number of claims, the newest, in which a search that finds many is done first."""


@dataclass(frozen=True)
class Facet:
    """Values of claims with the number of claims of each.

    ``parameter`` is the filter that takes a value; the filters ``also`` go with it. Filters with
    the names in ``replaced`` give way to it. ``missing`` is the filter on claims without a value.
    ``shown`` is the row that a value is the key of: the name of its field, its table and its key.
    """

    parameter: str
    replaced: Collection[str]
    also: Mapping[str, str] = field(default_factory=dict)
    missing: str | None = None
    shown: "Shown | None" = None


class Shown(NamedTuple):
    """The row that a value stands for, as the field ``name`` of the value."""

    name: str
    model: type[Base]
    key: str
    schema: Any


_ENTITY = Shown("entity", Entity, "id", EntitySummarySchema)
FACETS: Mapping[str, Facet] = {
    "verdict": Facet("corroboration__verdict", {"corroboration__verdict"}),
    "time": Facet("time__within", {"time"}, missing="time__isnull"),
    "about": Facet(
        "entities__id",
        {"entities__id", "entities__external_id", "entities__role"},
        also={"entities__role": ClaimEntityRole.SUBJECT},
        shown=_ENTITY,
    ),
    "place": Facet("place__under", {"place"}, shown=_ENTITY),
    "claimant": Facet("claimant_id", {"claimant_id"}, missing="claimant_id__isnull", shown=_ENTITY),
    "measure": Facet(
        "figures__metric",
        {"figures", "figures__metric", "figures__metric_id"},
        missing="figures__isnull",
        shown=Shown("metric", Metric, "key", MetricSummarySchema),
    ),
    "modality": Facet("modality", {"modality"}),
    "status": Facet("status", {"status"}),
    "language": Facet("language", {"language"}),
}

_claims = CLAIMS.table
# What the facets need of the claims that match.
_COLUMNS = ("id", "time", "claimant_id", "modality", "status", "language")

Asked = tuple[tuple[str, str], ...]
"""The names and operators of the filters of a list."""


class _Asked(NamedTuple):
    """A filter of the list: its name, its parameter and how it is compared."""

    name: str
    parameter: str
    leaf: Leaf


def asked(filters: Expression) -> Asked:
    """The filters of a query string, in the order in which their values are bound."""
    return tuple((each.name, each.operator) for each in criteria(filters))


def selected(filters: Expression) -> dict[str, list[str]]:
    """The values of each facet that the list is filtered by, bound as ``:NAME_selected``."""
    return {
        f"{name}_selected": [
            value for each in criteria(filters) for value in _selected(each, facet.parameter)
        ]
        for name, facet in FACETS.items()
    }


def _selected(criterion: Criterion, parameter: str) -> Iterator[str]:
    value = criterion.value
    if _parameter(criterion.name, criterion.operator) == parameter:
        yield value.edtf if isinstance(value, Period) else str(value)
    elif _parameter(criterion.name, criterion.operator) == f"{parameter}__in":
        yield from map(str, value)


def _parameter(name: str, operator: str) -> str:
    return name if operator == "eq" else f"{name}__{operator}"


@lru_cache(maxsize=256)
def facets_statement(filters: Asked, *, searched: bool) -> Prepared:
    """One row: the facets as a JSON object, and how many claims match.

    At most ``MOST_COUNTED`` claims are counted. Binds the values of the filters, ``:q`` if it is
    ``searched``, ``:values`` (how many are listed) and those of ``selected``.
    """
    every = [
        _Asked(name, _parameter(name, operator), (CLAIMS.targets[name], operator, f"p{n}"))
        for n, (name, operator) in enumerate(filters)
    ]
    found: dict[tuple[str, ...], CTE] = {}

    def matched(kept: Sequence[_Asked]) -> CTE:
        names = tuple(each.parameter for each in kept)
        if names not in found:
            found[names] = _matched(f"matched_{len(found)}", kept, searched=searched)
        return found[names]

    members: list[SqlValue] = []
    for name, facet in FACETS.items():
        kept = [each for each in every if each.name not in facet.replaced]
        left_out = [each.parameter for each in every if each.name in facet.replaced]
        members += [term(name), _facet(name, facet, matched(kept), kept, left_out)]
    facets = func.json_build_object(*members, type_=Json())
    return prepare(select(facets, row_count(matched(every))).add_cte(*found.values()))


def _matched(name: str, kept: Sequence[_Asked], *, searched: bool) -> CTE:
    """The newest of the claims that match."""
    conditions = [_claims.c.deleted_at.is_(None), *conjunction([each.leaf for each in kept])]
    if searched:
        conditions.append(is_found(CLAIMS))
    every = select(*(_claims.c[each] for each in _COLUMNS)).where(*conditions)
    shape: Shape = ("all", *(("criterion", each.name, each.leaf[1]) for each in kept))
    owners = None if searched else owners_of_parts(CLAIMS, [each.leaf for each in kept])
    if owners is not None:
        ids = _newest_owners(owners)
        (id,) = ids.c
        return (
            select(*(_claims.c[each] for each in _COLUMNS)).join(ids, id == _claims.c.id).cte(name)
        )
    if not searched and not is_hard_to_estimate(shape, CLAIMS.targets, by_id=True):
        return newest_of(every.subquery("every"), MOST_COUNTED).cte(name)
    # Without the fence the planner walks the index of the ids and tests the text of each row.
    fenced = every.offset(number(0)).subquery("fenced")
    if kept or CLAIMS.search is None:
        return newest_of(fenced, MOST_COUNTED).cte(name)
    return select(newest_found(_claims, CLAIMS.search, fenced, MOST_COUNTED, _SEARCHED)).cte(name)


def _newest_owners(owners: Select[UUID]) -> Subquery:
    """At most ``MOST_COUNTED`` of the ids, the newest: among the newest claims, else among all."""
    (owner,) = owners.selected_columns
    newest = owners.order_by(owner.desc()).limit(number(MOST_COUNTED))
    ids = select(_claims.c.id).order_by(_claims.c.id.desc())
    first = ids.offset(number(_LOOKED_THROUGH)).limit(number(1)).scalar_subquery()
    near = newest.where(owner > first).cte("near", nesting=True)
    is_full = row_count(near) == number(MOST_COUNTED)
    far = newest.where(~is_full)
    return union_all(select(near).where(is_full), far).subquery("ids")


def _facet(
    name: str, facet: Facet, matched: CTE, kept: Sequence[_Asked], left_out: Sequence[str]
) -> SqlValue:
    """The facet as a JSON object."""
    most: ColumnElement[int] = bindparam("values", type_=Integer())
    order, latest_first = "place", False
    match name:
        case "time":
            groups, most = _years(matched), number(MAX_YEARS)
            order, latest_first = "value", True
        case "place":
            groups = _counted(_of_places(matched))
        case _:
            groups = _counted(_pairs(facet, matched, kept))
    in_query = any_(bindparam(f"{name}_selected", type_=ARRAY(Text())))
    among_equals = groups.c.value.desc() if latest_first else groups.c.value
    best = (groups.c["count"].desc(), among_equals)
    ranked = select(
        groups,
        func.row_number().over(order_by=best).label("place"),
        (cast(groups.c.value, Text) == in_query).label("selected"),
    ).subquery("ranked")
    is_shown = or_(ranked.c.place <= most, ranked.c.selected)
    fields: dict[str, Node] = {each.key: each for each in ranked.c if each.key != "place"}
    if facet.shown is not None:
        fields[facet.shown.name] = _row(facet.shown, ranked.c.value)
    values = aggregate_order_by(expression(Group(fields)), ranked.c[order])
    return (
        select(
            func.json_build_object(
                term("parameter"),
                term(facet.parameter),
                term("also"),
                _constant([{"parameter": n, "value": v} for n, v in facet.also.items()]),
                term("without"),
                _constant(left_out),
                term("values"),
                array(func.json_agg(values).filter(is_shown)),
                term("more"),
                func.count().filter(~is_shown),
                term("missing"),
                _missing(facet, matched),
                term("all"),
                row_count(matched) < number(MOST_COUNTED),
                type_=Json(),
            )
        )
        .select_from(ranked)
        .scalar_subquery()
    )


def _constant(value: object) -> SqlValue:
    return cast(term(json.dumps(value)), Json())


def _row(shown: Shown, value: SqlValue) -> One:
    table = table_of(shown.model).alias()
    return One(table, table.c[shown.key] == value, document(table, shown.schema))


def _missing(facet: Facet, matched: CTE) -> SqlValue:
    """How many claims have no value, as a JSON object with the filter that finds them."""
    if facet.missing is None:
        return null()
    target = CLAIMS.targets[facet.missing.removesuffix("__isnull")]
    if isinstance(target, Exists):
        relation = target.relation
        related = select(relation.table).where(_among(relation.on, matched)).correlate(matched)
        absent: ColumnElement[bool] = ~related.exists()
    else:
        absent = _among(_own(target).column, matched).is_(None)
    claims = select(func.count()).select_from(matched).where(absent).scalar_subquery()
    return func.json_build_object(
        term("parameter"), term(facet.missing), term("count"), claims, type_=Json()
    )


def _counted(pairs: Select[UUID, object]) -> Subquery:
    """How many claims have each value; ``pairs`` are those of claims and values."""
    each = pairs.subquery("each")
    return (
        select(each.c.value, func.count().label("count"))
        .where(each.c.value.is_not(None))
        .group_by(each.c.value)
        .subquery("groups")
    )


def _pairs(facet: Facet, matched: CTE, kept: Sequence[_Asked]) -> Select[UUID, object]:
    target = CLAIMS.targets[facet.parameter]
    if not isinstance(target, Related):
        return select(matched.c.id, _among(_own(target).column, matched).label("value"))
    # A row that has the value must also meet the filters on rows of its relation.
    on_row = [
        (each.target, operator, parameter)
        for _, _, (each, operator, parameter) in kept
        if isinstance(each, Related) and each.relation is target.relation
    ]
    # Without CASE the planner would expect that the index of the links is read from end to end.
    fixed = [
        case((_own(CLAIMS.targets[name]).column == term(value), true()), else_=false())
        for name, value in facet.also.items()
    ]
    rows: FromClause = matched
    inner: Target = target
    while isinstance(inner, Related):
        rows = rows.join(inner.relation.table, _among(inner.relation.on, matched))
        inner = inner.target
    return (
        select(matched.c.id, _own(inner).column.label("value"))
        .select_from(rows)
        .where(*conjunction(on_row), *fixed)
        .distinct()
    )


def _of_places(matched: CTE) -> Select[UUID, object]:
    links = table_of(ClaimEntity).alias()
    linked = select(matched.c.id, links.c.entity_id).join(links, links.c.claim_id == matched.c.id)
    pairs = linked.cte("linked")
    places = places_of(select(pairs.c.entity_id).distinct())
    return (
        select(pairs.c.id, places.c.place_id.label("value"))
        .join(places, places.c.entity_id == pairs.c.entity_id)
        .distinct()
    )


def _years(matched: CTE) -> Subquery:
    return (
        text(sql_file("years.sql").format(matched=matched.name))
        .columns(column("value", Text()), column("count", Integer()), column("certain", Integer()))
        .subquery("groups")
    )


def _own(target: Target) -> OnColumn:
    own = target.target if isinstance(target, Related) else target
    assert isinstance(own, OnColumn)
    return own


def _among(element: ColumnElement[_T], matched: CTE) -> ColumnElement[_T]:
    """A column of claims, or a condition of a relation of theirs, for the claims that match."""
    return ClauseAdapter(matched).traverse(element)
