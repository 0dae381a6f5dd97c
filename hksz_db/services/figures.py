"""Writing figures: amounts as stated, and the ranges that follow from them."""

from decimal import Decimal

from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.quantities import InvalidFigure, read
from hksz_db.domain.vocabulary import Comparator
from hksz_db.models import Figure
from hksz_db.services.references import Resolved
from hksz_db.services.rows import Row, range_literal
from hksz_db.services.writers import Writer
from schemas.figures import FigureCreateSchema, FigurePatchSchema


class _Figures(Writer):
    def compute(self, given: Row, before: Row, known: Resolved, pointer: str) -> Row:
        """The ranges that the stated amount allows, in base units. Raises ``Invalid``."""
        stated = {**before, **given}
        metric = known.rows["metrics"][stated["metric_id"]]
        unit = known.rows["units"][stated["unit_code"]]
        if metric["dimension"] != unit["dimension"]:
            detail = f"The metric measures {metric['dimension']}, the unit {unit['dimension']}."
            fault = Fault("dimension", detail, f"{pointer}/unit_code")
            raise Invalid("The unit does not fit the metric.", [fault])
        try:
            reading = read(
                Comparator(stated["comparator"]),
                stated.get("amount"),
                stated.get("lower_bound"),
                stated.get("upper_bound"),
                nonnegative=metric["nonnegative"],
            )
        except InvalidFigure as error:
            fault = Fault("figure", str(error), f"{pointer}/{error.field}")
            raise Invalid("The parts of the figure do not fit each other.", [fault]) from None
        factor = Decimal(str(unit["factor"]))
        reading = reading.scaled(factor)
        return {
            "dimension": metric["dimension"],
            "nonnegative": metric["nonnegative"],
            "unit_factor": factor,
            "value_range": range_literal(reading.value),
            "plausible_range": range_literal(reading.plausible),
            "range_rule": reading.rule,
        }


WRITER = _Figures(
    model=Figure,
    create_schema=FigureCreateSchema,
    patch_schema=FigurePatchSchema,
    inherited=("modality",),
    computed=(
        "dimension",
        "nonnegative",
        "unit_factor",
        "value_range",
        "plausible_range",
        "range_rule",
    ),
    computed_from=("metric_id", "unit_code", "comparator", "amount", "lower_bound", "upper_bound"),
)
