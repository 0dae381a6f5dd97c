"""The terms of a search."""

import pytest

from hksz_db.domain.search_terms import search_terms, terms_of_beginning

QIANHAI = "('前') <-> ('海')"
HETAO = "('河') <-> ('套')"
BOTH = [QIANHAI, HETAO]
EITHER = [QIANHAI, None, HETAO]


@pytest.mark.parametrize(
    ("q", "terms"),
    [
        ("前海|河套", EITHER),
        ("前海 | 河套", EITHER),
        ("前海\uff5c河套", EITHER),
        ("前海 \uff2f\uff32 河套", EITHER),
        ("前海&河套", BOTH),
        ("前海\uff06河套", BOTH),
        ("前海\uff0c河套", BOTH),
        ("前海、河套。", BOTH),
        ("「前海」\uff08河套\uff09", BOTH),
        ("《前海》河套", BOTH),
        ("(前海)河套", BOTH),
        ("前海-河套", BOTH),
        ("前海--河套", BOTH),
        ('前海-"河套"', BOTH),
        ("前海_河套", BOTH),
        ("前海 -河套", [QIANHAI, f"!{HETAO}"]),
        ("前海、-河套", [QIANHAI, f"!{HETAO}"]),
        ("前海 --河套", [QIANHAI, f"!{HETAO}"]),
        ("前海 \uff0d河套", [QIANHAI, f"!{HETAO}"]),
        ('"前海|河套"', [f"{QIANHAI} <-> {HETAO}"]),
        ("“前海、河套”", [f"{QIANHAI} <-> {HETAO}"]),
        ("「前海 河套」", [f"{QIANHAI} <-> {HETAO}"]),
        ("\uff02前海 河套\uff02", [f"{QIANHAI} <-> {HETAO}"]),
        ("前海R&D", [f"{QIANHAI} <-> ('R&D')"]),
        ("前海&R&D", [QIANHAI, "('R&D')"]),
        ("AT&T", ["('AT&T')"]),
        ("-AT&T", ["!('AT&T')"]),
        ("tea & milk", ["('tea')", "('milk')"]),
        ("前海 AND 河套", BOTH),
        ("前海 NOT 河套", [QIANHAI, f"!{HETAO}"]),
        ("前海 OR NOT 河套", [QIANHAI, None, f"!{HETAO}"]),
        ('NOT -"tea" NOT', ["!('tea')", "('NOT')"]),
        ("tea and not milk", ["('tea')", "('and')", "('not')", "('milk')"]),
        ('"AND" NOTHING', ["('AND')", "('NOTHING')"]),
        ("tea|milk", ["('tea')", None, "('milk')"]),
        ("Kong/Shenzhen", ["('Kong')", "('Shenzhen')"]),
        ("Shenzhen-Hong Kong", ["('Shenzhen') <-> ('Hong')", "('Kong')"]),
        ("-COVID-19", ["!('COVID') <-> ('19')"]),
        ("5.0%", ["('5.0%')"]),
        ("Tan's", ["('Tan''s' | 'Tan')"]),
        ("'s", ["('''s')"]),
        ("tea NOT OR milk", ["('tea')", "('NOT')", None, "('milk')"]),
        ("４７，０００", ["('47,000' | '47000')"]),  # noqa: RUF001
        ("1,200", ["('1,200' | '1200')"]),
        ("HK$1200.50", ["('HK$1200.50' | 'HK$1,200.50')"]),
        ("12,34 0012345 3.14159", ["('12,34')", "('0012345')", "('3.14159')"]),
        ("2023年", ["('2023' | '2,023') <-> ('年')"]),
        ("eff\u00adi\u200bcient", ["('efficient')"]),
        ("& - ! 、", []),
    ],
)
def test_terms_are_words_phrases_exclusions_and_alternatives(
    q: str, terms: list[str | None]
) -> None:
    assert search_terms(q) == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("hong ko", ["('hong')", "('ko':*)"]),
        ("Hong-Ko ", ["('Hong') <-> ('Ko':*)"]),
        ("前海 Au", [QIANHAI, "('Au':*)"]),
        ("前海", ["('前') <-> ('海':*)"]),
        ('-tea OR "green mi" !', ["('tea')", "('OR')", "('green')", "('mi':*)"]),
        ("2023", ["('2023':* | '2,023':*)"]),
        ("- !", []),
    ],
)
def test_the_last_word_of_a_beginning_is_the_beginning_of_a_word(
    text: str, terms: list[str]
) -> None:
    assert terms_of_beginning(text) == terms
