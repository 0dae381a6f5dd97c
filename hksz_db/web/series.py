"""Figures over time: a small plot for each measure or subject, with both ranges of each figure."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from markupsafe import Markup

from hksz_db.queries import document_types
from hksz_db.web.comparing import part_in_words
from hksz_db.web.plots import Row, scale, span, ticks
from hksz_db.web.site import href
from hksz_db.web.timeline import Axis, axis_of
from hksz_db.web.timeline import Tick as YearTick
from hksz_db.web.units import unit_in_words
from hksz_db.web.wording import number_in_words, time_in_words

FIGURE_FIELDS = (
    "id",
    "metric",
    "subject",
    "as_stated",
    "unit_code",
    "dimension",
    "value_range",
    "plausible_range",
    "period",
    "breakdown",
    "definition",
    "estimate",
    "known_at",
    "claim",
)
"""The fields of figures that are drawn."""

HEIGHT = 150.0
_LEAST_HEIGHT = 5.0


class Box(NamedTuple):
    """A figure in a plot: ``x`` and ``width`` in per cent, heights from the top in pixels.

    The bar is what readers understand, and the line what the words allow.
    """

    x: float
    width: float
    bar: tuple[float, float]
    line: tuple[float, float]
    is_point: bool
    is_open_above: bool
    is_open_below: bool
    is_certain: bool


class Heading(NamedTuple):
    """What a series is about: its label, the language of that, and the page about it."""

    label: str
    lang: str | None
    url: str


class NumberTick(NamedTuple):
    """A number on the axis, and its height from the top in pixels."""

    label: str
    y: float


class Figure(NamedTuple):
    """A figure, as a row of the table and, if its time is known, in the plot.

    ``meta`` of the row is who states the figure, and ``note`` is its time.
    """

    row: Row
    box: Box | None


class Series(NamedTuple):
    """The figures of one measure, subject and part in one unit, the earliest first."""

    label: str
    lang: str | None
    url: str
    part: Markup
    unit: str
    figures: list[Figure]
    years: list[YearTick]
    numbers: list[NumberTick]

    @property
    def is_drawn(self) -> bool:
        """Whether the time of a figure is known."""
        return any(each.box for each in self.figures)

    @property
    def undated(self) -> int:
        """How many figures state no time, so that they are only in the table."""
        return sum(each.box is None for each in self.figures)


def series_of(
    figures: Iterable[document_types.Figure],
    speakers: Mapping[str, str],
    named: Callable[[document_types.Figure], Heading],
) -> list[Series]:
    """The figures in series; ``named`` gives the heading of the series of a figure."""
    groups: dict[tuple[Heading, Markup, str], list[document_types.Figure]] = {}
    for each in sorted(figures, key=lambda figure: figure["period"]["earliest"] or "9999"):
        # Money is not converted, so that each currency has an axis of its own.
        axis = each["unit_code"] if each["dimension"] == "money" else each["dimension"]
        groups.setdefault((named(each), part_in_words(each), axis), []).append(each)
    made = [_series(heading, part, group, speakers) for (heading, part, _), group in groups.items()]
    return sorted(made, key=lambda each: -len(each.figures))


def _series(
    heading: Heading, part: Markup, group: list[document_types.Figure], speakers: Mapping[str, str]
) -> Series:
    unit = group[0]["unit_code"]
    rows = [_row(each, unit, speakers) for each in group]
    axis = axis_of([each["period"] for each in group])
    ends = scale(rows)
    return Series(
        *heading,
        part=part,
        unit=unit_in_words(unit),
        figures=[
            Figure(drawn, _box(each, drawn, axis, ends))
            for each, drawn in zip(group, rows, strict=True)
        ],
        years=[] if axis is None else axis.ticks,
        numbers=[NumberTick(number_in_words(each), _y(each, ends)) for each in ticks(*ends)],
    )


def _row(figure: document_types.Figure, unit: str, speakers: Mapping[str, str]) -> Row:
    claim_id = figure["claim"]["id"]
    who, when = speakers.get(claim_id, ""), time_in_words(figure["period"]["edtf"])
    return Row(
        label=figure["as_stated"],
        meta=who,
        allowed=span(figure["value_range"], unit),
        plausible=span(figure["plausible_range"], unit),
        kind="own",
        note=when,
        url=href("claims", claim_id),
    )


def _box(
    figure: document_types.Figure, drawn: Row, axis: Axis | None, ends: tuple[Decimal, Decimal]
) -> Box | None:
    bar = None if axis is None else axis.bar(figure["period"])
    if bar is None:
        return None
    upper, lower = _y(drawn.plausible.upper, ends, 0.0), _y(drawn.plausible.lower, ends, HEIGHT)
    grown = max(_LEAST_HEIGHT - (lower - upper), 0) / 2
    return Box(
        x=bar.begin,
        width=bar.width,
        bar=(round(upper - grown, 1), round(lower - upper + 2 * grown, 1)),
        line=(_y(drawn.allowed.upper, ends, 0.0), _y(drawn.allowed.lower, ends, HEIGHT)),
        is_point=drawn.allowed.is_point,
        is_open_above=drawn.allowed.upper is None,
        is_open_below=drawn.allowed.lower is None,
        is_certain=bar.is_certain,
    )


def _y(number: Decimal | None, ends: tuple[Decimal, Decimal], otherwise: float = 0.0) -> float:
    if number is None:
        return otherwise
    low, high = ends
    return round(float((high - number) / (high - low)) * HEIGHT, 1)
