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
        ("PY  - 2018//Spring/", "2018"),
        ("PY  - 2023/24", "2023/2024"),
        ("PY  - 2020/21//", "2020/2021"),
        ("PY  - 2010/11", "2010-11"),
        ("PY  - 2020a", "2020"),
        ("PY  - 20200506", "2020-05-06"),
        ("DA  - Jan-Feb\nPY  - 2020", "2020-01/2020-02"),
        ("DA  - 5月7日\nPY  - 2020", "2020-05-07"),
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
    ("written", "kind", "is_doubtful"),
    [
        ("Innovation, Science and Sample Bureau", "organisation", False),
        ("Department of Food, Health and Samples", "organisation", False),
        ("Sample Holdings, Ltd.", "organisation", False),
        ("Samples, Ministry of", "organisation", False),
        ("Ann Sample, Carl Example, Dora Specimen, Eve Model", "organisation", True),
        ("Sample, A., Example, C.", "organisation", True),
        ("Ann Sample Carl Example, Dora Specimen", "organisation", True),
        ("Ann Sample Carl Example Dora Specimen", "organisation", True),
        ("Sample Ann Example Carl, Ltd.", "organisation", False),
        ("South China Sample Post", "organisation", False),
        ("Sample AB, Example C", "organisation", True),
        ("Sample A B, Example C.", "organisation", True),
        ("Ann Sample and Carl Example", "organisation", True),
        ("Ann Sample & Carl Example", "organisation", True),
        ("Sample, Ann and Carl", "organisation", True),
        ("Press, Frank", "person", False),
        ("García Núñez, José Luis", "person", False),
        ("Baldwin,S.A.", "person", False),
        ("Sample, Ann, PhD", "person", False),
    ],
)
def test_names_with_commas(written: str, kind: str, is_doubtful: bool) -> None:
    found = entry(f"TI  - One\nAU  - {written}")
    assert [made["kind"] for made in found.entities] == [kind]
    warning = f"several names? kept as one: {written}"
    assert found.warnings == ((warning,) if is_doubtful else ())
    if kind == "organisation":
        assert people(found.item) == [(written, "author", None)]


@pytest.mark.parametrize(
    "names",
    [
        "AU  - Doe, Jane\nAU  - et al.",
        "AU  - Doe, Jane\nAU  - others",
        "AU  - Doe, Jane; et al",
        "AU  - Doe, Jane, et al.",
        "AU  - Doe, Jane et al.",
    ],
)
def test_others_create_no_entity(names: str) -> None:
    found = entry(f"TI  - One\n{names}")
    assert people(found.item) == [("Doe, Jane", "author", None)]
    assert found.warnings == ("more authors than listed",)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("陈大文；李小明", ["陈大文", "李小明"]),  # noqa: RUF001
        ("王五、赵六、李小明", ["王五", "赵六", "李小明"]),
        ("陈大文，李小明", ["陈大文", "李小明"]),  # noqa: RUF001
        ("陳，大文", ["陳, 大文"]),  # noqa: RUF001
        ("欧阳, 修远", ["欧阳, 修远"]),
        ("創新、科技部", ["創新、科技部"]),
        ("O&#39;Neill, Jane; M&uuml;ller, Hans", ["O'Neill, Jane", "Müller, Hans"]),
        ("R&D Sample Bureau", ["R&D Sample Bureau"]),
        ("史密斯·约翰", ["史密斯·约翰"]),
    ],
)
def test_lists_in_chinese_and_entities_of_html(written: str, expected: list[str]) -> None:
    found = entry(f"TI  - One\nAU  - {written}")
    assert [name for name, _, _ in people(found.item)] == expected
    assert found.warnings == ()


def test_two_short_names_in_chinese_may_be_one_person() -> None:
    found = entry("TI  - One\nAU  - 李明，王芳")  # noqa: RUF001
    assert people(found.item) == [("李明，王芳", "author", None)]  # noqa: RUF001
    assert found.warnings == ("several names? kept as one: 李明，王芳",)  # noqa: RUF001


@pytest.mark.parametrize(
    "name",
    [
        "Anonymous",
        "[Anonymous]",
        "anon.",
        "[s.n.]",
        "N/A",
        "NA",
        "Unknown",
        "佚名",
        "不詳",
        "-",
        "?",
    ],
)
def test_words_for_nobody_create_no_entity(name: str) -> None:
    found = entry(f"TI  - One\nAU  - {name}\nPB  - Sample Press")
    assert people(found.item) == [("Sample Press", "publisher", None)]
    assert found.warnings == (f"names nobody: {name} (author)",)


@pytest.mark.parametrize(
    "name", ["jane@example.org", "Jane Doe <jane@example.org>", "https://example.org/jane"]
)
def test_an_address_is_no_name(name: str) -> None:
    found = entry(f"TI  - One\nAU  - {name}")
    assert people(found.item) == []
    assert "example.org" not in repr(found)
    assert found.warnings == ("not a name: author",)


@pytest.mark.parametrize(
    "record",
    [
        "TY  -JOUR\nTI  -One\nER  -\n",
        "TY\t-\tJOUR\nTI\t-\tOne\nER\t-\t\n",
        "TY  \u2013 JOUR\nTI  \u2013 One\nER  \u2013 \n",
    ],
)
def test_tags_with_other_spacing_are_read(record: str) -> None:
    (found,) = read(record, "desk")
    assert (found.item or {})["title"] == "One"
    assert found.warnings == ()


def test_further_values_of_a_tag_are_named() -> None:
    found = entry("TI  - One\nTI  - Two\nKW  - a\nKW  - b")
    assert found.item["title"] == "One"
    assert found.warnings == ("not kept: KW, further TI",)


def test_tags_before_the_type_belong_to_the_record() -> None:
    record = "TI  - {0}\nAU  - Sample, Ann\nTY  - JOUR\nPY  - 2019\nJO  - Sample\nER  - \n\n"
    found: list[Any] = list(read(record.format("One") + record.format("Two"), "desk"))
    assert [made.number for made in found] == [1, 8]
    assert [made.item["title"] for made in found] == ["One", "Two"]
    assert [people(made.item) for made in found] == [[("Sample, Ann", "author", None)]] * 2


def test_a_record_without_an_end_is_read_with_a_warning() -> None:
    content = "TY  - JOUR\nTI  - One\nTY  - BOOK\nPY  - 2020\nTY  - RPRT\nTI  - Three\nPY  - 2021\n"
    found: list[Any] = list(read(content, "desk"))
    assert [made.number for made in found] == [1, 3, 5]
    titles = [made.item["title"] for made in found]
    assert titles == ["One", "[Untitled book]", "Three"]
    assert all("no end of the record (ER)" in made.warnings for made in found)


def test_tags_without_a_type_are_reported() -> None:
    found = list(read("TY  - JOUR\nTI  - One\nER  - \nTI  - Two\nER  - \nPY  - 2020\n", "desk"))
    assert [made.number for made in found] == [1, 4, 6]
    assert [len(made.faults) for made in found] == [0, 1, 1]


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
        ("LA  - 英语", "language", "en"),
        ("PB  - \nCY  - Hong Kong &amp; Shenzhen", "publisher_place", "Hong Kong & Shenzhen"),
        ("DO  - https://doi.org/10.5555%2FA", "doi", "10.5555/a"),
        ("DO  - 10.5555/A).", "doi", "10.5555/a"),
        ("DO  - 10.5555/A(1)", "doi", "10.5555/a(1)"),
        ("UR  - <https://example.org/>", "url", "https://example.org/"),
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


@pytest.mark.parametrize(
    ("lines", "warnings"),
    [
        ("DA  - 2020/05/07\nPY  - 2020", ()),
        ("DA  - 2020/05/07\nPY  - 2019", ("another year, not kept: 2019",)),
        ("PY  - 2020\nY1  - 2019", ("not kept: Y1",)),
    ],
)
def test_a_second_year_is_a_warning(lines: str, warnings: tuple[str, ...]) -> None:
    found = entry(f"TI  - One\n{lines}")
    assert found.item["issued_edtf"][:4] == "2020"
    assert found.warnings == warnings


def test_second_url_is_a_warning() -> None:
    found = entry("TI  - One\nUR  - https://example.org/a\nUR  - https://example.org/b")
    assert found.item["url"] == "https://example.org/a"
    assert found.warnings == ("not kept: further UR",)


@pytest.mark.parametrize("separator", [" ", "; ", ";", ", ", " | "])
def test_of_several_addresses_on_one_line_the_first_is_kept(separator: str) -> None:
    pages = ("https://example.org/a?x=1;y=2", "https://example.org/b")
    found = entry(f"TI  - One\nUR  - {separator.join(pages)}\nDO  - 10.5555/a{separator}10.5555/b")
    assert found.item["url"] == pages[0]
    assert "only the first URL is kept" in found.warnings
    if separator != ";":
        assert found.item["doi"] == "10.5555/a"
        assert "only the first DOI is kept" in found.warnings


def test_unknown_type_is_a_document_with_a_warning() -> None:
    found = entry("TI  - One", "XYZ")
    assert found.item["csl_type"] == "document"
    assert found.warnings == ("not an RIS type, imported as document: XYZ",)
