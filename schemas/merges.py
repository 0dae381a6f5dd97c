"""The schema of a merge."""

from schemas.base import InputSchema
from schemas.fields import ExternalId, Uuid


class MergeSchema(InputSchema):
    """The row into which this one is merged; afterwards both are found under its id."""

    references = required = ("into",)
    into_id = Uuid()
    into_external_id = ExternalId()
