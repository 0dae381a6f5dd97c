"""What schemas of one kind share."""

import copy
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validates_schema

from schemas.fields import Moment, StrictInteger


class InputSchema(Schema):
    """What a client may send: unknown fields are refused, and so are doubtful references.

    ``references`` names the stems of which ``stem_id`` or ``stem_external_id`` may be given;
    of those in ``required`` exactly one must be. ``dates`` names what is given either as
    ``date_edtf`` or as ``date_relative``.
    """

    references: ClassVar[tuple[str, ...]] = ()
    required: ClassVar[tuple[str, ...]] = ()
    dates: ClassVar[tuple[str, ...]] = ()

    class Meta:
        unknown = RAISE

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def check_references(self, _: Any, original: Any, **__: Any) -> None:
        """Refuse a reference or a date given in two ways, and a reference that is missing."""
        faults: dict[str, list[str]] = {}
        if not isinstance(original, dict):
            return  # which is refused for that
        for stem in self.references:
            given = [name for name in (f"{stem}_id", f"{stem}_external_id") if name in original]
            if len(given) == 2:
                faults[given[1]] = [f"Give either {given[0]} or {given[1]}, not both."]
            elif not given and stem in self.required:
                faults[f"{stem}_id"] = [f"Either {stem}_id or {stem}_external_id is required."]
        for name in self.dates:
            absolute, relative = f"{name}_edtf", f"{name}_relative"
            if original.get(absolute) is not None and original.get(relative) is not None:
                faults[relative] = [f"Give either {absolute} or {relative}, not both."]
        if faults:
            raise ValidationError(faults)


def patch_schema(create: type[InputSchema], *fixed: str) -> type[InputSchema]:
    """The schema of a merge-patch (RFC 7396): what ``create`` takes, nothing of it required.

    Fields named in ``fixed`` cannot be changed. What is nested is replaced whole, so it is
    checked as strictly as on creation.
    """
    attributes: dict[str, Any] = {}
    for name, field in create._declared_fields.items():
        if name in fixed:
            continue
        relaxed = copy.deepcopy(field)
        relaxed.required = False
        relaxed.load_default = missing
        attributes[name] = relaxed
    attributes["references"] = tuple(
        stem for stem in create.references if f"{stem}_id" in attributes
    )
    attributes["dates"] = create.dates
    attributes["__doc__"] = "What is given is changed, null clears it, and all else stays."
    return type(create.__name__.replace("Create", "Patch"), (InputSchema,), attributes)


class DocumentSchema(Schema):
    """What a client receives; PostgreSQL writes it, this describes it.

    All its fields are there, but where it is ``selectable``: then ``select`` may leave some out.
    """

    selectable: ClassVar[bool] = False

    def on_bind_field(self, _: str, field_obj: fields.Field[Any]) -> None:
        """Require what is always there."""
        field_obj.required = not self.selectable


class VersionedSchema(DocumentSchema):
    """The fields at the end of every resource's document."""

    version = StrictInteger(1)
    created_at = Moment()
    updated_at = Moment()
