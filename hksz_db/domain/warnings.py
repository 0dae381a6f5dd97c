"""Doubts about claims, figures and evidence that are allowed all the same.

A warning is a ``Fault`` that refuses nothing. Its pointer leads to a field of a new claim, figure
or piece of evidence, whether or not a request gave that field.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hksz_db.domain import figure_words as words
from hksz_db.domain.chronology import Period
from hksz_db.domain.errors import Fault
from hksz_db.domain.figure_printing import printed, quantity
from hksz_db.domain.figure_tokens import UnreadableFigure, tokens
from hksz_db.domain.quantities import measure
from hksz_db.domain.ranges import Statement, stated_step
from hksz_db.domain.stated_figures import MEASURES_OF_CHANGE, StatedFigure, read_stated
from hksz_db.domain.vocabulary import (
    Comparator,
    Dimension,
    MetricMeasure,
    Modality,
    Stance,
    WarningCode,
)

# "2023", but not "2,023", "12.2023", "HK$2023", "2023.5" or "2023 %".
_YEAR = re.compile(r"(?<![\w.,$€£¥])(?:19|20)[0-9]{2}(?![0-9]|[.,][0-9]| ?%)")
# A passage that only mentions a claim may be older than the event.
_BEARING = (Stance.ASSERTS, Stance.SUPPORTS, Stance.DISPUTES)


@dataclass(frozen=True)
class WrittenFigure:
    """A figure as it is stored."""

    statement: Statement
    dimension: Dimension
    unit_code: str
    unit_factor: Decimal
    modality: Modality
    period: Period | None


@dataclass(frozen=True)
class WrittenClaim:
    """What a claim states, and when that is or will be."""

    statement: str
    modality: Modality
    time: Period | None
    due: Period | None


def of_figure(figure: WrittenFigure, today: date) -> list[Fault]:
    """The warnings about a figure."""
    found = list(_differences(figure))
    if figure.statement.exact and figure.statement.comparator is not Comparator.EQ:
        detail = f"Only eq can be exact, but the comparator is {figure.statement.comparator}."
        found.append(_warning(WarningCode.EXACT_WITHOUT_EFFECT, "exact", detail))
    if figure.modality is Modality.ACTUAL and _begins_after(figure.period, today):
        detail = "The figure is actual, but its period has not begun."
        found.append(_warning(WarningCode.ACTUAL_IN_FUTURE, "period_edtf", detail))
    return found


def of_claim(claim: WrittenClaim, stated: Sequence[str], today: date) -> list[Fault]:
    """The warnings about a claim; ``stated`` are the words of its figures, which name no years."""
    found = []
    years = _years(claim.statement, stated)
    times = [period for period in (claim.time, claim.due) if period is not None]
    if years and times and not any(_covers(time, year) for time in times for year in years):
        named = " and ".join(map(str, years))
        detail = f"The statement is about {named}, but the time of the claim is {times[0].edtf}."
        found.append(_warning(WarningCode.YEAR_OUTSIDE_TIME, "statement", detail))
    if claim.modality is Modality.ACTUAL and _begins_after(claim.time, today):
        detail = "The claim is actual, but its time has not begun."
        found.append(_warning(WarningCode.ACTUAL_IN_FUTURE, "time_edtf", detail))
    return found


def of_evidence(claim: WrittenClaim, stance: Stance, issued: Period | None) -> list[Fault]:
    """The warnings about a passage of a source that was published then."""
    if issued is None or stance not in _BEARING:
        return []
    if claim.modality is Modality.ACTUAL and _is_before(issued, claim.time):
        assert claim.time is not None
        detail = (
            f"The source was published ({issued.edtf}) before the time of the actual claim"
            f" ({claim.time.edtf})."
        )
        return [_warning(WarningCode.SOURCE_BEFORE_EVENT, "source_id", detail)]
    if claim.modality is Modality.PLANNED and _is_before(claim.due, issued):
        assert claim.due is not None
        detail = (
            f"The planned claim was due ({claim.due.edtf}) before its source was published"
            f" ({issued.edtf})."
        )
        return [_warning(WarningCode.DUE_BEFORE_SOURCE, "source_id", detail)]
    return []


def _warning(code: WarningCode, field: str, detail: str) -> Fault:
    return Fault(code, detail, f"#/{field}")


def is_plainly_stated(figure: WrittenFigure) -> bool:
    """Whether the words are only the comparator, the amount and the unit of the figure.

    Most figures are stated so, and this takes a tenth of the time that reading the words takes.
    """
    given = figure.statement
    bounds = given.lower_bound, given.upper_bound
    if given.comparator is Comparator.BETWEEN or bounds != (None, None):
        return False
    try:
        found = tokens(given.as_stated)
    except UnreadableFigure:
        return False
    place = next((n for n, token in enumerate(found) if token.kind == "number"), None)
    if place is None or found[place].digits != given.amount:
        return False
    before = " ".join(token.text for token in found[:place])
    after = " ".join(token.text for token in found[place + 1 :])
    comparator = words.LEADING.get(before) if before else Comparator.EQ
    if comparator != given.comparator:
        return False
    unit = words.UNITS.get(after) if after else words.Unit("1")
    return unit is not None and unit.code == figure.unit_code and unit.times == 1


def _differences(figure: WrittenFigure) -> Iterator[Fault]:
    given = figure.statement
    if is_plainly_stated(figure):
        return
    ratio = figure.dimension if figure.dimension is Dimension.RATIO else None
    try:
        stated = read_stated(given.as_stated, ratio, given.measure)
    except UnreadableFigure:
        return
    if stated.is_change and given.measure not in MEASURES_OF_CHANGE:
        # The ratio 1.05 to the base may come from the words "rose by 5 %".
        if given.measure is not MetricMeasure.RATIO_TO_BASE:
            detail = f"The words state a change, and the measure of the metric is {given.measure}."
            yield _warning(WarningCode.MEASURE_DIFFERS, "metric_id", detail)
        return
    factor = _factor(stated, figure)
    if factor is None:
        yield _differs("unit_code", f"the unit {figure.unit_code}", stated)
        factor = Decimal(1)
    if given.comparator != stated.comparator:
        yield _differs("comparator", f"the comparator {given.comparator}", stated)
    for name in ("amount", "lower_bound", "upper_bound"):
        number = getattr(given, name)
        if number is not None and not _equals(number, getattr(stated, name), factor):
            yield _differs(name, quantity(number, figure.unit_code), stated)


def _differs(field: str, given: str, stated: StatedFigure) -> Fault:
    detail = f"The words state {printed(stated)!r}, but the figure has {given}."
    return _warning(WarningCode.DIFFERS_FROM_WORDS, field, detail)


def _factor(stated: StatedFigure, figure: WrittenFigure) -> Decimal | None:
    """How many units of the figure the unit in the words is; ``None`` if they do not compare."""
    if stated.unit_code is None and figure.dimension is Dimension.COUNT:
        return 1 / figure.unit_factor
    if stated.unit_code in {None, figure.unit_code}:
        return Decimal(1)
    if figure.dimension is Dimension.MONEY or stated.unit_code is None:
        return None
    measured = measure(stated.unit_code)
    shares = {measured.dimension, figure.dimension} <= {Dimension.RATIO, Dimension.COUNT}
    if measured.dimension is not figure.dimension and not shares:
        return None
    return measured.factor / figure.unit_factor


def _equals(given: Decimal, stated: Decimal | None, factor: Decimal) -> bool:
    """Whether the amounts are equal, or the given one is the other rounded ("a third": 33.3 %)."""
    if stated is None:
        return False
    in_unit = stated * factor
    if given == in_unit:
        return True
    exponent = in_unit.as_tuple().exponent
    is_rounded = isinstance(exponent, int) and exponent <= -4
    return is_rounded and abs(given - in_unit) <= stated_step(given) / 2


def _years(statement: str, stated: Sequence[str]) -> list[int]:
    """The years that the statement names."""
    for text in stated:
        if _YEAR.search(text):
            statement = statement.replace(text, " ")
    return sorted({int(year) for year in _YEAR.findall(statement)})


def _covers(period: Period, year: int) -> bool:
    begins = period.earliest is None or period.earliest.year <= year
    return begins and (period.latest is None or year <= period.latest.year)


def _begins_after(period: Period | None, day: date) -> bool:
    return period is not None and period.earliest is not None and period.earliest > day


def _is_before(first: Period | None, second: Period | None) -> bool:
    """Whether all of one period lies before the other."""
    if first is None or second is None or first.latest is None or second.earliest is None:
        return False
    return first.latest < second.earliest
