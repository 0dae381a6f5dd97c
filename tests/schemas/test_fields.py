"""The values that each field type accepts and refuses."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields

from hksz_db.domain.chronology import Period
from hksz_db.domain.vocabulary import Stance
from schemas.fields import (
    MAX_INTEGER,
    DecimalString,
    Doi,
    Edtf,
    ExternalId,
    LanguageTag,
    Moment,
    Sha256,
    Slug,
    StrictBoolean,
    StrictInteger,
    Term,
    Text,
    UnitCode,
    Uuid,
    WebAddress,
)
from schemas.filters import QueryBoolean, QueryInteger, ValueList

Field = Callable[[], fields.Field[Any]]
UUID_TEXT = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    ("field", "given", "loaded"),
    [
        (Text, "Top Talent Pass Scheme", "Top Talent Pass Scheme"),
        (Text, "深圳 𠮷 😀", "深圳 𠮷 😀"),
        (Text, "cafe\u0301", "café"),
        (Text, "a\u200db", "a\u200db"),
        (lambda: Text(2), "e\u0301e\u0301", "éé"),
        (ExternalId, "hksz:ttps-approved-2023", "hksz:ttps-approved-2023"),
        (ExternalId, "ex.org:A/b_c~1", "ex.org:A/b_c~1"),
        (Slug, "talent-pass-2", "talent-pass-2"),
        (LanguageTag, "zh-Hant-HK", "zh-Hant-HK"),
        (LanguageTag, "ZH-hant", "zh-Hant"),
        (LanguageTag, "en-gb", "en-GB"),
        (Sha256, "0a" * 32, "0a" * 32),
        (UnitCode, "km/h", "km/h"),
        (UnitCode, "[ppm]", "[ppm]"),
        (Doi, "10.1000/ABC(1)", "10.1000/abc(1)"),
        (WebAddress, "https://example.org/a?b=%20#c", "https://example.org/a?b=%20#c"),
        (WebAddress, "http://[::1]:8000/", "http://[::1]:8000/"),
        (WebAddress, "http://example.org:65535", "http://example.org:65535"),
        (lambda: Term(Stance), "asserts", "asserts"),
        (Uuid, UUID_TEXT, UUID(UUID_TEXT)),
        (Uuid, UUID_TEXT.upper(), UUID(UUID_TEXT)),
        (Edtf, "2024-01-24", Period("2024-01-24", date(2024, 1, 24), date(2024, 1, 24))),
        (DecimalString, "47000", Decimal(47000)),
        (DecimalString, "-0.50", Decimal("-0.50")),
        (DecimalString, 47000, Decimal(47000)),
        (DecimalString, Decimal("1E+3"), Decimal(1000)),
        (DecimalString, "9" * 30 + "." + "9" * 20, Decimal("9" * 30 + "." + "9" * 20)),
        (StrictInteger, 0, 0),
        (StrictInteger, MAX_INTEGER, MAX_INTEGER),
        (lambda: StrictInteger(-1), -1, -1),
        (StrictBoolean, False, False),
        (Moment, "2024-01-24T16:00:00+08:00", datetime(2024, 1, 24, 8, tzinfo=UTC)),
        (Moment, "2024-01-24T08:00:00.5Z", datetime(2024, 1, 24, 8, 0, 0, 500000, tzinfo=UTC)),
        (QueryBoolean, "true", True),
        (QueryBoolean, False, False),
        (QueryInteger, "12", 12),
        (QueryInteger, 12, 12),
        (lambda: ValueList(Slug()), "a,b", ["a", "b"]),
        (lambda: ValueList(Slug()), ["a", "b"], ["a", "b"]),
    ],
)
def test_valid_values_are_loaded(field: Field, given: object, loaded: object) -> None:
    value = field().deserialize(given)
    assert value == loaded
    assert type(value) is type(loaded)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        *((Text, f"a{character}b") for character in "\0\t\n\r\x1b\x7f\x85\ud800\udfff"),
        (Text, ""),
        (Text, " \u3000"),
        (Text, 1),
        (Text, None),
        (Text, ["a"]),
        (lambda: Text(2), "abc"),
        (ExternalId, "no-namespace"),
        (ExternalId, "Ex:a"),
        (ExternalId, "ex:-a"),
        (ExternalId, "ex:a b"),
        (ExternalId, "ex:" + "a" * 198),
        (Slug, "a--b"),
        (Slug, "A"),
        (Slug, "-a"),
        (LanguageTag, "e"),
        (LanguageTag, "en_GB"),
        (Sha256, "0A" * 32),
        (Sha256, "0a" * 31),
        (UnitCode, "m s"),
        (UnitCode, "µm"),
        (Doi, "https://doi.org/10.1000/182"),
        (Doi, "10.1/x"),
        (WebAddress, "ftp://example.org/"),
        (WebAddress, "javascript:alert(1)"),
        (WebAddress, "//example.org/"),
        (WebAddress, "https:///path"),
        (WebAddress, "https://user:secret@example.org/"),
        (WebAddress, "https://user@example.org/"),
        (WebAddress, "https://example.org/深圳"),
        (WebAddress, "https://example.org/a b"),
        (WebAddress, "https://[::1/"),
        (WebAddress, "https://example.org:99999/"),
        (WebAddress, "https://example.org:http/"),
        (lambda: Term(Stance), "Asserts"),
        (lambda: Term(Stance), ""),
        (lambda: Term(Stance), ["asserts"]),
        (Uuid, "{01890a5d-ac96-774b-bcce-b302099a8057}"),
        (Uuid, UUID_TEXT.replace("-", "")),
        (Uuid, UUID_TEXT.encode()),
        (Uuid, "g" * 36),
        (Uuid, 1),
        (Edtf, "last year"),
        (Edtf, "2023-02-30"),
        (Edtf, 2023),
        (DecimalString, "1e3"),
        (DecimalString, "NaN"),
        (DecimalString, "Infinity"),
        (DecimalString, Decimal("NaN")),
        (DecimalString, Decimal("Infinity")),
        (DecimalString, Decimal("1E+999999")),
        (DecimalString, 10**100),
        (DecimalString, "+1"),
        (DecimalString, " 1"),
        (DecimalString, "1\n"),
        (DecimalString, ".5"),
        (DecimalString, "5."),
        (DecimalString, "1,000"),
        (DecimalString, "١٢"),
        (DecimalString, "9" * 31),
        (DecimalString, "0." + "9" * 21),
        (DecimalString, 0.5),
        (DecimalString, True),
        (StrictInteger, 1.0),
        (StrictInteger, 1.9),
        (StrictInteger, "12"),
        (StrictInteger, True),
        (StrictInteger, -1),
        (StrictInteger, MAX_INTEGER + 1),
        (lambda: StrictInteger(1), 0),
        (StrictBoolean, 1),
        (StrictBoolean, "true"),
        (Moment, "2024-01-24T08:00:00"),
        (Moment, "2024-01-24"),
        (Moment, "0001-01-01T00:00:00+08:00"),
        (Moment, "9999-12-31T23:59:59-08:00"),
        (Moment, "\uff12024-01-24T08:00:00Z"),
        (Moment, 1706083200),
        (QueryBoolean, "True"),
        (QueryBoolean, 1),
        (QueryInteger, "١٢"),
        (QueryInteger, "²"),
        (QueryInteger, "-1"),
        (QueryInteger, "9" * 11),
        (lambda: ValueList(Slug()), "a,,b"),
        (lambda: ValueList(Slug()), {"a": 1}),
        (lambda: ValueList(Slug()), "a," * 20_000 + "a"),
    ],
)
def test_invalid_values_are_refused(field: Field, given: object) -> None:
    with pytest.raises(ValidationError):
        field().deserialize(given)


def test_the_message_names_the_character_and_its_position() -> None:
    with pytest.raises(ValidationError, match=r"U\+0000 at position 1 is not allowed"):
        Text().deserialize("a\0b")


@given(st.text())
def test_text_is_nfc_or_refused(text: str) -> None:
    try:
        loaded = Text().deserialize(text)
    except ValidationError:
        return
    assert loaded == unicodedata.normalize("NFC", text)
    assert Text().deserialize(loaded) == loaded
    assert loaded.encode()


@given(
    st.decimals(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.text(st.sampled_from("0123456789.-eE+ ,"), max_size=60)
)
def test_a_decimal_is_exact_and_within_bounds_or_refused(number: object) -> None:
    try:
        loaded = DecimalString().deserialize(number)
    except ValidationError:
        return
    assert loaded == Decimal(number)  # type: ignore[arg-type]
    _, digits, exponent = loaded.as_tuple()
    assert isinstance(exponent, int)
    assert -20 <= exponent <= 0
    assert len(digits) <= 50
