"""Base classes of the schemas for requests and documents."""

import copy
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validates_schema
from marshmallow.decorators import POST_LOAD, PRE_LOAD, VALIDATES, VALIDATES_SCHEMA

from schemas.fields import BoundedList, Moment, NameLanguage, StrictInteger, Uuid

_FAULTY = "Not valid."


class _Skipped(frozenset[str]):
    """The names of fields that are skipped if a body lacks them.

    An iteration finds none of them. Marshmallow iterates over its argument ``partial`` to find
    names for nested schemas, which have their own.
    """

    def __iter__(self) -> Iterator[str]:
        return iter(())


class _Reader(NamedTuple):
    """How a value is read; ``default`` is what a field has that is absent, if anything.

    ``read`` raises ``ValidationError`` for a value that is not valid.
    """

    read: Callable[[Any], Any]
    default: Any
    is_required: bool


class InputSchema(Schema):
    """A request body; unknown fields and ambiguous references are refused.

    A name in ``references`` may be sent as ``name_id`` or as ``name_external_id``, but not as
    both; one in ``required`` must be sent. A name in ``dates`` may be sent as ``name_edtf`` or as
    ``name_relative``.
    """

    references: ClassVar[tuple[str, ...]] = ()
    required: ClassVar[tuple[str, ...]] = ()
    dates: ClassVar[tuple[str, ...]] = ()

    class Meta:
        unknown = RAISE

    @cached_property
    def _skipped(self) -> _Skipped:
        return _Skipped(
            name
            for name, field in self.load_fields.items()
            if not field.required and field.load_default is missing
        )

    def load(self, data: Any, *, many: Any = None, partial: Any = None, unknown: Any = None) -> Any:
        """Load a body without processing optional fields that are absent, as most are.

        They depend on the schema only, not on ``partial``. A body with faults is loaded once more
        by marshmallow, which says what and where they are; for a valid one it takes four times as
        long as ``read_valid``.
        """
        del partial
        if not many and unknown is None:
            try:
                return self.read_valid(data)
            except ValidationError:
                pass
        return super().load(data, many=many, partial=self._skipped, unknown=unknown)

    def read_valid(self, data: Any) -> dict[str, Any]:
        """What ``load`` returns for a valid body; raises ``ValidationError`` for any other."""
        readers = self._readers
        if not isinstance(data, dict) or not data.keys() <= readers.keys():
            raise ValidationError(_FAULTY)
        loaded: dict[str, Any] = {}
        for name, reader in readers.items():
            if name in data:
                loaded[name] = reader.read(data[name])
            elif reader.is_required:
                raise ValidationError(_FAULTY)
            elif reader.default is not missing:
                loaded[name] = reader.default
        for check, takes_original in self._checks:
            given = (loaded, data) if takes_original else (loaded,)
            check(*given, partial=self._skipped, many=False, unknown=RAISE)
        for name, _, _ in self._hooks[POST_LOAD]:
            loaded = getattr(self, name)(loaded, partial=self._skipped, many=False, unknown=RAISE)
        return loaded

    @cached_property
    def _readers(self) -> dict[str, _Reader]:
        # Of what marshmallow does with a body, these are not read here.
        assert not self._hooks[PRE_LOAD]
        assert not self._hooks[VALIDATES]
        assert all(field.data_key is field.attribute is None for field in self.fields.values())
        return {
            name: _Reader(_reader(field), field.load_default, field.required)
            for name, field in self.load_fields.items()
        }

    @cached_property
    def _checks(self) -> list[tuple[Callable[..., None], bool]]:
        """The checks of the whole body, and whether each takes the body as it was sent, too."""
        return [
            (getattr(self, name), bool(options.get("pass_original")))
            for name, _, options in self._hooks[VALIDATES_SCHEMA]
        ]

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def check_references(self, _: Any, original: Any, **__: Any) -> None:
        """Refuse a reference or date that is given twice, and a missing reference."""
        faults: dict[str, list[str]] = {}
        if not isinstance(original, dict):
            return  # marshmallow has already refused it
        for name in self.references:
            given = [key for key in (f"{name}_id", f"{name}_external_id") if key in original]
            if len(given) == 2:
                faults[given[1]] = [f"Give either {given[0]} or {given[1]}, not both."]
            elif not given and name in self.required:
                faults[f"{name}_id"] = [f"Either {name}_id or {name}_external_id is required."]
        for name in self.dates:
            absolute, relative = f"{name}_edtf", f"{name}_relative"
            if original.get(absolute) is not None and original.get(relative) is not None:
                faults[relative] = [f"Give either {absolute} or {relative}, not both."]
        if faults:
            raise ValidationError(faults)


def _reader(field: fields.Field[Any]) -> Callable[[Any], Any]:
    """A function that reads a value as the field does, without where it stands."""
    read = _read(field)
    # The public methods take longer than the rest.
    validate = field._validate if field.validators else None  # noqa: SLF001
    allows_none = field.allow_none

    def read_value(value: Any) -> Any:
        if value is None:
            if allows_none:
                return None
            raise ValidationError(_FAULTY)
        found = read(value)
        if validate:
            validate(found)
        return found

    return read_value


def _read(field: fields.Field[Any]) -> Callable[[Any], Any]:
    if isinstance(field, fields.Nested) and isinstance(field.schema, InputSchema):
        return field.schema.read_valid
    if isinstance(field, BoundedList):
        read_item, check_length = _reader(field.inner), field.check_length

        def read_items(value: Any) -> list[Any]:
            if not isinstance(value, list):
                raise ValidationError(_FAULTY)
            check_length(value)
            return [read_item(item) for item in value]

        return read_items
    return lambda value: field._deserialize(value, None, None)  # noqa: SLF001


def patch_schema(create: type[InputSchema], *fixed: str) -> type[InputSchema]:
    """The schema of a merge patch (RFC 7396): the fields of ``create``, all optional.

    The fields in ``fixed`` cannot be changed. Nested objects are replaced as a whole, so they are
    checked as on creation.
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
        reference for reference in create.references if f"{reference}_id" in attributes
    )
    attributes["dates"] = create.dates
    attributes["__doc__"] = "The fields to change. Null clears a field; others stay unchanged."
    return type(create.__name__.replace("Create", "Patch"), (InputSchema,), attributes)


def nested_schema(field: fields.Field[Any]) -> type[Schema]:
    """The schema of a nested object, or of the objects in a list."""
    nested = field.inner if isinstance(field, fields.List) else field
    assert isinstance(nested, fields.Nested)
    schema = nested.nested
    assert isinstance(schema, type)
    assert issubclass(schema, Schema)
    return schema


class DocumentSchema(Schema):
    """An answer, described for clients; PostgreSQL writes it.

    All fields are present, except those in ``optional``.
    """

    optional: ClassVar[Collection[str]] = ()

    def on_bind_field(self, name: str, field_obj: fields.Field[Any]) -> None:
        """Mark the fields that are always present as required."""
        is_asked = isinstance(field_obj, NameLanguage)
        field_obj.required = name not in self.optional and not is_asked


class RowSchema(DocumentSchema):
    """The fields at the start of the document of a row."""

    id = Uuid()
    external_id = fields.String(allow_none=True)


class VersionedSchema(RowSchema):
    """The fields at the start and at the end of the document of a resource."""

    version = StrictInteger(1)
    created_at = Moment()
    updated_at = Moment()


LAST_FIELDS = VersionedSchema._declared_fields.keys() - RowSchema._declared_fields.keys()
"""The fields at the end of the document of a resource."""
