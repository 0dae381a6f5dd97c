"""Schemas of times: EDTF, or relative to the date of a source."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from hksz_db.domain.relative_dates import DURATION_PATTERN, WEEKDAYS
from hksz_db.domain.vocabulary import TimeModifier
from schemas.base import DocumentSchema, InputSchema
from schemas.fields import ExternalId, Term, Text, Uuid
from schemas.summaries import SourceSummarySchema


class RelativeDateCreateSchema(InputSchema):
    """A time relative to the date of a source, which is its anchor.

    ``-P1Y`` is the year before, ``-P13Y`` with ``about`` is about 13 years before, ``P3Y`` with
    ``within`` is the three years that follow, and ``P0W`` with ``thursday`` is the last Thursday.
    """

    references = required = ("anchor",)
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
        """Refuse a weekday with a duration that is not in weeks."""
        if data["modifier"] in WEEKDAYS and not data["duration"].endswith("W"):
            raise ValidationError({"duration": ["Must be in weeks for a weekday, such as P0W."]})


class RelativeDateSchema(DocumentSchema):
    """How a time was computed from the date of a source."""

    anchor = fields.Nested(SourceSummarySchema)
    duration = fields.String()
    modifier = Term(TimeModifier, allow_none=True)


class PeriodSchema(DocumentSchema):
    """A time: EDTF, and the first and last day that it may cover; null if open or unknown."""

    edtf = fields.String(allow_none=True)
    earliest = fields.Date(allow_none=True)
    latest = fields.Date(allow_none=True)


class RelativePeriodSchema(PeriodSchema):
    """A time that may have been computed from the date of a source."""

    relative = fields.Nested(RelativeDateSchema, allow_none=True)


class StatedPeriodSchema(RelativePeriodSchema):
    """A time with the words that state it."""

    as_stated = fields.String(allow_none=True)
