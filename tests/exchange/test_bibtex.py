"""BibTeX, read by a parser."""

import json
from typing import Any

import pytest
from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares import LatexDecodingMiddleware
from bibtexparser.model import Entry

from hksz_db.exchange.bodies import objects
from hksz_db.exchange.citations import escaped
from hksz_db.exchange.readers.bibtex import read
from tests.exchange.conftest import Documents, Exported, Write


def _entries(data: bytes) -> dict[str, Any]:
    library = parse_string(
        data.decode(), append_middleware=[LatexDecodingMiddleware(keep_math_mode=False)]
    )
    assert not library.failed_blocks
    return {entry.key: entry for entry in library.entries}


def _source(**changed: Any) -> dict[str, Any]:
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


def _entry(written: Write, **changed: Any) -> Entry:
    (entry,) = _entries(written("sources", "bibtex", [_source(**changed)])).values()
    return entry


def _made(role: str, name: str, kind: str = "person") -> dict[str, Any]:
    return {"role": role, "credited_name": None, "entity": {"name": name, "kind": kind}}


def test_every_source_is_an_entry(exported: Exported, documents: Documents) -> None:
    entries = _entries(exported("sources", "bibtex"))
    for source in documents("sources"):
        fields = entries[source["external_id"]].fields_dict
        # TeX makes a curly apostrophe.
        assert fields["title"].value.replace("\u2019", "'") == source["title"]
        assert fields["language"].value == source["language"]
        if source["url"]:
            assert fields["url"].value == source["url"]
        if source["issued"]["edtf"]:
            assert fields["year"].value == source["issued"]["edtf"][:4]
        else:
            assert "year" not in fields


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
def test_title_survives_a_round_trip(text: str, written: Write) -> None:
    assert _entry(written, title=text).fields_dict["title"].value == text


def test_text_is_put_on_one_line() -> None:
    assert escaped("a\n  b\tc") == "a b c"


def test_only_names_with_a_comma_are_split(written: Write) -> None:
    made = [
        _made("author", "Tan Yifan"),
        _made("author", "Smith, Anne"),
        _made("author", "Smith and Sons", "organisation"),
        _made("publisher", "Black and White", "organisation"),
        _made("publisher", "Smith, Anne"),
    ]
    data = written("sources", "bibtex", [_source(contributors=made)])
    assert b"author = {{Tan Yifan} and Smith, Anne and {Smith and Sons}}" in data
    assert b"institution = {{Black and White} and {Smith, Anne}}" in data
    (found,) = read(data.decode(), "bibtex")
    assert found.item is not None
    assert [
        (each["role"], each["credited_name"]) for each in objects(found.item["contributors"])
    ] == [(each["role"], each["entity"]["name"]) for each in made]


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
def test_csl_type_is_mapped_to_entry_type_and_container(
    csl_type: str, kind: str, container: str, written: Write
) -> None:
    entry = _entry(written, csl_type=csl_type, container_title="Where it stands")
    assert entry.entry_type == kind
    assert entry.fields_dict[container].value == "Where it stands"


@pytest.mark.parametrize(
    ("edtf", "year", "month"),
    [("2024", "2024", None), ("2024-09", "2024", "sep"), ("2022-12-28/2023-11-30", "2022", None)],
)
def test_date_has_year_and_month(edtf: str, year: str, month: str | None, written: Write) -> None:
    fields = _entry(written, issued={"edtf": edtf}).fields_dict
    assert fields["year"].value == year
    assert (fields["month"].value if "month" in fields else None) == month
    assert fields["date"].value == edtf


@pytest.mark.parametrize("edtf", [None, "[2023..2025]"])
def test_date_that_bibtex_lacks_is_left_out(edtf: str | None, written: Write) -> None:
    assert not {"year", "month", "date"} & set(_entry(written, issued={"edtf": edtf}).fields_dict)


@pytest.mark.parametrize("name", ["ex:a.b_c~d/e-f", "ex:a"])
def test_key_has_only_valid_characters(name: str, written: Write) -> None:
    assert _entry(written, external_id=name).key == name.replace("~", "+")


def test_braces_in_urls_are_escaped(written: Write) -> None:
    data = written("sources", "bibtex", [_source(url="https://example.org/{a?b=c%20d&e=_f#g")])
    # URLs are not TeX, so the parser must not decode them.
    (entry,) = parse_string(data.decode()).entries
    assert entry.fields_dict["url"].value == "https://example.org/%7Ba?b=c%20d&e=_f#g"


def test_keys_are_the_ids_of_csl_json(exported: Exported) -> None:
    items = json.loads(exported("sources", "csl-json"))
    assert set(_entries(exported("sources", "bibtex"))) == {item["id"] for item in items}


def test_publisher_place_is_the_address(written: Write) -> None:
    assert _entry(written, publisher_place="Hong Kong").fields_dict["address"].value == "Hong Kong"


@pytest.mark.parametrize("form", ["csl-json", "bibtex"])
@pytest.mark.parametrize(
    "asked",
    [
        {"q": "Hong Kong"},
        {"sort": "-corroboration__origins,-id", "modality": "actual"},
        {"sort": "time", "evidence__stance": "disputes"},
    ],
)
def test_claims_are_written_as_their_sources(
    form: str, asked: dict[str, str], exported: Exported
) -> None:
    claims = map(json.loads, exported("claims", "ndjson", *asked.items()).splitlines())
    expected = dict[str, None]()
    for claim in claims:
        # Sources of one claim are in the order of their ids.
        sources = sorted(claim["sources"], key=lambda each: each["id"])
        expected |= dict.fromkeys(f"{each['external_id']}" for each in sources)
    data = exported("claims", form, *asked.items())
    items = json.loads(data) if form == "csl-json" else parse_string(data.decode()).entries
    assert [each["id"] if form == "csl-json" else each.key for each in items] == [*expected]
    assert expected
