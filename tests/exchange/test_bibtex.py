"""BibTeX: what a parser makes of it."""

import json

import pytest
from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares import LatexDecodingMiddleware

from hksz_db.exchange.bibtex import escaped


def _entries(data):
    library = parse_string(
        data.decode(), append_middleware=[LatexDecodingMiddleware(keep_math_mode=False)]
    )
    assert not library.failed_blocks
    return {entry.key: entry for entry in library.entries}


def _source(**changed):
    names = ("external_id", "container_title", "publisher_place", "url", "doi", "language")
    return {
        **dict.fromkeys((*names, "rights", "retracted_at")),
        "id": "0199c3a0-0000-7000-8000-000000000000",
        "csl_type": "report",
        "title": "A report",
        "issued": {"edtf": None},
        "contributors": [],
        "captures": [],
        **changed,
    }


def _entry(written, **changed):
    (entry,) = _entries(written("sources", "bibtex", [_source(**changed)])).values()
    return entry


def _made(role, name, kind="person"):
    return {"role": role, "credited_name": None, "entity": {"name": name, "kind": kind}}


def test_every_source_is_an_entry(exported, documents):
    entries = _entries(exported("sources", "bibtex"))
    for source in documents("sources"):
        fields = entries[source["external_id"]].fields_dict
        # What TeX makes of an apostrophe is a curly one.
        assert fields["title"].value.replace("\u2019", "'") == source["title"]
        assert fields["language"].value == source["language"]
        if source["url"]:
            assert fields["url"].value == source["url"]
        years = fields["year"].value
        assert years == source["issued"]["edtf"][:4]


@pytest.mark.parametrize(
    "text",
    [
        r"50% & $5, #1, a_b",
        r"a \ b",
        "unbalanced { brace",
        "un}balanced",
        r"\LaTeX{} \input{x}",
        "a ~ b",
        "深圳 é ß",
        'a "quoted" word',
        "@article{x, y}",
        "a, b = {c}",
        "a -- b",
        "$x$ and $y$",
    ],
)
def test_a_title_comes_back_as_it_went(text, written):
    assert _entry(written, title=text).fields_dict["title"].value == text


def test_a_text_is_one_line():
    assert escaped("a\n  b\tc") == "a b c"


def test_a_name_is_taken_as_a_whole_unless_it_says_how(written):
    made = [
        _made("author", "Tan Yifan"),
        _made("author", "Smith, Anne"),
        _made("author", "Smith and Sons", "organisation"),
        _made("publisher", "Black and White", "organisation"),
    ]
    data = written("sources", "bibtex", [_source(contributors=made)])
    assert b"author = {{Tan Yifan} and Smith, Anne and {Smith and Sons}}" in data
    assert b"institution = {{Black and White}}" in data


@pytest.mark.parametrize(
    ("csl_type", "kind", "container"),
    [
        ("article-newspaper", "article", "journal"),
        ("chapter", "incollection", "booktitle"),
        ("paper-conference", "inproceedings", "booktitle"),
        ("report", "techreport", "howpublished"),
        ("webpage", "misc", "howpublished"),
    ],
)
def test_types_are_those_of_bibtex(csl_type, kind, container, written):
    entry = _entry(written, csl_type=csl_type, container_title="Where it stands")
    assert entry.entry_type == kind
    assert entry.fields_dict[container].value == "Where it stands"


@pytest.mark.parametrize(
    ("edtf", "year", "month"),
    [("2024", "2024", None), ("2024-09", "2024", "sep"), ("2022-12-28/2023-11-30", "2022", None)],
)
def test_dates_are_a_year_and_a_month(edtf, year, month, written):
    fields = _entry(written, issued={"edtf": edtf}).fields_dict
    assert fields["year"].value == year
    assert (fields["month"].value if "month" in fields else None) == month
    assert fields["date"].value == edtf


@pytest.mark.parametrize("edtf", [None, "[2023..2025]"])
def test_what_is_no_date_of_bibtex_is_left_out(edtf, written):
    assert not {"year", "month", "date"} & set(_entry(written, issued={"edtf": edtf}).fields_dict)


@pytest.mark.parametrize("name", ["ex:a.b_c~d/e-f", "ex:a"])
def test_a_key_is_one_of_bibtex(name, written):
    assert _entry(written, external_id=name).key == name.replace("~", "+")


def test_an_address_keeps_its_braces_to_itself(written):
    data = written("sources", "bibtex", [_source(url="https://example.org/{a?b=c%20d&e=_f#g")])
    # An address is no TeX: it is not decoded.
    (entry,) = parse_string(data.decode()).entries
    assert entry.fields_dict["url"].value == "https://example.org/%7Ba?b=c%20d&e=_f#g"


def test_entries_are_those_that_csl_has(exported):
    items = json.loads(exported("sources", "csl-json"))
    assert set(_entries(exported("sources", "bibtex"))) == {item["id"] for item in items}


def test_the_place_of_the_publisher_is_its_address(written):
    assert _entry(written, publisher_place="Hong Kong").fields_dict["address"].value == "Hong Kong"
