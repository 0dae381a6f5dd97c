"""Works, and the sources that they become."""

import re
from typing import Any

import pytest

from hksz_db.domain.vocabulary import EXTERNAL_ID_PATTERN, ContributorRole
from hksz_db.exchange.bodies import objects
from hksz_db.exchange.readers.names import organisation, person
from hksz_db.exchange.readers.works import Credit, Work, entry
from schemas.sources import SourceCreateSchema

AUTHOR = Credit(ContributorRole.AUTHOR, person("Doe", "Jane"))


def item(**fields: Any) -> Any:
    made: Any = entry(Work(**{"title": "One", **fields}), 1, "desk").item
    assert made
    SourceCreateSchema().load(made)
    return made


def name(**fields: Any) -> str:
    found: str = item(**fields)["external_id"]
    assert re.fullmatch(EXTERNAL_ID_PATTERN, found)
    return found


@pytest.mark.parametrize(
    ("id", "external_id"),
    [
        ("http://zotero.org/users/123/items/AB3DEF7H", "desk:AB3DEF7H"),
        ("http://zotero.org/users/local/n4mXQLya/items/AB3DEF7H", "desk:AB3DEF7H"),
        ("https://zotero.org/groups/99/items/AB3DEF7H", "desk:AB3DEF7H"),
        ("123/AB3DEF7H", "desk:AB3DEF7H"),
        ("smith2020", "desk:smith2020"),
        ("DBLP:conf/pods/Doe20", "desk:DBLP~3Aconf/pods/Doe20"),
        ("o'neil+2020", "desk:o~27neil~2B2020"),
        ("müller2020", "desk:m~C3~BCller2020"),
        ("a~3Ab", "desk:a~7E3Ab"),
        ("12", "desk:12"),
    ],
)
def test_external_id_is_the_id_of_the_work(id: str, external_id: str) -> None:
    assert name(id=id) == external_id


@pytest.mark.parametrize("id", ["_2020", "x" * 300, "张伟2020", "\ud800", "\0"])
def test_unsuitable_id_is_hashed(id: str) -> None:
    assert name(id=id).startswith("desk:id-")
    assert name(id=id) == name(id=f" {id} ", title="Two")


def test_external_id_without_an_id_follows_from_doi_or_content() -> None:
    assert name(doi="10.5555/A") == name(doi="https://doi.org/10.5555/a", title="Two")
    known: dict[str, Any] = {"issued": "2020", "credits": [AUTHOR]}
    assert name(**known) == name(**known, title=" ONE ")
    others = [
        name(),
        name(issued="2020"),
        name(issued="2021"),
        name(credits=[AUTHOR]),
        name(title="Two"),
        name(title="", url="https://example.org/a"),
        name(title="", url="https://example.org/b"),
    ]
    assert len({name(**known), *others}) == 8


@pytest.mark.parametrize(
    "written",
    [
        "10.5555/ABC.1",
        " doi:10.5555/abc.1",
        "DOI: 10.5555/abc.1",
        "DOI 10.5555/abc.1",
        "https://doi.org/10.5555/abc.1",
        "http://dx.doi.org/10.5555/abc.1",
    ],
)
def test_doi_is_normalised(written: str) -> None:
    assert item(doi=written)["doi"] == "10.5555/abc.1"


def test_doi_is_found_in_note_and_url() -> None:
    assert item(note="Remark\nDOI: 10.5555/a\nmore")["doi"] == "10.5555/a"
    assert item(url="https://doi.org/10.5555/a%2Fb")["doi"] == "10.5555/a/b"
    assert item(doi="10.5555/a&lt;1")["doi"] == "10.5555/a<1"
    bad = entry(Work(title="One", doi="none"), 1, "desk")
    assert bad.item
    assert "doi" not in bad.item
    assert bad.warnings == ("not a DOI: none",)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("https://example.org/?a=b&amp;c=d", "https://example.org/?a=b&c=d"),
        ("https://example.org/服務/a b", "https://example.org/%E6%9C%8D%E5%8B%99/a%20b"),
        ("https://example.org/%E6%9C", "https://example.org/%E6%9C"),
        ("https://香港.example/", "https://xn--j6w193g.example/"),
        ("ftp://example.org/a", None),
        ("file:///home/reader/a.pdf", None),
        ("https://user:secret@example.org/", None),
        ("https://[::1", None),
        ("example.org", None),
        ("\ud800", None),
    ],
)
def test_only_web_addresses_are_kept(written: str, url: str | None) -> None:
    made = entry(Work(title="One", url=written), 1, "desk")
    assert made.item
    assert made.item.get("url") == url
    assert made.warnings == (() if url else (f"not a web address: {written}",))


def test_markup_of_titles_is_removed() -> None:
    title = "<i>Panthera</i> &amp; H<sub>2</sub>O: a < b\n <span class='nocase'>x</span>"
    assert item(title=title)["title"] == "Panthera & H2O: a < b x"


def test_unkept_values_are_warnings() -> None:
    work = Work(title="One", language="Klingon", unkept=["volume", "page", "volume"])
    work.note = "A remark"
    work.credits = [AUTHOR, AUTHOR, Credit(ContributorRole.EDITOR, organisation("x" * 400))]
    made = entry(work, 1, "desk")
    assert made.warnings == (
        "not kept: volume, page, note",
        "credited twice: Jane Doe (author)",
        f"too long for a name: {'x' * 40}…",
        "not a language: Klingon",
    )
    assert made.item
    assert len(objects(made.item["contributors"])) == len(made.entities) == 1


def test_the_first_hundred_contributors_are_kept() -> None:
    everybody = [Credit(ContributorRole.AUTHOR, person("Doe", str(n))) for n in range(120)]
    made = entry(Work(title="One", credits=everybody), 1, "desk")
    assert made.item
    assert len(objects(made.item["contributors"])) == 100
    assert made.warnings == ("only the first 100 contributors are kept",)


def test_works_with_the_same_title_and_other_urls_are_distinct() -> None:
    names = {
        name(title="Annual report", url=url)
        for url in ("https://a.example/2021", "https://b.example/2022", "https://a.example/2021")
    }
    assert len(names) == 2
