"""CSL-JSON that Zotero does not write."""

import json
from typing import Any

import pytest

from hksz_db.exchange.readers.csl import read


def entry(**fields: Any) -> Any:
    item = {"id": "one", "type": "book", "title": "One", **fields}
    (found,) = read(json.dumps(item), "desk")
    return found


@pytest.mark.parametrize(
    ("issued", "edtf"),
    [
        ({"date-parts": [["2021", 3, 5]]}, "2021-03-05"),
        ({"date-parts": [["2021", "3"]]}, "2021-03"),
        ({"date-parts": [[2021.0, 3]]}, "2021-03"),
        ({"date-parts": [[]]}, None),
        ({"date-parts": []}, None),
        ({"date-parts": [[2014, 12, 31], [2015, 1, 1]]}, "2014-12-31/2015-01-01"),
        ({"date-parts": [[2014, 12, 31], [0]]}, "2014-12-31/"),
        ({"date-parts": [[2017, 15], [2017, 16]]}, "2017-23/2017-24"),
        ({"date-parts": [[2018]], "season": "Spring"}, "2018-21"),
        ({"date-parts": [[2018]], "season": 4}, "2018-24"),
        ({"date-parts": [["2018"]], "season": "2"}, "2018-22"),
        ({"date-parts": [[2017]], "circa": True}, "2017~"),
        ({"date-parts": [[2017], [2018]], "circa": 1}, "2017~/2018~"),
        ({"raw": "24 January 2024"}, "2024-01-24"),
        ({"literal": "1999", "circa": True}, "1999~"),
        ({"literal": "2017-21/2017-22"}, "2017-21/2017-22"),
        ("2020-05-12", "2020-05-12"),
        # A winter has two years.
        ({"date-parts": [[2019]], "season": 4}, "2019-24"),
        ({"date-parts": [[2019], [2020]], "season": "winter"}, "2019-24"),
        ({"literal": "2023-24"}, "2023/2024"),
        # Other forms of old programs.
        ([{"date-parts": [2006, 5]}], "2006-05"),
        ([{"date-parts": [[2006, 5]]}], "2006-05"),
        ([{"year": "2006", "month": "5"}, {"year": "2007"}], "2006-05/2007"),
        ({"date-parts": [2006, 5]}, "2006-05"),
        ([[2006, 5, 1]], "2006-05-01"),
        ([2006, 5], "2006-05"),
        (2006, "2006"),
        ({"date-parts": [["2006", "May"]]}, "2006-05"),
        ({"date-parts": [["2023-24"]]}, "2023/2024"),
        ({"date-parts": [[2020, None, None]]}, "2020"),
        ({"date-parts": [[2020, 5, ""]]}, "2020-05"),
        ({"date-parts": [[2020], [None]]}, "2020"),
        ({"date-parts": [[None, None, None]]}, None),
    ],
)
def test_a_date_is_read(issued: str | dict[str, Any], edtf: str | None) -> None:
    found = entry(issued=issued)
    assert found.item.get("issued_edtf") == edtf
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("issued", "year", "note"),
    [
        ({"date-parts": [[2020, None, 5]]}, "2020", '{"date-parts": [[2020, null, 5]]}'),
        ({"date-parts": [["2020", "x"]]}, "2020", '{"date-parts": [["2020", "x"]]}'),
        ({"date-parts": [[2020, 2, 30]]}, "2020", '{"date-parts": [[2020, 2, 30]]}'),
        ({"literal": "Michaelmas 2019"}, "2019", "Michaelmas 2019"),
        ({"raw": "2020a"}, "2020", "2020a"),
        ({"date-parts": [[2021], [2020]]}, None, '{"date-parts": [[2021], [2020]]}'),
        ([{"literal": "soon"}], None, "soon"),
        ([None, 3], None, "[null, 3]"),
    ],
)
def test_of_other_dates_a_certain_year_is_read_and_all_is_noted(issued, year, note) -> None:
    found = entry(issued=issued)
    assert found.item.get("issued_edtf") == year
    assert found.item["issued_note"] == note
    how = "read as 2019 only" if year == "2019" else "read as 2020 only" if year else "not a date"
    assert found.warnings == (f"{how}, kept as a note: {note}",)


@pytest.mark.parametrize(
    "names",
    [
        [{"literal": "others"}],
        [{"family": "others"}],
        [{"literal": "et al."}],
        [{"family": "al.", "given": "et"}],
    ],
)
def test_others_create_no_entity(names: list[dict[str, str]]) -> None:
    found = entry(author=[{"family": "Doe", "given": "Jane"}, *names])
    assert [made["credited_name"] for made in found.item["contributors"]] == ["Doe, Jane"]
    assert len(found.entities) == 1
    assert found.warnings == ("more authors than listed",)


def test_mathml_of_a_title_becomes_its_text() -> None:
    math = '<mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:mi>N</mml:mi></mml:math>'
    assert entry(title=f"Growth of {math}-fold samples").item["title"] == "Growth of N-fold samples"


@pytest.mark.parametrize(
    ("written", "term"),
    [
        ("article-journal", "article-journal"),
        ("journal-article", "article-journal"),
        ("posted-content", "article"),
        ("dissertation", "thesis"),
    ],
)
def test_types_of_csl_and_crossref_are_kept(written: str, term: str) -> None:
    assert entry(type=written).item["csl_type"] == term


def test_unknown_type_is_a_document_with_a_warning() -> None:
    found = entry(type="tweet")
    assert found.item["csl_type"] == "document"
    assert found.warnings == ("not a CSL type, imported as document: tweet",)


def test_contributors_are_credited_with_their_roles() -> None:
    people = {
        "author": [{"family": "World Bank", "given": ""}, {"name": "An Office"}],
        "director": [{"family": "Ho", "given": "Siu-ming"}],
        "collection-editor": [{"family": "Almeida", "given": "Luís", "dropping-particle": "d'"}],
        "recipient": [{"literal": "Nobody"}],
        "publisher": "A Press",
    }
    found = entry(**people)
    assert [
        (made["credited_name"], made["role"], made["credited_as"])
        for made in found.item["contributors"]
    ] == [
        ("World Bank", "author", None),
        ("An Office", "author", None),
        ("Ho, Siu-ming", "author", "director"),
        ("d'Almeida, Luís", "editor", "collection-editor"),
        ("A Press", "publisher", None),
    ]
    kinds = [made["external_id"].split("/")[0] for made in found.entities]
    assert kinds == ["desk:organisation"] * 2 + ["desk:person"] * 2 + ["desk:organisation"]
    assert found.warnings == ("not kept: recipient",)


def test_title_may_be_a_list_of_one() -> None:
    found = entry(title=["One"], **{"container-title": ["A Journal"]}).item
    assert (found["title"], found["container_title"]) == ("One", "A Journal")


def test_items_may_be_in_an_object() -> None:
    first, second = read('{"items": [{"id": 37, "type": "book", "title": "One"}, 7]}', "desk")
    assert first.external_id == "desk:37"
    assert [fault.detail for fault in second.faults] == ["Must be an object."]


@pytest.mark.parametrize("message", ['{"title": ["One"]}', '{"items": [{"title": ["One"]}]}'])
def test_an_answer_of_crossref_is_read(message: str) -> None:
    (found,) = read(f'{{"status": "ok", "message": {message}}}', "desk")
    assert (found.item or {})["title"] == "One"


@pytest.mark.parametrize(
    ("family", "kind", "is_doubtful"),
    [
        ("规划署", "organisation", False),
        ("HKMA", "organisation", True),
        ("陳大文", "person", False),
        ("Plato", "person", False),
    ],
)
def test_a_family_name_alone_may_be_that_of_an_office(
    family: str, kind: str, is_doubtful: bool
) -> None:
    found = entry(author=[{"family": family}])
    assert [made["kind"] for made in found.entities] == [kind]
    warning = f"a family name? kept as an organisation: {family}"
    assert found.warnings == ((warning,) if is_doubtful else ())


def test_item_without_type_and_title_fails() -> None:
    assert entry(type=None, title=None, name="left-pad").faults[0].code == "required"


def test_of_a_list_of_texts_the_first_is_kept() -> None:
    found = entry(title=["Main", "Subtitle"], URL=["https://a.example/1", "https://a.example/2"])
    assert (found.item["title"], found.item["url"]) == ("Main", "https://a.example/1")
    assert found.warnings == ("not kept: further title, further URL",)


@pytest.mark.parametrize("author", ["Doe, Jane", ["Doe, Jane"], {"family": "Doe", "given": "Jane"}])
def test_authors_may_be_a_text_or_one_object(author: Any) -> None:
    found = entry(author=author)
    assert [made["credited_name"] for made in found.item["contributors"]] == ["Doe, Jane"]
    assert [made["kind"] for made in found.entities] == ["person"]


def test_a_literal_may_be_a_list_in_chinese() -> None:
    found = entry(author=[{"literal": "陈大文、李小明"}])
    assert [made["credited_name"] for made in found.item["contributors"]] == ["陈大文", "李小明"]
