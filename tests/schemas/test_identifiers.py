"""Identifiers in external registers: their canonical forms, and invalid ones."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hksz_db.domain.vocabulary import IdentifierScheme
from schemas.identifiers import InvalidIdentifier, canonical

CHECKED = {
    "orcid": ["0000-0002-1825-0097", "0000-0002-1694-233X"],
    "isni": ["0000000121032683", "000000012146438X"],
    "lei": ["5493001KJTIIGC8Y1R12", "HWUPKR0MPOU8FGXBT394", "7H6GLXDRUGQFU57RNE97"],
}
SAMPLES = CHECKED | {
    "wikidata": ["Q1", "Q8646"],
    "ror": ["02zhqgq86", "05dxps055"],
    "viaf": ["97006051"],
    "geonames": ["1819730"],
}


def test_every_scheme_has_a_canonical_form() -> None:
    assert set(SAMPLES) == set(IdentifierScheme)
    for scheme, values in SAMPLES.items():
        for value in values:
            assert canonical(IdentifierScheme(scheme), value) == value


@pytest.mark.parametrize(
    ("scheme", "value", "form"),
    [
        ("wikidata", "q8646", "Q8646"),
        ("wikidata", " Q8646 ", "Q8646"),
        ("ror", "https://ror.org/02zhqgq86", "02zhqgq86"),
        ("ror", "02ZHQGQ86", "02zhqgq86"),
        ("orcid", "https://orcid.org/0000-0002-1694-233x", "0000-0002-1694-233X"),
        ("orcid", "http://orcid.org/0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("isni", "0000 0001 2146 438x", "000000012146438X"),
        ("lei", "5493001kjtiigc8y1r12", "5493001KJTIIGC8Y1R12"),
    ],
)
def test_other_spellings_are_converted(scheme: str, value: str, form: str) -> None:
    assert canonical(IdentifierScheme(scheme), value) == form


@pytest.mark.parametrize(
    ("scheme", "value", "detail"),
    [
        ("wikidata", "Q0", "such as Q8646"),
        ("wikidata", "Q01", "such as Q8646"),
        ("wikidata", "P31", "such as Q8646"),
        ("wikidata", "Q\uff11", "such as Q8646"),
        ("ror", "12zhqgq86", "such as 02zhqgq86"),
        ("ror", "02zhqgi86", "such as 02zhqgq86"),
        ("ror", "https://orcid.org/02zhqgq86", "such as 02zhqgq86"),
        ("orcid", "0000000218250097", "four groups"),
        ("orcid", "0000-0002-1825-009X", "check digits"),
        ("orcid", "X000-0002-1825-0097", "four groups"),
        ("isni", "0000-0001-2103-2683", "16 digits"),
        ("isni", "0000000121032684", "check digits"),
        ("viaf", "0", "a number"),
        ("viaf", "٣", "a number"),
        ("geonames", "HK", "a number"),
        ("geonames", "1819730\n1", "a number"),
        ("lei", "5493001KJTIIGC8Y1R13", "check digits"),
        ("lei", "5493001KJTIIGC8Y1R1", "18 letters"),
    ],
)
def test_invalid_identifiers_are_refused(scheme: str, value: str, detail: str) -> None:
    with pytest.raises(InvalidIdentifier, match=detail):
        canonical(IdentifierScheme(scheme), value)


@given(st.sampled_from([(s, v) for s, found in CHECKED.items() for v in found]), st.data())
def test_a_single_wrong_digit_is_detected(sample: tuple[str, str], data: st.DataObject) -> None:
    scheme, value = sample
    place = data.draw(st.integers(0, len(value) - 1))
    # MOD 97-10 does not detect every digit in place of a letter, which counts as two digits.
    assume(value[place].isdigit())
    wrong = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != value[place]))
    with pytest.raises(InvalidIdentifier):
        canonical(IdentifierScheme(scheme), value[:place] + wrong + value[place + 1 :])


@given(st.sampled_from(IdentifierScheme), st.text(max_size=200))
def test_any_text_is_canonicalised_or_refused(scheme: IdentifierScheme, value: str) -> None:
    try:
        form = canonical(scheme, value)
    except InvalidIdentifier:
        return
    assert canonical(scheme, form) == form
