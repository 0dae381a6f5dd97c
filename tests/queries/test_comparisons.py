"""Comparisons of random figures equal a slow reference that shares nothing with the SQL."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from hksz_db.database import Session
from hksz_db.domain.quantities import measure
from hksz_db.domain.ranges import Interval, Statement, read
from hksz_db.domain.vocabulary import Accumulation, Comparator, ComparisonVerdict
from hksz_db.queries.comparisons import pair_with, together
from hksz_db.queries.verdicts import explanation, severity, verdict

pytestmark = pytest.mark.slow

# Of each accumulation one metric that is never negative and one that can be, and one whose values
# hold for two days.
METRICS = [(kind, nonnegative, 0) for kind in Accumulation for nonnegative in (True, False)]
METRICS.append((Accumulation.STOCK, True, 2))
FACTORS = {"har": 10_000, "km2": 1_000_000, "m2": 1}
STATUSES = ("draft", "submitted", "accepted", "rejected", "retracted")
GRAVITY = [
    "contradicts",
    "part_exceeds_whole",
    "tension",
    "missed",
    "did_not_come_true",
    "compatible",
    "met",
    "came_true",
    "agrees",
]
SETTINGS = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@dataclass(frozen=True)
class Ends:
    """A range of numbers by its ends; ``None`` means unbounded."""

    lower: Fraction | None
    upper: Fraction | None
    lower_in: bool
    upper_in: bool

    def scaled(self, factor: Fraction) -> "Ends":
        lower, upper = (None if end is None else end * factor for end in (self.lower, self.upper))
        return Ends(lower, upper, self.lower_in, self.upper_in)

    def sql(self) -> str:
        lower, upper = ("" if end is None else _decimal(end) for end in (self.lower, self.upper))
        return f"{'[' if self.lower_in else '('}{lower},{upper}{']' if self.upper_in else ')'}"


@dataclass(frozen=True)
class Stated:
    """A figure; ranges are in ``unit``, days are from the first to the last, or ``vague``."""

    value: Ends
    plausible: Ends
    unit: str = "m2"
    metric: int = 0
    subject: int = 0
    modality: str = "actual"
    days: tuple[int, int] | None = None
    vague: bool = False
    comparator: str = "approx"
    breakdown: str | None = None
    definition: str | None = None
    claim: int = 2
    deleted: bool = False


def _decimal(number: Fraction) -> str:
    # The denominators here are products of 2 and 5.
    scaled = number * 10**12
    assert scaled.denominator == 1
    sign, digits = ("-" if scaled < 0 else ""), str(abs(scaled.numerator)).rjust(13, "0")
    return f"{sign}{digits[:-12]}.{digits[-12:]}"


# --- the reference ------------------------------------------------------------------------------


def below(a: Ends, b: Ends) -> bool:
    """Whether every number of a is smaller than every number of b."""
    if a.upper is None or b.lower is None:
        return False
    return a.upper < b.lower or (a.upper == b.lower and not (a.upper_in and b.lower_in))


def exclude(a: Ends, b: Ends) -> bool:
    return below(a, b) or below(b, a)


def comparable(a: Stated, b: Stated) -> bool:
    """Whether two figures measure the same."""
    statuses = {STATUSES[a.claim], STATUSES[b.claim]}
    if a.deleted or b.deleted or (a.metric, a.subject) != (b.metric, b.subject):
        return False
    plan = planned(a, b)
    if statuses & {"draft", "rejected", "retracted"} or (a.modality != b.modality and not plan):
        return False
    if a.breakdown != b.breakdown and not (exceeds_whole(a, b) or exceeds_whole(b, a)):
        return False
    if a.days is None or b.days is None:
        return a.days is b.days and plan is None
    one, other = (set(range(first, last + 1)) for first, last in (a.days, b.days))
    if plan:
        return other <= one if plan is a else one <= other
    kind, _, holds = METRICS[a.metric]
    if holds and a.days[0] <= b.days[1] + holds and b.days[0] <= a.days[1] + holds:
        return True
    if kind in {"stock", "ratio"}:
        return one <= other or other <= one
    return bool(one & other)


def planned(a: Stated, b: Stated) -> Stated | None:
    """The plan or forecast of two figures of which the other is what happened."""
    for plan, actual in ((a, b), (b, a)):
        if plan.modality in {"planned", "forecast"} and actual.modality == "actual":
            return plan
    return None


def exceeds_whole(part: Stated, whole: Stated) -> bool:
    """Whether a part, by its breakdown, is more than the whole."""
    if part.breakdown is None or part.breakdown == whole.breakdown:
        return False
    if not set((whole.breakdown or "").split()) <= set(part.breakdown.split()):
        return False
    if part.days is None or whole.days is None or not is_above(part, whole):
        return False
    kind = METRICS[part.metric][0]
    return (kind == "flow" and _within(part, whole)) or (
        kind == "stock" and part.days == whole.days
    )


def is_above(part: Stated, whole: Stated) -> bool:
    certain = not (part.vague or whole.vague) and part.definition == whole.definition
    same = part.modality == whole.modality
    return METRICS[part.metric][1] and same and certain and below(value(whole), value(part))


def value(figure: Stated) -> Ends:
    return figure.value.scaled(Fraction(FACTORS[figure.unit]))


def likely(figure: Stated) -> Ends:
    return figure.plausible.scaled(Fraction(FACTORS[figure.unit]))


def expected(a: Stated, b: Stated) -> str | None:
    """The verdict on two figures, or ``None`` if they cannot be compared."""
    if not comparable(a, b):
        return None
    if plan := planned(a, b):
        return outcome(plan, b if plan is a else a)
    if exceeds_whole(a, b) or exceeds_whole(b, a):
        return "part_exceeds_whole"
    certain = a.days and not (a.vague or b.vague) and a.definition == b.definition
    apart = exclude(likely(a), likely(b))
    if a.days == b.days:
        if exclude(value(a), value(b)):
            return "contradicts" if certain else "tension"
        return "tension" if apart else "agrees"
    kind = METRICS[a.metric][0]
    if kind == "flow" and (
        (_within(a, b) and is_above(a, b)) or (_within(b, a) and is_above(b, a))
    ):
        return "part_exceeds_whole"
    if kind in {"stock", "ratio"}:
        return "tension" if apart else "agrees"
    return "compatible"


def outcome(plan: Stated, actual: Stated) -> str:
    if plan.vague or actual.vague or plan.definition != actual.definition:
        return "compatible"
    kind, nonnegative, _ = METRICS[plan.metric]
    same = plan.days == actual.days
    settled = same or (
        plan.comparator == "ge" and nonnegative
        if kind == "flow"
        else kind == "stock" and plan.comparator != "le"
    )
    apart = exclude(value(plan), value(actual))
    if plan.modality == "forecast":
        meets = contains(value(plan), likely(actual)) or not exclude(likely(plan), likely(actual))
        if settled and meets:
            return "came_true"
        return "did_not_come_true" if same and apart else "compatible"
    if settled and contains(value(plan), likely(actual)):
        return "met"
    bounded = plan.comparator in {"ge", "le"}
    if same and apart and (bounded or below(value(actual), value(plan))):
        return "missed"
    return "compatible"


def contains(a: Ends, b: Ends) -> bool:
    """Whether every number of b is in a."""
    lower = a.lower is None or (
        b.lower is not None
        and (a.lower < b.lower or (a.lower == b.lower and (a.lower_in or not b.lower_in)))
    )
    upper = a.upper is None or (
        b.upper is not None
        and (a.upper > b.upper or (a.upper == b.upper and (a.upper_in or not b.upper_in)))
    )
    return lower and upper


def _within(part: Stated, whole: Stated) -> bool:
    assert part.days
    assert whole.days
    return whole.days[0] <= part.days[0] and part.days[1] <= whole.days[1]


# --- the database -------------------------------------------------------------------------------


@pytest.fixture
def connection(session: Session) -> Connection:
    """The test's transaction, with metrics, units, subjects and a claim of each status."""
    session.execute(
        text(
            "INSERT INTO units (code, label, dimension, factor)"
            " SELECT key, key, 'area', value::numeric FROM json_each_text(:factors)"
        ),
        {"factors": str(FACTORS).replace("'", '"')},
    )
    for number, (kind, nonnegative, holds) in enumerate(METRICS):
        session.execute(
            text(
                "INSERT INTO metrics (external_id, key, label, dimension, accumulation,"
                " nonnegative, holds_for)"
                " VALUES (:name, :name, 'A', 'area', :kind, :nonnegative, :holds)"
            ),
            {
                "name": f"t:{number}",
                "kind": kind,
                "nonnegative": nonnegative,
                "holds": f"P{holds}D" if holds else None,
            },
        )
    session.execute(
        text(
            "WITH made AS (INSERT INTO entities (external_id, kind, name, name_language)"
            " SELECT 't:' || n, 'place', 'A', 'en' FROM generate_series(0, 1) AS n RETURNING id)"
            " INSERT INTO entity_names (entity_id, name, language, kind)"
            " SELECT id, 'A', 'en', 'preferred' FROM made"
        )
    )
    for number, status in enumerate(STATUSES):
        session.execute(
            text(
                "INSERT INTO claims (external_id, statement, language, claimant_id, modality,"
                " status) SELECT :name, 'A', 'en', id, 'actual', :status FROM entities"
                " WHERE external_id = 't:0'"
            ),
            {"name": f"t:{number}", "status": status},
        )
    return session


INSERT = text("""
    INSERT INTO figures (external_id, claim_id, metric_id, subject_id, as_stated, amount,
        comparator, unit_code, dimension, nonnegative, unit_factor, value_range, plausible_range,
        range_rule, modality, period_edtf, period, deleted_at, breakdown, definition)
    SELECT 't:' || n, claims.id, metrics.id, entities.id, 'some', 1, comparator, units.code, 'area',
        metrics.nonnegative, units.factor,
        numrange(lower(v) * factor, upper(v) * factor,
            CASE WHEN lower_inc(v) THEN '[' ELSE '(' END
            || CASE WHEN upper_inc(v) THEN ']' ELSE ')' END),
        numrange(lower(p) * factor, upper(p) * factor,
            CASE WHEN lower_inc(p) THEN '[' ELSE '(' END
            || CASE WHEN upper_inc(p) THEN ']' ELSE ')' END),
        'half_step', given.modality, CASE WHEN days IS NOT NULL THEN edtf END,
        days::daterange, CASE WHEN deleted THEN now() END,
        (SELECT jsonb_object_agg(part, 'x') FROM string_to_table(breakdown, ' ') AS part),
        definition
    FROM unnest(:values ::text[], :plausible ::text[], :units ::text[], :metrics ::text[],
            :subjects ::text[], :modalities ::text[], :days ::text[], :edtf ::text[],
            :claims ::text[], :deleted ::boolean[], :comparators ::text[], :breakdowns ::text[],
            :definitions ::text[])
        WITH ORDINALITY AS given (value, plausible, unit, metric, subject, modality, days, edtf,
            claim, deleted, comparator, breakdown, definition, n),
        LATERAL (SELECT value::numrange, plausible::numrange) AS ranges (v, p),
        units, metrics, entities, claims
    WHERE units.code = unit AND metrics.external_id = metric AND entities.external_id = subject
        AND claims.external_id = claim
""")
# Only the openness of the EDTF text matters here; it need not match the days.
CERTAIN = ["2023", "2023-01-02", "2023-01-01/2023-01-03", "2022-12/..", "2023-21", "../2023"]
VAGUE = ["2023~", "2023-01?", "202X", "[2022,2023]", "{2021,2023}", "2023/", "/2023", "1950S2"]
VAGUE += ["2023-01-%02", "2022~/2023"]
_PAIR = pair_with()
COMPARED = (
    select(
        _PAIR.figure.c.external_id,
        _PAIR.other.c.external_id,
        verdict(_PAIR),
        severity(_PAIR),
        explanation(_PAIR),
    )
    .select_from(together(_PAIR))
    .where(_PAIR.figure.c.id != _PAIR.other.c.id)
)


def compared(connection: Connection, figures: Sequence[Stated]) -> dict[tuple[int, int], Any]:
    """The comparison by the database of each ordered pair of figures."""
    with connection.begin_nested() as savepoint:
        connection.execute(
            INSERT,
            {
                "values": [figure.value.sql() for figure in figures],
                "plausible": [figure.plausible.sql() for figure in figures],
                "units": [figure.unit for figure in figures],
                "metrics": [f"t:{figure.metric}" for figure in figures],
                "subjects": [f"t:{figure.subject}" for figure in figures],
                "modalities": [figure.modality for figure in figures],
                "days": [_days(figure.days) for figure in figures],
                "edtf": [
                    VAGUE[number % len(VAGUE)] if figure.vague else CERTAIN[number % len(CERTAIN)]
                    for number, figure in enumerate(figures)
                ],
                "claims": [f"t:{figure.claim}" for figure in figures],
                "deleted": [figure.deleted for figure in figures],
                "comparators": [figure.comparator for figure in figures],
                "breakdowns": [figure.breakdown for figure in figures],
                "definitions": [figure.definition for figure in figures],
            },
        )
        rows = connection.execute(COMPARED).all()
        savepoint.rollback()
    return {(_number(a), _number(b)): tuple(found) for a, b, *found in rows}


def _number(external_id: str) -> int:
    return int(external_id.removeprefix("t:")) - 1


def _days(days: tuple[int, int] | None) -> str | None:
    if days is None:
        return None
    first, last = (date(2023, 1, day) for day in days)
    return f"[{first},{last}]"


# --- random figures -----------------------------------------------------------------------------

ENDS = st.integers(0, 12).map(lambda n: Fraction(n, 4))


@st.composite
def intervals(draw: st.DrawFn) -> Ends:
    lower, upper = sorted((draw(ENDS), draw(ENDS)))
    if lower == upper:
        return Ends(lower, upper, True, True)
    open_end = draw(st.booleans()) and draw(st.booleans())
    return Ends(
        lower,
        None if open_end else upper,
        draw(st.booleans()),
        not open_end and draw(st.booleans()),
    )


@st.composite
def figures(draw: st.DrawFn, /, **fixed: Any) -> Stated:
    value = draw(intervals())
    plausible = value
    if value.upper is None:
        assert value.lower is not None
        plausible = replace(value, upper=value.lower + 1)
    unit = draw(st.sampled_from(sorted(FACTORS)))
    # The numbers are drawn in m2, so that figures in different units can be equal.
    factor = Fraction(1, FACTORS[unit])
    first, last = sorted((draw(st.integers(1, 4)), draw(st.integers(1, 4))))
    return replace(
        Stated(
            value.scaled(factor),
            plausible.scaled(factor),
            unit,
            metric=draw(st.integers(0, len(METRICS) - 1)),
            subject=draw(st.integers(0, 1)),
            modality=draw(st.sampled_from(["actual", "actual", "planned", "forecast"])),
            comparator=draw(st.sampled_from(["approx", "ge", "le"])),
            breakdown=draw(st.sampled_from([None, None, None, "a", "b", "a b"])),
            definition=draw(st.sampled_from([None, None, None, "defined"])),
            days=draw(st.sampled_from([(first, last), (1, 4), (1, 4), None])),
            vague=draw(st.integers(0, 5)) == 5,
            claim=draw(st.sampled_from([0, 1, 2, 2, 2, 3, 4])),
            deleted=draw(st.integers(0, 9)) == 9,
        ),
        **fixed,
    )


@settings(SETTINGS, max_examples=100)
@given(st.lists(figures(), min_size=16, max_size=24), st.integers(0, len(METRICS) - 1))
def test_the_database_equals_the_reference(
    connection: Connection, drawn: list[Stated], metric: int
) -> None:
    # Most of them have one metric and subject, so that they can be compared.
    given = [
        replace(figure, metric=metric, subject=0) if number % 4 else figure
        for number, figure in enumerate(drawn)
    ]
    reference = {
        (m, n): found
        for (m, a), (n, b) in permutations(enumerate(given), 2)
        if (found := expected(a, b))
    }
    assert {pair: found[0] for pair, found in compared(connection, given).items()} == reference


@SETTINGS
@given(st.lists(figures(metric=0, subject=0), min_size=6, max_size=8))
def test_a_verdict_is_the_same_from_both_sides(connection: Connection, given: list[Stated]) -> None:
    found = compared(connection, given)
    for (m, n), (stand, place, sentence) in found.items():
        assert found[n, m][:2] == (stand, place)
        assert place == GRAVITY.index(stand)
        assert PHRASES[stand] in sentence


PHRASES = {
    "contradicts": " cannot both be true: ",
    "part_exceeds_whole": ", of which it must be a part: ",
    "tension": " are in tension: ",
    "missed": " was missed: ",
    "did_not_come_true": " did not come true: ",
    "compatible": " is compatible with ",
    "met": " was met: ",
    "came_true": " came true: ",
    "agrees": " agrees with ",
}


def test_every_verdict_has_its_phrase() -> None:
    assert list(PHRASES) == list(ComparisonVerdict) == GRAVITY


@SETTINGS
@given(
    st.lists(figures(subject=0, modality="actual", claim=2), min_size=6, max_size=8),
    st.lists(st.sampled_from(sorted(FACTORS)), min_size=8, max_size=8),
)
def test_the_unit_makes_no_difference(
    connection: Connection, given: list[Stated], units: list[str]
) -> None:
    converted = [_in_unit(figure, unit) for figure, unit in zip(given, units, strict=False)]
    # The explanations are equal, too, because they use base units.
    assert compared(connection, converted) == compared(connection, given)


@SETTINGS
@given(st.lists(st.tuples(st.integers(-27_777, 27_777), st.integers(0, 6)), min_size=1, max_size=5))
def test_the_same_speed_agrees_in_units_whose_factor_does_not_end(
    connection: Connection, speeds: list[tuple[int, int]]
) -> None:
    figures = []
    for day, (tens, places) in enumerate(speeds, 1):
        amount = Decimal(tens).scaleb(1 - places)
        for unit, number in (("m/s", amount), ("km/h", amount * Decimal("3.6"))):
            exact = Statement(Comparator.EQ, number, exact=True)
            exactly = _ends(read(exact, None, measure(unit).factor).value)
            figures.append(Stated(exactly, exactly, metric=1, days=(day, day)))
    verdicts = {pair: found[0] for pair, found in compared(connection, figures).items()}
    for one in range(0, len(figures), 2):
        assert verdicts[one, one + 1] == "agrees"


def _ends(numbers: Interval) -> Ends:
    lower, upper = (None if n is None else Fraction(n) for n in (numbers.lower, numbers.upper))
    return Ends(lower, upper, numbers.lower_inclusive, numbers.upper_inclusive)


def _in_unit(figure: Stated, unit: str) -> Stated:
    factor = Fraction(FACTORS[figure.unit], FACTORS[unit])
    return replace(
        figure,
        unit=unit,
        value=figure.value.scaled(factor),
        plausible=figure.plausible.scaled(factor),
    )


@SETTINGS
@given(
    st.lists(
        figures(metric=0, subject=0, modality="actual", unit="m2", breakdown=None),
        min_size=4,
        max_size=6,
    ),
    st.lists(st.tuples(ENDS, ENDS, st.booleans()), min_size=6, max_size=6),
)
def test_wider_ranges_are_never_judged_more_severely(
    connection: Connection, drawn: list[Stated], margins: list[tuple[Fraction, Fraction, bool]]
) -> None:
    given = [_in_unit(figure, "m2") for figure in drawn]
    wider = [_widened(figure, *margin) for figure, margin in zip(given, margins, strict=False)]
    before, after = compared(connection, given), compared(connection, wider)
    assert before.keys() == after.keys()
    for pair, (_, place, _) in after.items():
        assert place >= before[pair][1]


def _widened(figure: Stated, down: Fraction, up: Fraction, closed: bool) -> Stated:
    def widen(ends: Ends) -> Ends:
        assert ends.lower is not None
        return Ends(
            max(ends.lower - down, Fraction(0)),
            None if ends.upper is None else ends.upper + up,
            ends.lower_in or down > 0,
            ends.upper is not None and (ends.upper_in or closed or up > 0),
        )

    return replace(figure, value=widen(figure.value), plausible=widen(figure.plausible))


def test_the_reference_reaches_every_verdict() -> None:
    one, two = (Ends(Fraction(n), Fraction(n), True, True) for n in (1, 2))
    above = Ends(Fraction(0), None, False, False)
    near = Ends(Fraction(0), Fraction(1, 2), False, False)
    given = [
        Stated(one, one, days=(1, 4)),
        Stated(one, one, days=(1, 4)),
        Stated(two, two, days=(1, 4)),
        Stated(two, two, days=(2, 3)),
        Stated(one, one, days=(2, 3)),
        Stated(above, near, days=(1, 4)),
        Stated(one, one, days=(1, 4), modality="planned"),
        Stated(two, two, days=(1, 4), modality="planned"),
        Stated(one, one, days=(1, 4), modality="forecast"),
    ]
    found = {expected(a, b) for a, b in combinations(given, 2)}
    assert found - {None} == set(GRAVITY)
