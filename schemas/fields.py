"""The field types of the wire format.

Their messages tell clients what to correct.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Sized
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from inspect import getdoc
from typing import Any, ClassVar
from urllib.parse import SplitResult, urlsplit

from marshmallow import Schema, ValidationError, fields

from hksz_db.domain.chronology import InvalidDate, Period, parse
from hksz_db.domain.languages import cased_tag
from hksz_db.domain.quantities import code_advice
from hksz_db.domain.unicode_form import nfc
from hksz_db.domain.vocabulary import EXTERNAL_ID_PATTERN, MAX_EXTERNAL_ID_LENGTH

MAX_INTEGER = 2**31 - 1
DECIMAL_PATTERN = r"^-?[0-9]{1,30}(\.[0-9]{1,20})?$"
SLUG_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
LANGUAGE_PATTERN = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"
DOI_PATTERN = r"^10\.[0-9]{4,9}/[!-~]+$"
CATEGORY_PATTERN = r"[a-z0-9]+([_-][a-z0-9]+)*"
_OFFSET_WITHOUT_PLUS = re.compile(r":[0-9.]+ [0-9]{2}(?::?[0-9]{2})?$")
_WRITE_PLUS = (
    "Has a space where the offset from UTC begins. In a URL, + stands for a space: write %2B, as in"
    " 2026-11-23T05:00:00%2B08:00."
)
UNIT_CODE_PATTERN = r"^[!-~]{1,40}$"

REQUIRED = "This field is required."
NULL = "Must not be null."
UNKNOWN = "Unknown field."
# What clients are told about a value of the wrong type, in place of marshmallow's own messages.
_MESSAGES: Mapping[type[fields.Field[Any]], Mapping[str, str]] = {
    fields.Field: {"required": REQUIRED, "null": NULL},
    fields.Boolean: {"invalid": "Must be true or false."},
    fields.DateTime: dict.fromkeys(
        ("invalid", "invalid_awareness"),
        "Must be a time with its offset from UTC, such as 2026-11-22T21:00:00Z.",
    ),
    fields.Integer: {"invalid": "Must be a whole number."},
    fields.List: {"invalid": "Must be a list."},
    fields.Mapping: {"invalid": "Must be an object."},
    fields.Nested: {"type": "Must be an object."},
    fields.String: {"invalid": "Must be a text."},
    fields.UUID: {"invalid_uuid": "Must be a UUID, such as 01890a5d-ac96-774b-bcce-b302099a8057."},
}
for _class, _messages in _MESSAGES.items():
    _class.default_error_messages = {**_class.default_error_messages, **_messages}
Schema.error_messages = {"type": "Must be an object.", "unknown": UNKNOWN}

# Unicode's categories Cc and Cs.
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def check_text(value: str) -> str:
    """The text in Unicode NFC.

    Raises ``ValidationError`` with the position of the first control character (including NUL, line
    breaks and tabs) or lone surrogate.
    """
    if value.isascii() and value.isprintable():
        return value  # most texts
    if found := _REFUSED.search(value):
        raise ValidationError(
            f"Character U+{ord(found[0]):04X} at position {found.start()} is not allowed."
        )
    return nfc(value)


class Text(fields.String):
    """One line of text in Unicode NFC, 1 to ``max_length`` code points, not blank."""

    def __init__(
        self, max_length: int = 500, pattern: str | None = None, hint: str = "", **kwargs: Any
    ) -> None:
        metadata = {"minLength": 1, "maxLength": max_length, **kwargs.pop("metadata", {})}
        if pattern:
            metadata["pattern"] = pattern
        super().__init__(metadata=metadata, **kwargs)
        self.max_length = max_length
        self.pattern = re.compile(pattern) if pattern else None
        self.hint = hint

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        text = check_text(value)
        if not text or text.isspace():
            raise ValidationError("May not be blank.")
        if len(text) > self.max_length:
            raise ValidationError(f"May have at most {self.max_length} characters.")
        # Unlike match with `$`, fullmatch does not allow a trailing line break.
        if self.pattern and not self.pattern.fullmatch(text):
            raise ValidationError(self.hint or f"Must match {self.pattern.pattern}.")
        return text


class ExternalId(Text):
    """A name in a namespace: ``hksz:ttps-approved-2023``."""

    def __init__(self, **kwargs: Any) -> None:
        hint = "Must be a namespace, a colon and a name, such as hksz:ttps-approved-2023."
        super().__init__(MAX_EXTERNAL_ID_LENGTH, EXTERNAL_ID_PATTERN, hint, **kwargs)


class Slug(Text):
    """Lower-case words joined by hyphens."""

    def __init__(self, **kwargs: Any) -> None:
        hint = "Must be lower-case letters and digits, joined by single hyphens."
        super().__init__(100, SLUG_PATTERN, hint, **kwargs)


class LanguageTag(Text):
    """A BCP 47 language tag, of which only the form is checked; loaded in the usual case."""

    def __init__(self, **kwargs: Any) -> None:
        hint = "Must be a BCP 47 tag, such as en or zh-Hant."
        super().__init__(35, LANGUAGE_PATTERN, hint, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return cased_tag(super()._deserialize(value, attr, data, **kwargs))


class NameLanguage(fields.String):
    """The language of a name; present if the client prefers languages."""

    def __init__(self) -> None:
        about = "The language of the name, if the request asks for one (`lang`, `Accept-Language`)."
        super().__init__(metadata={"description": about})


class Sha256(Text):
    """A SHA-256 in lower-case hexadecimal."""

    def __init__(self, **kwargs: Any) -> None:
        hint = "Must be 64 lower-case hexadecimal digits."
        super().__init__(64, SHA256_PATTERN, hint, **kwargs)


class UnitCode(Text):
    """A UCUM code or an ISO 4217 currency."""

    def __init__(self, **kwargs: Any) -> None:
        hint = "Must be a UCUM code or an ISO 4217 currency of visible ASCII characters."
        super().__init__(40, UNIT_CODE_PATTERN, hint, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return super()._deserialize(value, attr, data, **kwargs)
        except ValidationError:
            advice = code_advice(value) if isinstance(value, str) else ""
            if advice:
                raise ValidationError(advice) from None
            raise


class Doi(Text):
    """A DOI without a resolver; lower-cased, because DOIs are case-insensitive."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(200, DOI_PATTERN, "Must be a DOI such as 10.1000/182.", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return super()._deserialize(value, attr, data, **kwargs).lower()


class WebAddress(Text):
    """An absolute http or https URL; it is never fetched."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(2000, metadata={"format": "uri", "pattern": "^https?://[!-~]+$"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            parts = urlsplit(text)
            is_absolute = parts.scheme in {"http", "https"} and bool(parts.hostname)
            has_credentials = parts.username is not None or parts.password is not None
        except ValueError:
            is_absolute = False
        if is_absolute and not _has_valid_port(parts):
            raise ValidationError("The port must be a number of at most 65535.")
        if not is_absolute or not re.fullmatch(r"[!-~]+", text):
            raise ValidationError("Must be an absolute http or https URL in ASCII.")
        if has_credentials:
            raise ValidationError("Must not contain a user name or a password.")
        return text


def _has_valid_port(parts: SplitResult) -> bool:
    try:
        _ = parts.port
    except ValueError:
        return False
    return True


class Choice(fields.String):
    """One of a few terms; ``model`` is the name of their OpenAPI component."""

    def __init__(self, model: str, terms: Iterable[str], about: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.terms = tuple(terms)
        self.about = about

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or value not in self.terms:
            raise ValidationError(f"Must be one of: {', '.join(self.terms)}.")
        return value


class Term(Choice):
    """A term of a closed vocabulary."""

    def __init__(self, vocabulary: type[StrEnum], **kwargs: Any) -> None:
        terms = (str(term) for term in vocabulary)
        super().__init__(vocabulary.__name__, terms, getdoc(vocabulary) or "", **kwargs)


class Alternatives(fields.Field[Any]):
    """A document of one of several schemas, which are described in this order.

    If each of them has another value in one field, ``discriminator_field`` is the name of that
    field, and the ``values`` are in the order of the schemas.
    """

    def __init__(
        self,
        schemas: Sequence[type[Schema]],
        discriminator_field: str | None = None,
        values: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.schemas = schemas
        self.discriminator_field = discriminator_field
        self.values = values


class Uuid(fields.UUID):
    """A UUID in its canonical form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        # The library accepts bytes and a dozen spellings; only this one has 36 characters.
        if not isinstance(value, str) or len(value) != 36:
            raise self.make_error("invalid_uuid")
        return super()._deserialize(value, attr, data, **kwargs)


class Edtf(Text):
    """A date in EDTF (ISO 8601-2); it is loaded as a ``Period``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(100, metadata={"examples": ["2024-01-24", "2010~", "2023"]}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return read_edtf(super()._deserialize(value, attr, data, **kwargs))


def read_edtf(text: str) -> Period:
    """The period of an EDTF expression. Raises ``ValidationError``."""
    try:
        return parse(text)
    except InvalidDate as error:
        raise ValidationError(str(error)) from None


class BoundedList(fields.List[Any]):
    """A list of ``minimum`` to ``maximum`` items; the length is checked before the items."""

    def __init__(
        self, inner: fields.Field[Any], maximum: int = 100, minimum: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(inner, metadata={"minItems": minimum, "maxItems": maximum}, **kwargs)
        self.minimum = minimum
        self.maximum = maximum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list):
            self.check_length(value)
        return super()._deserialize(value, attr, data, **kwargs)

    def check_length(self, items: Sized) -> None:
        """Raise ``ValidationError`` for too few or too many items."""
        if not self.minimum <= len(items) <= self.maximum:
            raise ValidationError(f"Must have {self.minimum} to {self.maximum} items.")


class Breakdown(fields.Field[dict[str, str]]):
    """The part of a whole: a category for each dimension (SDMX).

    It is a JSON object; in a URL and in a cell, ``residence:mainland,sex:female``.
    """

    _PATTERN = re.compile(CATEGORY_PATTERN)
    _MAXIMUM = 10
    DESCRIPTION: ClassVar[dict[str, Any]] = {
        "type": "object",
        "description": "The part of a whole: a category for each dimension (SDMX).",
        "minProperties": 1,
        "maxProperties": _MAXIMUM,
        "propertyNames": {"pattern": f"^{CATEGORY_PATTERN}$", "maxLength": 50},
        "additionalProperties": {
            "type": "string",
            "pattern": f"^{CATEGORY_PATTERN}$",
            "maxLength": 50,
        },
        "examples": [{"residence": "mainland"}],
    }

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, str]:
        pairs = self._pairs(value)
        if not 1 <= len(pairs) <= self._MAXIMUM:
            raise ValidationError(f"Must have 1 to {self._MAXIMUM} dimensions.")
        for name in (*pairs, *pairs.values()):
            if not isinstance(name, str) or len(name) > 50 or not self._PATTERN.fullmatch(name):
                raise ValidationError(
                    "Dimensions and categories must be lower-case letters and digits, joined by"
                    " single hyphens or underscores, and have at most 50 characters."
                )
        return dict(sorted(pairs.items()))

    @staticmethod
    def _pairs(value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        parts = [part.split(":") for part in value.split(",")] if isinstance(value, str) else []
        if not parts or any(len(part) != 2 for part in parts):
            raise ValidationError(
                'Must be an object of categories by dimension, such as {"residence": "mainland"},'
                " or in a URL residence:mainland."
            )
        pairs = {dimension.strip(): category.strip() for dimension, category in parts}
        if len(pairs) < len(parts):
            raise ValidationError("Has a dimension twice.")
        return pairs


class BreakdownText(Breakdown):
    """A breakdown in a URL: ``residence:mainland,sex:female``."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"type": "string", "examples": ["residence:mainland"]}
        super().__init__(metadata={**metadata, **kwargs.pop("metadata", {})}, **kwargs)


class DecimalString(fields.Field[Decimal]):
    """An exact decimal of at most 30 digits before and 20 after the point.

    It is a JSON string in answers; requests may also contain a JSON number. A number that ends in
    ``.0`` counts as a whole one, because that is how programs write a float: its last digit is not
    stated. A string keeps it.
    """

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"type": ["string", "number"], "pattern": DECIMAL_PATTERN, "examples": ["47000"]}
        super().__init__(metadata={**metadata, **kwargs.pop("metadata", {})}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise ValidationError("Must be a decimal number, as a string or a number.")
        text = value if isinstance(value, str) else _plain(Decimal(value))
        if not re.fullmatch(DECIMAL_PATTERN[1:-1], text):
            raise ValidationError(
                "Must be a decimal number of at most 30 digits before and 20 after the point."
            )
        return Decimal(text)


def _plain(number: Decimal) -> str:
    # 1E+999999 written in full would exhaust the memory.
    if abs(number.adjusted()) > 60:
        return "out of bounds"
    return format(number, "f").removesuffix(".0")


class DecimalDocument(fields.String):
    """A decimal in an answer, always as a string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"pattern": r"^-?[0-9]+(\.[0-9]+)?$"}, **kwargs)


class StrictInteger(fields.Integer):
    """A whole number of at most 32 bits; not 1.9, true or "12"."""

    def __init__(self, minimum: int = 0, **kwargs: Any) -> None:
        super().__init__(
            strict=True, metadata={"minimum": minimum, "maximum": MAX_INTEGER}, **kwargs
        )
        self.minimum = minimum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid")
        if not self.minimum <= value <= MAX_INTEGER:
            raise ValidationError(f"Must be between {self.minimum} and {MAX_INTEGER}.")
        return value


class StrictBoolean(fields.Boolean):
    """``true`` or ``false``; not 1 or "yes"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Moment(fields.AwareDateTime):
    """A time in ISO 8601 with its offset from UTC; it is loaded as UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if isinstance(value, str) and _OFFSET_WITHOUT_PLUS.search(value):
            raise ValidationError(_WRITE_PLUS)
        if not isinstance(value, str) or not value.isascii():
            raise self.make_error("invalid")
        moment = super()._deserialize(value, attr, data, **kwargs)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("Must be between the years 1 and 9999.") from None
