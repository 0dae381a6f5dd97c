"""Writing figures: amounts as stated, and the ranges that follow from them."""

from decimal import Decimal
from typing import Any

from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.figure_tokens import UnreadableFigure
from hksz_db.domain.ranges import InvalidFigure, Statement, read
from hksz_db.domain.stated_figures import MEASURES_OF_CHANGE, StatedFigure, read_stated
from hksz_db.domain.vocabulary import Comparator, Dimension, MetricMeasure
from hksz_db.models import Figure
from hksz_db.services.references import Reference, Resolved
from hksz_db.services.rows import Row, range_literal
from hksz_db.services.writers import Writer
from schemas.figures import FigureCreateSchema, FigurePatchSchema

UNITLESS = "1"
"""The code of the unit of a mere number."""

_ADVICE = "Give comparator, amount or bounds, and unit_code."
_NO_CHANGE = (
    "The text states a change, which is an amount only for a metric with the measure change or"
    " growth_rate."
)


class _Figures(Writer):
    def complete(self, fields: Row, known: Resolved, pointer: str) -> list[Reference]:
        """Read the figure from its words if the comparator or the unit is missing.

        Fields that are given count, even if the words differ. Raises ``Invalid``.
        """
        if "comparator" in fields and "unit_code" in fields:
            return []
        metric = known.rows["metrics"][fields["metric_id"]]
        read = read_words(fields, metric, pointer)
        is_unit_read = "unit_code" not in fields
        read = {name: value for name, value in read.items() if fields.get(name) is None}
        fields |= read
        _check_sign(fields, read, metric, pointer)
        if not is_unit_read:
            return []
        words = f"{pointer}/as_stated"
        advice = (
            "It was read from as_stated: add the unit (POST /v1/units), or give comparator, amount"
            " or bounds, and unit_code."
        )
        return [Reference(fields, "unit_code", "unit_code", "units", words, advice=advice)]

    def compute(self, given: Row, before: Row, known: Resolved, pointer: str) -> Row:
        """The ranges that the stated amount allows, in base units. Raises ``Invalid``."""
        stated = {**before, **given}
        metric = known.rows["metrics"][stated["metric_id"]]
        unit = known.rows["units"][stated["unit_code"]]
        factor = Decimal(str(unit["factor"]))
        is_ratio = metric["dimension"] == Dimension.RATIO and stated["unit_code"] == UNITLESS
        if metric["dimension"] != unit["dimension"] and not is_ratio:
            measures = f"The metric measures {metric['dimension']}"
            detail = f"{measures}, the unit {stated['unit_code']} {unit['dimension']}."
            fault = Fault("dimension", detail, f"{pointer}/unit_code")
            raise Invalid("The unit does not fit the metric.", [fault])
        try:
            ranges = range_columns(stated, metric, factor)
        except InvalidFigure as error:
            fault = Fault("figure", str(error), f"{pointer}/{error.field}")
            raise Invalid("The parts of the figure do not fit each other.", [fault]) from None
        return {
            "dimension": metric["dimension"],
            "nonnegative": metric["nonnegative"],
            "unit_factor": factor,
            **ranges,
        }


def _check_sign(fields: Row, read: Row, metric: Row, pointer: str) -> None:
    """Raise ``Invalid`` if the words state what is below zero and the metric is never negative."""
    amount = read.get("amount")
    if not metric["nonnegative"] or amount is None or amount > 0:
        return
    try:
        range_columns(fields, metric, Decimal(1))
    except InvalidFigure as error:
        raise _unread([Fault("figure", str(error), f"{pointer}/as_stated")]) from None


STATED = ("comparator", "amount", "lower_bound", "upper_bound", "as_stated", "exact")
"""The columns of a figure that make its statement."""


def statement_of(figure: Row, measure: str) -> Statement:
    """What a figure states, by the measure of its metric."""
    return Statement(
        Comparator(figure["comparator"]),
        figure.get("amount"),
        figure.get("lower_bound"),
        figure.get("upper_bound"),
        figure["as_stated"],
        bool(figure.get("exact")),
        MetricMeasure(measure),
    )


def range_columns(figure: Row, metric: Row, factor: Decimal) -> Row:
    """The ranges that a figure allows, in base units. Raises ``InvalidFigure``."""
    statement = statement_of(figure, metric["measure"])
    reading = read(
        statement, Dimension(metric["dimension"]), factor, nonnegative=metric["nonnegative"]
    )
    return {
        "value_range": range_literal(reading.value),
        "plausible_range": range_literal(reading.plausible),
        "range_rule": reading.rule,
    }


def read_words(fields: Row, metric: Row, pointer: str) -> dict[str, Any]:
    """What the words ``as_stated`` of a figure state, by field. Raises ``Invalid``.

    ``metric`` has a dimension and a measure.
    """
    dimension, measure = Dimension(metric["dimension"]), MetricMeasure(metric["measure"])
    try:
        # Only a ratio decides what the words mean. The unit has to be in them: words that are not
        # known may be a unit, too.
        stated = read_stated(
            fields["as_stated"], dimension if dimension is Dimension.RATIO else None, measure
        )
    except UnreadableFigure as error:
        raise _unread([Fault("figure", f"{error} {_ADVICE}", f"{pointer}/as_stated")]) from None
    if stated.is_change and measure not in MEASURES_OF_CHANGE:
        raise _unread([Fault("figure", f"{_NO_CHANGE} {_ADVICE}", f"{pointer}/as_stated")])
    if stated.is_share and dimension is not Dimension.RATIO:
        reason = f"The text states a share, and the metric measures {dimension}."
        raise _unread([Fault("figure", f"{reason} {_ADVICE}", f"{pointer}/as_stated")])
    unit_code = stated.unit_code or _unstated_unit(stated, dimension)
    if unit_code is None and fields.get("unit_code") in stated.may_be:
        unit_code = fields["unit_code"]
    if unit_code is None:
        reason = (
            stated.note or f"The text names no known unit, and the metric measures {dimension}."
        )
        raise _unread([Fault("figure", f"{reason} {_ADVICE}", f"{pointer}/as_stated")])
    comparator, amount = stated.comparator, stated.amount
    if amount is None and fields.get("amount") is not None:
        # One number was given for a range in words.
        return {"comparator": Comparator.APPROX, "unit_code": unit_code}
    read = {"comparator": comparator, "amount": amount, "unit_code": unit_code}
    if fields.get("comparator") in {None, comparator}:
        read |= {"lower_bound": stated.lower_bound, "upper_bound": stated.upper_bound}
    return read


def _unstated_unit(stated: StatedFigure, dimension: Dimension) -> str | None:
    return UNITLESS if dimension is Dimension.COUNT and not stated.note else None


def _unread(faults: list[Fault]) -> Invalid:
    return Invalid("The figure could not be read from its words.", faults)


WRITER = _Figures(
    model=Figure,
    create_schema=FigureCreateSchema,
    patch_schema=FigurePatchSchema,
    inherited=("modality",),
    completed=("comparator", "unit_code"),
    computed=(
        "dimension",
        "nonnegative",
        "unit_factor",
        "value_range",
        "plausible_range",
        "range_rule",
    ),
    computed_from=("metric_id", "unit_code", *STATED),
    held=("metric",),
)
