"""The same ten works, as Zotero and Better BibTeX export them."""

from pathlib import Path
from typing import Any

import pytest

from hksz_db.exchange.readers.entries import ImportRequest
from hksz_db.exchange.reading import entries, format_of
from schemas.sources import SourceCreateSchema

FILES = Path(__file__).parent.parent / "files"
EXPORTS = ("zotero.json", "zotero.bib", "better_bibtex.bib", "zotero.ris")


def read(name: str) -> list:
    path = FILES / name
    return list(entries(ImportRequest(path, format_of(path), namespace="desk")))


def items(name: str) -> list[dict[str, Any]]:
    return [entry.item for entry in read(name)]


def made_by(item: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [
        (made["role"], made["credited_name"], made["credited_as"])
        for made in item.get("contributors", [])
    ]


@pytest.mark.parametrize("name", EXPORTS)
def test_every_entry_is_a_valid_source_with_a_distinct_external_id(name: str) -> None:
    found = read(name)
    assert len({entry.external_id for entry in found}) == 10
    for entry in found:
        assert entry.faults == ()
        assert SourceCreateSchema().load(entry.item)
        named = {made["entity_external_id"] for made in entry.item.get("contributors", [])}
        assert named == {entity["external_id"] for entity in entry.entities}


@pytest.mark.parametrize("name", EXPORTS)
def test_formats_agree(name: str) -> None:
    article, news, page, plan, book, chapter, paper, thesis, film, law = items(name)
    assert article["title"].lower() == (
        "laboratories on both banks: cross-boundary innovation in the greater bay area"
    )
    assert article["container_title"] == "Regional Studies & Policy"
    assert article["doi"] == "10.5555/rsp.2021.0042"
    assert article["issued_edtf"] == "2021-03"
    assert article["language"] == "en-GB"
    assert made_by(article) == [
        ("author", "Müller, Jörg", None),
        ("author", "肖, 发民", None),
        ("author", "de la Fontaine, Jean", None),
    ]
    assert news["url"] == "https://www.example.com/business/lab-space?id=7&page=1"
    assert page["title_supplied"]
    assert page["title"] == "[Untitled webpage, Department of Entry Permits, www.example.gov.hk]"
    assert page["url"] == "https://www.example.gov.hk/%E6%9C%8D%E5%8B%99/talent.html"
    assert "issued_edtf" not in page
    assert made_by(page) == [("author", "Department of Entry Permits", None)]
    assert plan["title"] == "河套地区发展规划"
    assert [work.get("publisher_place") for work in (plan, book, chapter)] == [
        "深圳",
        "Chicago",
        "Bogotá",
    ]
    assert made_by(plan) == [
        ("author", "深圳市规划研究院", None),
        ("publisher", "深圳市规划研究院", None),
    ]
    assert book["issued_edtf"].startswith("2017")
    assert made_by(book) == [
        ("editor", "O'Malley, Máire", None),
        ("editor", "Wong, Winnie Wing-sze, Jr.", None),
        ("translator", "Nguyễn, Thị Lan", None),
        ("publisher", "Lakeside University Press", None),
    ]
    assert chapter["title"] == "El río Shenzhen: ¿frontera o puente?"
    assert chapter["container_title"] == "Fronteras y ríos"
    assert made_by(chapter)[:2] == [
        ("author", "García Núñez, José", None),
        ("editor", "Čech, Zdeněk", None),
    ]
    assert paper["container_title"] == "Proceedings of the Conference on Delta Cities"
    assert thesis["issued_edtf"] == "2018-21"
    assert made_by(thesis)[1] == ("publisher", "University of the Delta", None)
    assert made_by(film)[0][1] == "Ho, Siu-ming"
    assert law["title"] == "Entry Permits (Amendment) Ordinance"
    assert made_by(law) == []


@pytest.mark.parametrize(
    ("name", "types", "dates"),
    [
        (
            "zotero.json",
            ["article-newspaper", "legislation", "motion_picture"],
            ["2023-09-07", "2017~", "2019-10-30/2019-11-01", "2020-05-12"],
        ),
        (
            "better_bibtex.bib",
            ["article-newspaper", "legislation", "motion_picture"],
            ["2023-09-07", "2017~", "2019-10-30/2019-11-01", "2020-05-12"],
        ),
        (
            # The BibTeX of Zotero has no types for newspapers, laws and films, and no days.
            "zotero.bib",
            ["article-journal", "webpage", "webpage"],
            ["2023-09", "2017", "2019-10", "2020-05"],
        ),
        (
            "zotero.ris",
            ["article-newspaper", "legislation", "motion_picture"],
            ["2023-09-07", "2017", "2019-10-30", "2020-05-12"],
        ),
    ],
)
def test_types_and_dates_are_as_precise_as_the_format(
    name: str, types: list[str], dates: list[str]
) -> None:
    _, news, page, plan, book, chapter, paper, thesis, film, law = found = items(name)
    assert [news["csl_type"], law["csl_type"], film["csl_type"]] == types
    assert [item["csl_type"] for item in (found[0], page, plan, book, chapter, paper, thesis)] == [
        *("article-journal", "webpage", "report", "book", "chapter"),
        *("paper-conference", "thesis"),
    ]
    assert [item["issued_edtf"] for item in (news, book, paper, film)] == dates


def test_contributors_are_the_same_in_every_format() -> None:
    found = [
        {
            made["entity_external_id"]
            for item in items(name)
            for made in item.get("contributors", [])
        }
        for name in EXPORTS
    ]
    assert found[0] == found[1] == found[2] == found[3]
    assert len(found[0]) == 20


def test_director_is_an_author_credited_as_director() -> None:
    for name in ("zotero.json", "better_bibtex.bib"):
        assert made_by(items(name)[8])[0] == ("author", "Ho, Siu-ming", "director")


@pytest.mark.parametrize(
    ("name", "place", "unkept"),
    [
        ("zotero.json", "entry 1 (http://zotero.org/users/local/n4mXQLya/items/AB3DEF7H)", "ISSN"),
        ("zotero.bib", "line 2 (muller_laboratories_2021)", "abstract"),
        ("better_bibtex.bib", "line 1 (mullerLaboratoriesBothBanks2021)", "urldate"),
        ("zotero.ris", "line 1", "VL"),
    ],
)
def test_unkept_fields_are_reported_with_their_place(name: str, place: str, unkept: str) -> None:
    first = read(name)[0]
    assert first.place == place
    (warning,) = first.warnings
    assert warning.startswith("not kept: ")
    assert unkept in warning


def test_rights_are_kept() -> None:
    assert items("zotero.bib")[9]["rights"] == "Open licence 1.0"
