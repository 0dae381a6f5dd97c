"""Broken, truncated and malicious files are reported clearly, without a traceback."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hksz_db.exchange.readers import annotations, claimreview, text
from hksz_db.exchange.readers.entries import Columns, ImportEntry, ImportRequest, Unreadable
from hksz_db.exchange.reading import READERS, entries, format_of
from hksz_db.services.registry import WRITERS
from schemas.sources import SourceCreateSchema

BIB = "@article{one, title = {One}, author = {Doe, Jane}, year = 2020}\n"
RIS = "TY  - JOUR\nTI  - One\nAU  - Doe, Jane\nPY  - 2020\nER  - \n"
ITEM = {"id": "one", "type": "book", "title": "One"}
UNIT = {"external_id": "test:dollar", "code": "HKD", "label": "dollar"}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Any]]:
    """``read(name, content)`` are the entries of such a file."""

    def read(name: str, content: str | bytes, **wanted):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        form = format_of(path)
        if form in {"csv", "ndjson"}:
            wanted.setdefault("resource", "units")
        return list(entries(ImportRequest(path, form, **wanted)))

    return read


def faults(entry: ImportEntry) -> str:
    return "; ".join(fault.detail for fault in entry.faults)


def deep(number: int) -> str:
    return "[" * number + "]" * number


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '[{"id": "one"', r"not JSON: .* \(line 1, column 14\)"),
        ("a.json", "", "not JSON"),
        ("a.json", "3", "not a list of items"),
        ("a.json", "null", "not a list of items"),
        ("a.json", '{"items": 3}', "not a list of items"),
        ("a.json", '[{"id": NaN}]', "NaN is not JSON"),
        ("a.json", '[{"id": 1, "id": 2}]', "has the key 'id' twice"),
        ("a.json", deep(100), "nested more than 32 deep"),
        ("a.json", deep(200_000), "nested more than 32 deep"),
        ("a.json", "[" + "1" * 5000 + "]", "too many digits"),
        ("a.json", b"\xff\xfe[\x00]\x00", "UTF-16; give --encoding utf-16"),
        ("a.json", b'[\n{"title": "caf\xe9"}]', r"Line 2 is not utf-8 \(byte 16\)"),
        ("a.bib", b"\x00\x00\xfe\xff", "UTF-32"),
        ("a.bib", "not a bibliography", "no entries of BibTeX"),
        ("a.bib", RIS, "no entries of BibTeX"),
        ("a.bib", "@comment{nothing}", "no entries of BibTeX"),
        ("a.ris", BIB, "no records of RIS"),
        ("a.ris", "\0\0\0", "no records of RIS"),
        ("a.csv", "", "no header"),
        ("a.csv", "\n\n", "no header"),
        ("a.csv", "code,label,code\n", "columns twice: code"),
        ("a.csv", 'code,"label\n1,2\n', "Line"),
        ("a.csv", b"c\xf6de,label\n", "Line 1: Character 2 is not utf-8"),
        ("a.csv", "c" * 200_000 + "\n", "Line 1: "),
    ],
)
def test_unreadable_file_is_refused(
    read: Callable[..., list[Any]], name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(Unreadable, match=message):
        read(name, content)


@pytest.mark.parametrize("name", ["a.json", "a.bib", "a.ris"])
def test_too_large_file_is_refused(
    read: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(text, "MAX_WHOLE_BYTES", 2**20)
    with pytest.raises(Unreadable, match="more than 1 MiB, and this format is read as a whole"):
        read(name, b" " * (2**20 + 1))


def test_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a.bib"
    folder.mkdir()
    with pytest.raises(Unreadable, match="directory"):
        list(entries(ImportRequest(folder, "bibtex")))


@pytest.mark.parametrize("name", ["a.bib", "a.ris", "a.ndjson"])
def test_an_empty_file_has_no_entries(read: Callable[..., list[Any]], name: str) -> None:
    assert read(name, "") == read(name, "\n\r\n \n") == []


def test_lines_after_a_broken_line_are_read(read: Callable[..., list[Any]]) -> None:
    content = "\n".join(
        [
            json.dumps(UNIT),
            '{"external_id": "test:pound", "code"',
            "[1]",
            "NaN",
            '{"code": "\\u0000", "label": "\\ud800"}',
            '{"a": ' * 40 + "1" + "}" * 40,
            '{"resource": "nothing"}',
            '{"resource": ["units"]}',
            "",
            json.dumps(UNIT | {"external_id": "test:yen"}),
        ]
    )
    found = read("a.ndjson", content)
    assert [entry.number for entry in found] == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert [entry.item is None for entry in found] == [
        *(False, True, True, True, False),
        *(True, True, True, False),
    ]
    assert "not JSON" in faults(found[1])
    assert "not an object" in faults(found[2])
    assert "32 deep" in faults(found[5])
    assert "Unknown resource" in faults(found[6])


def test_too_long_line_is_skipped(read: Callable[..., list[Any]]) -> None:
    long = '{"label": "' + "x" * 10 * 2**20 + '"}'
    other = UNIT | {"external_id": "test:pound"}
    found = read("a.ndjson", f"{json.dumps(UNIT)}\n{long}\n{json.dumps(other)}")
    assert [entry.number for entry in found] == [1, 2, 3]
    assert "more than 4194304 characters" in faults(found[1])
    assert found[2].item == other
    table = read("a.csv", f"code,label\nHKD,{'x' * 10 * 2**20}\nJPY,yen\n")
    assert [entry.number for entry in table] == [2, 3]
    assert "more than 4194304 characters" in faults(table[0])
    assert table[1].label is None


def test_line_in_another_encoding_is_reported(read: Callable[..., list[Any]]) -> None:
    first, second = json.dumps(UNIT).encode(), '{"label": "café"}'.encode("latin-1")
    third = first.replace(b"test:dollar", b"test:pound")
    found = read("a.ndjson", first + b"\n" + second + b"\n" + third)
    assert faults(found[1]) == "Character 15 is not utf-8."
    assert found[2].external_id == "test:pound"
    (only,) = read("a.ndjson", second, encoding="latin-1")
    assert only.item["label"] == "café"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "big5"]
)
def test_encoding_can_be_given(read: Callable[..., list[Any]], encoding: str) -> None:
    written = f"code,label\nHKD,{'港元' if encoding != 'latin-1' else 'dólar'}\n"
    (found,) = read("a.csv", written.encode(encoding), encoding=encoding)
    assert found.item["label"] in {"港元", "dólar"}


def test_rows_that_do_not_fit_the_header_are_reported(read: Callable[..., list[Any]]) -> None:
    table = 'code,label\nHKD,dollar,x\nJPY\n"GBP"x,pound\n\n,\nCNY,"yu\nan"\nEUR,"euro\n'
    found = read("a.csv", table)
    assert [entry.number for entry in found] == [2, 3, 4, 7, 9]
    assert faults(found[0]) == "The row has 3 cells, but the header only 2."
    assert found[1].item["code"] == "JPY"
    assert found[2].item is None
    assert found[3].item["label"] == "yu an"
    assert faults(found[4]) == "Unexpected end of data."


def test_bibtex_with_all_kinds_of_blocks(read: Callable[..., list[Any]]) -> None:
    content = (
        "% a comment, with an at sign: @ here\n"
        "@comment{jabref-meta: databaseType:bibtex;}\n"
        '@preamble{"\\newcommand{\\noopsort}[1]{}"}\n'
        '@string{press = "Lakeside {University} Press"}\n'
        "@STRING(city = {Hong Kong})\n"
        "@string{both = press # { of } # city}\n"
        '@Book{one, TITLE = "One" # " and " # {two}, publisher = press, year = 2020,\n'
        "  month = 1 # jan, note = both}\n"
        "@misc{two, title = {A {B} at @ C}, howpublished = \\url{https://example.org/a_b}}\n"
        "@misc{two, title = {Again}}\n"
        "@misc{three, title = {Three}, title = {Four}}\n"
        "@article{four, title = {Never closed, year = 2020\n"
        "@article{five, title = {Fine}}\n"
        "@book{, title = {No key}}\n"
        "@book{six title = {No comma}}\n"
        "@book{seven}\n"
        "@article{last, title = {Cut"
    )
    found = {entry.label or str(entry.number): entry for entry in read("a.bib", content)}
    one = found["one"].item
    assert one["title"] == "One and two"
    assert one["contributors"][0]["credited_name"] == "Lakeside University Press"
    assert found["two"].faults
    assert [entry.number for entry in read("a.bib", content) if entry.faults] == [10, 12, 15, 17]
    first = next(entry for entry in read("a.bib", content) if entry.label == "two")
    assert first.item["url"] == "https://example.org/a_b"
    assert found["three"].item["title"] == "Three"
    assert "given twice, only the first is kept: title" in found["three"].warnings
    assert found["five"].item["title"] == "Fine"
    assert found["seven"].item["title_supplied"] is True
    assert sum(entry.item is not None for entry in read("a.bib", content)) == 6


@pytest.mark.parametrize(
    "content",
    [
        "@misc{a, title = {" + "{" * 100_000 + "x" + "}" * 100_000 + "}}",
        "@misc{a, author = {" + "{" * 5_000 + "x" + "}" * 5_000 + "}}",
        "@misc{a, title = {" + "{" * 100_000,
        "@misc{a, title = {" + "\\textit{" * 400 + "x" + "}" * 400 + "}}",
        "@misc{a, title = {\\" + "}}",
        "@misc{a, title = {$" + "\\frac{1}{" * 300 + "}}",
        "@misc{a, author = {" + " and " * 5_000 + "}}",
        "@misc{a, author = {" + "," * 5_000 + "}}",
        "@misc{a, author = {}}}}}}{{{}, title = {x}}",
        "@misc{a, year = {" + "9" * 5_000 + "}, month = {" + "9" * 5000 + "}}",
        "@misc{a, doi = {" + "10.1/" * 5_000 + "}, url = {http://[::1}}",
        "@misc{a\0b, title = {x\0y}, author = {\0}}",
        "@string{a0 = {xxxxxxxx}}\n"
        + "\n".join(f"@string{{a{n} = a{n - 1} # a{n - 1}}}" for n in range(1, 60))
        + "\n@misc{a, title = a59}",
        "@misc{a, crossref = {a}, title = {x}}",
        "@misc{a, title = {" + "\\'" * 3000 + "}}",
        "@" * 10_000,
        "@misc{" * 3_000,
    ],
)
def test_hostile_bibtex_is_read_or_refused(read: Callable[..., list[Any]], content: str) -> None:
    try:
        for entry in read("a.bib", content):
            assert entry.item or entry.faults
    except Unreadable as error:
        assert str(error)  # noqa: PT017 - either is well


@pytest.mark.parametrize(
    "value",
    [
        *("null", "true", "3", "-1", "1e400", '"x"', '"\\u0000"', '"\\ud800"'),
        *("[]", "[null]", "[[]]", "{}", '{"a": {}}', '[{"a": 1}]', '[{"family": {}}]'),
    ],
)
@pytest.mark.parametrize(
    "name",
    [
        *("id", "type", "title", "author", "editor", "publisher", "issued", "DOI", "URL"),
        *("language", "note", "container-title", "license", "citation-key", "accessed"),
    ],
)
def test_any_value_in_any_csl_field_is_read_or_refused(
    read: Callable[..., list[Any]], name: str, value: str
) -> None:
    rest = ", ".join(f'"{key}": "{ITEM[key]}"' for key in ITEM if key != name)
    (entry,) = read("a.json", f'[{{"{name}": {value}, {rest}}}]')
    assert entry.item
    assert set(entry.item) <= set(SourceCreateSchema().fields)


@pytest.mark.parametrize(
    "issued",
    [
        {"date-parts": 3},
        {"date-parts": [3]},
        {"date-parts": [[]]},
        {"date-parts": [[None]]},
        {"date-parts": [[-44, 3, 15]]},
        {"date-parts": [[10**9]]},
        {"date-parts": [[2020], [2021], [2022]]},
        {"date-parts": [[2021], [2020]]},
        {"literal": "some time ago"},
        {"raw": "x" * 5000},
        {"season": 1},
        "in press",
    ],
)
def test_unreadable_date_is_kept_as_a_note_with_a_warning(
    read: Callable[..., list[Any]], issued: str | dict[str, Any]
) -> None:
    (entry,) = read("a.json", json.dumps([ITEM | {"issued": issued}]))
    assert "issued_edtf" not in entry.item
    assert len(entry.item.get("issued_note", "")) <= 500
    if "issued_note" in entry.item:
        assert any(warning.startswith("not a date, kept as a note") for warning in entry.warnings)


@pytest.mark.parametrize("season", ["Monsoon", {}, 7, "99999"])
def test_unknown_season_is_a_warning(read: Callable[..., list[Any]], season: Any) -> None:
    issued = {"date-parts": [["2020"]], "season": season}
    (entry,) = read("a.json", json.dumps([ITEM | {"issued": issued}]))
    assert entry.item["issued_edtf"] == "2020"
    assert any(warning.startswith("not a season") for warning in entry.warnings)


@pytest.mark.parametrize("last", [RIS[:-8], "TY  - JOUR\nPY  - 2020\n", "TY  - JOUR\nTI  - One"])
def test_truncated_ris_record_is_reported(read: Callable[..., list[Any]], last: str) -> None:
    found = read("a.ris", f"junk before\n{RIS}\njunk between\n{last}")
    assert [(entry.number, entry.item is None) for entry in found] == [(2, False), (9, True)]
    assert "cut off" in faults(found[1])


@pytest.mark.parametrize(
    "content",
    [
        "TY  - \nER  - \n",
        "TY  - XYZ\nER  -\n",
        "TY - BOOK\nTI - One space\nER -\n",
        "TY  - JOUR\ncontinued\nTI  - One\n  more\n\n   \nER  - ",
        "TY  - JOUR\rTI  - Old line ends\rER  - \r",
        "TY  - JOUR\nAU  - ,\nAU  - ;;;\nAU  - \0\nDA  - ////\nPY  - x\nUR  - \nDO  - \nER  - \n",
        "TY  - JOUR\n" + "AU  - A, B\n" * 3000 + "ER  - \n",
        "TY  - JOUR\n" + "".join(f"AU  - Doe, {n}\n" for n in range(300)) + "ER  - \n",
        "TY  - JOUR\nTI  - " + "x" * 10**6 + "\nER  - \n",
        "TY  - JOUR\nXX  - unknown\nUK  - known\nER  - \n",
        "TY  - JOUR\nTY  - JOUR\nER  - \nER  - \n",
    ],
)
def test_hostile_ris_is_read_or_refused(read: Callable[..., list[Any]], content: str) -> None:
    for entry in read("a.ris", content):
        assert entry.item or entry.faults


def test_repeated_id_is_reported(read: Callable[..., list[Any]]) -> None:
    found = read("a.json", json.dumps([ITEM, ITEM | {"title": "Two"}]))
    assert found[0].item["title"] == "One"
    assert faults(found[1]) == "The file has zotero:one twice, first at entry 1."
    found = read("a.ris", RIS.replace("TI", "ID  - 1\nTI") * 2)
    assert [entry.item is None for entry in found] == [False, True]
    found = read("a.ndjson", f"{json.dumps(UNIT)}\n{json.dumps(UNIT)}\n")
    assert faults(found[1]) == "The file has test:dollar twice, first at line 1."
    other = json.dumps({"resource": "metrics", "external_id": "test:dollar"})
    found = read("a.ndjson", f"{json.dumps(UNIT)}\n{other}\n")
    assert [entry.item is None for entry in found] == [False, False]


def test_suffix_determines_the_format(tmp_path: Path) -> None:
    for reader in READERS.values():
        for suffix in reader.suffixes:
            assert format_of(tmp_path / f"A.B{suffix.upper()}") == reader.name


def test_only_tables_have_columns(read: Callable[..., list[Any]]) -> None:
    with pytest.raises(Unreadable, match="no columns"):
        read("a.bib", BIB, columns=Columns(delimiter=";"))


_MEMBERS = (
    *("@context", "@graph", "@id", "@type", "@value", "@list", "id", "type", "url", "name"),
    *("claimReviewed", "itemReviewed", "reviewRating", "ratingValue", "bestRating", "worstRating"),
    *("alternateName", "author", "publisher", "appearance", "firstAppearance", "datePublished"),
    *("dataFeedElement", "item", "claims", "text", "claimReview", "inLanguage", "textualRating"),
    *("rows", "annotations", "items", "first", "target", "source", "selector", "exact", "prefix"),
    *("start", "end", "body", "value", "purpose", "tags", "uri", "document", "title", "refinedBy"),
    *("exact_sha256", "references", "schema:url", "https://schema.org/claimReviewed"),
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [
            *("", " ", "False", "ClaimReview", "Claim", "DataFeed", "Annotation", "TextualBody"),
            *("TextQuoteSelector", "TextPositionSelector", "FragmentSelector", "page=", "tagging"),
            *("https://a.example/x", "http://[::1", "urn:uuid:x", "#a", "_:b", "claim:", "stance:"),
            *(
                "claim:a:one",
                "2024-13-45",
                "\x00",
                "\ud800",
                "\u0301",
                "錯誤",
                "x" * 5000,
                "9" * 400,
            ),
        ]
    ),
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_MEMBERS), inner, max_size=6)
    ),
    max_leaves=30,
)
_NESTED = st.dictionaries(st.sampled_from(_MEMBERS), _JSON, min_size=1, max_size=12)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_NESTED, st.sampled_from(["ClaimReview", "Annotation", "DataFeed", None]))
def test_any_linked_data_is_read_or_refused(members: dict[str, Any], kind: str | None) -> None:
    content = json.dumps([{**members, **({"@type": kind} if kind else {})}])
    try:
        found = [
            *claimreview.read(content, "claimreview"),
            *annotations.read(content, "web-annotation", {"claim_external_id": "a:one"}),
        ]
    except Unreadable as error:
        assert str(error)  # noqa: PT017 - either is well
        return
    for entry in found:
        assert entry.item or entry.faults
        assert entry.place.startswith("record ")
        assert all((fault.pointer or "").startswith("#/0") for fault in entry.faults)
        if entry.item:
            schema = WRITERS[entry.resource].create_schema()
            assert set(entry.item) <= set(schema.fields)
