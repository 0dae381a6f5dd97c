"""Times on the wire: as EDTF, or relative to the date of a source."""

from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema

from hksz_db.domain.relative_dates import DURATION_PATTERN, WEEKDAYS
from hksz_db.domain.vocabulary import TimeModifier
from schemas.base import DocumentSchema, InputSchema
from schemas.fields import ExternalId, Term, Text, Uuid
from schemas.summaries import SourceSummarySchema


class RelativeDateCreateSchema(InputSchema):
    """A time as a text gives it: so far from the date of the source, which is its anchor.

    ``-P1Y`` is the year before, ``-P13Y`` with ``about`` some 13 years ago, ``P3Y`` with
    ``within`` the three years from then on, ``P0W`` with ``thursday`` the last Thursday.
    """

    references: ClassVar[tuple[str, ...]] = ("anchor",)
    required: ClassVar[tuple[str, ...]] = ("anchor",)
    anchor_id = Uuid()
    anchor_external_id = ExternalId()
    duration = Text(
        7,
        DURATION_PATTERN,
        "Must be a duration in one unit, such as -P13Y, P3M or P0W.",
        required=True,
    )
    modifier = Term(TimeModifier, allow_none=True, load_default=None)

    @validates_schema
    def check_weekday(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a weekday at a distance that is not in weeks."""
        if data["modifier"] in WEEKDAYS and not data["duration"].endswith("W"):
            raise ValidationError({"duration": ["With a weekday it must be in weeks, as in P0W."]})


class RelativeDateSchema(DocumentSchema):
    """How a time was reckoned from the date of a source."""

    anchor = fields.Nested(SourceSummarySchema)
    duration = fields.String()
    modifier = Term(TimeModifier, allow_none=True)


class PeriodSchema(DocumentSchema):
    """A time: EDTF, and the first and last day that it may cover (null: open or unknown)."""

    edtf = fields.String(allow_none=True)
    earliest = fields.Date(allow_none=True)
    latest = fields.Date(allow_none=True)


class RelativePeriodSchema(PeriodSchema):
    """A time that may have been reckoned from the date of a source."""

    relative = fields.Nested(RelativeDateSchema, allow_none=True)


class StatedPeriodSchema(RelativePeriodSchema):
    """A time with the words that stated it."""

    as_stated = fields.String(allow_none=True)
