"""RIS that Zotero does not write: EndNote, publishers, CNKI."""

from typing import Any

import pytest

from hksz_db.exchange.readers.ris import read


def entry(lines: str, kind: str = "JOUR") -> Any:
    (found,) = read(f"TY  - {kind}\n{lines}\nER  - \n", "desk")
    assert found.faults == ()
    return found


def people(item: dict) -> list[tuple[str, str, str | None]]:
    return [
        (made["credited_name"], made["role"], made["credited_as"])
        for made in item.get("contributors", [])
    ]


@pytest.mark.parametrize(
    ("lines", "edtf"),
    [
        ("DA  - 2023/09/07/", "2023-09-07"),
        ("DA  - 2023/09//", "2023-09"),
        ("DA  - 2023///", "2023"),
        ("DA  - 2023/00/00/", "2023"),
        ("DA  - 2018///Spring", "2018-21"),
        ("PY  - 2018//Spring/", None),
        ("Y1  - 1990/2/27", "1990-02-27"),
        ("PY  - 2023", "2023"),
        ("DA  - Sep 7\nPY  - 2023", "2023-09-07"),
        ("DA  - 2023-09-07\nPY  - 2023", "2023-09-07"),
        ("DA  - unknown\nPY  - 2023", "2023"),
        ("DA  - 2010/2012", "2010/2012"),
    ],
)
def test_a_date_is_read(lines: str, edtf: str | None) -> None:
    assert entry(f"TI  - One\n{lines}").item.get("issued_edtf") == edtf


def test_an_older_record_is_read() -> None:
    found = entry(
        "A1  - Baldwin,S.A.\nA1  - Brown,D.R.\nT1  - A title that goes on\nupon another line\n"
        "JO  - J.Neurosurg.\nY1  - 1996\nN2  - An abstract\nID  - 476"
    )
    assert found.external_id == "desk:476"
    assert found.item["title"] == "A title that goes on upon another line"
    assert found.item["container_title"] == "J.Neurosurg."
    assert people(found.item) == [
        ("Baldwin, S.A.", "author", None),
        ("Brown, D.R.", "author", None),
    ]
    assert found.warnings == ("not kept: N2",)


def test_one_line_may_have_several_names() -> None:
    found = entry("TI  - 一\nAU  - 张伟;李娜;\nAU  - 深圳大学")
    assert people(found.item) == [
        ("张伟", "author", None),
        ("李娜", "author", None),
        ("深圳大学", "author", None),
    ]
    kinds = [made["kind"] for made in found.entities]
    assert kinds == ["person", "person", "organisation"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "BOOK",
            [
                ("Two, B", "editor", "series editor"),
                ("Three, C", "editor", None),
                ("Four, D", "translator", None),
            ],
        ),
        (
            "CHAP",
            [
                ("Two, B", "editor", None),
                ("Three, C", "editor", "series editor"),
                ("Four, D", "translator", None),
            ],
        ),
        ("VIDEO", []),
    ],
)
def test_roles_of_further_authors_depend_on_the_type(kind: str, expected: list[Any]) -> None:
    found = entry("TI  - One\nA2  - Two, B\nA3  - Three, C\nA4  - Four, D", kind)
    assert people(found.item) == expected
    assert ("not kept: A2, A3, A4" in found.warnings) == (kind == "VIDEO")


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ("DO  - doi:10.5555/A", "doi", "10.5555/a"),
        ("M3  - doi: 10.5555/A", "doi", "10.5555/a"),
        ("UR  - https://example.org/?a=1;b=2", "url", "https://example.org/?a=1;b=2"),
        ("LK  - https://example.org/", "url", "https://example.org/"),
        ("LA  - eng", "language", "en"),
        ("JF  - A Journal\nJO  - A. J.", "container_title", "A Journal"),
    ],
)
def test_a_field_is_read(lines: str, field: str, value: str) -> None:
    found = entry(f"TI  - One\n{lines}")
    assert found.item[field] == value
    assert found.warnings == ()


def test_series_of_a_book_is_not_its_container() -> None:
    found = entry("TI  - One\nT2  - A Series", "BOOK")
    assert "container_title" not in found.item
    assert found.warnings == ("not kept: T2",)


@pytest.mark.parametrize(
    ("kind", "lines", "place", "unkept"),
    [
        ("BOOK", "CY  - Shenzhen", "Shenzhen", ""),
        ("BOOK", "PP  - Hong Kong", "Hong Kong", ""),
        ("BOOK", "CY  - Shenzhen\nPP  - Hong Kong", "Hong Kong", "CY"),
        ("CONF", "CY  - Shenzhen\nPP  - Hong Kong", "Hong Kong", "CY"),
        ("CONF", "CY  - Shenzhen", None, "CY"),
        ("CPAPER", "CY  - Shenzhen\nC1  - Hong Kong", "Hong Kong", "CY"),
        ("BOOK", "C1  - Hong Kong", None, "C1"),
    ],
)
def test_place_of_publication_is_not_that_of_the_conference(kind, lines, place, unkept):
    found = entry(f"TI  - One\n{lines}", kind)
    assert found.item.get("publisher_place") == place
    assert found.warnings == ((f"not kept: {unkept}",) if unkept else ())


def test_second_url_is_a_warning() -> None:
    found = entry("TI  - One\nUR  - https://example.org/a\nUR  - https://example.org/b")
    assert found.item["url"] == "https://example.org/a"
    assert found.warnings == ("not kept: further UR",)


def test_unknown_type_is_a_document_with_a_warning() -> None:
    found = entry("TI  - One", "XYZ")
    assert found.item["csl_type"] == "document"
    assert found.warnings == ("not an RIS type, imported as document: XYZ",)
