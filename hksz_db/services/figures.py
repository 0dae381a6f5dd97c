"""Writing figures: what is stated is stored, and what it means is worked out."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.quantities import InvalidFigure, read
from hksz_db.domain.vocabulary import Comparator
from hksz_db.models import Figure
from hksz_db.services.dependants import lock_wholes
from hksz_db.services.references import Resolved, resolve
from hksz_db.services.rows import Row, change, chosen, range_literal, stored, touch
from hksz_db.services.writers import Writer
from schemas.figures import FigureCreateSchema, FigurePatchSchema


class _Figures(Writer):
    def create(self, session: Session, fields: Row) -> UUID:
        """Add a figure to a claim."""
        id = super().create(session, fields)
        touch(session, "claims", fields["claim_id"])
        return id

    def update(
        self, session: Session, id: UUID, versions: Sequence[int] | None, fields: Row
    ) -> bool:
        """Change a figure; what it means is worked out anew."""
        # Entities and anchors before claims: so locks who merges entities or corrects a date.
        given = resolve(session, fields, self.shape)
        lock_wholes(session, "figures", id)
        before = stored(session, "figures", id, self.stored, "FOR UPDATE")
        # What is not given is looked up all the same: the new meaning depends on it too.
        measured = chosen({**before, **fields}, "metric_id", "unit_code")
        kept = resolve(session, measured, self.shape)
        values, _ = self.changes(fields, before, given.joined(kept))
        changed = change(session, "figures", id, versions, values)
        if changed:
            touch(session, "claims", before["claim_id"])
        return changed

    def rows(self, fields: Row, id: UUID, known: Resolved) -> Mapping[str, Sequence[Row]]:
        """The row of a new figure by table."""
        claim = known.rows["claims"][fields["claim_id"]]
        return super().rows({**self.within(claim), **fields}, id, known)

    def work_out(self, given: Row, before: Row, known: Resolved, pointer: str) -> Row:
        """What the stated amount means, in base units. Raises ``Invalid`` where it cannot."""
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


FIGURES = _Figures(
    model=Figure,
    create_schema=FigureCreateSchema,
    patch_schema=FigurePatchSchema,
    inherited=("modality",),
    worked_out=(
        "dimension",
        "nonnegative",
        "unit_factor",
        "value_range",
        "plausible_range",
        "range_rule",
    ),
    rests_on=("metric_id", "unit_code", "comparator", "amount", "lower_bound", "upper_bound"),
)
create, update = FIGURES.create, FIGURES.update
