"""BibTeX and biblatex that Zotero does not write."""

import pytest

from hksz_db.exchange.readers.bibtex import read


def entries(content: str) -> list:
    return list(read(content, "desk"))


def item(fields: str, kind: str = "article") -> dict:
    (found,) = entries(f"@{kind}{{one, title = {{One}}, {fields}}}")
    assert found.faults == ()
    return found.item


def people(item: dict) -> list[tuple[str, str]]:
    return [(made["credited_name"], made["role"]) for made in item["contributors"]]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"caf\'e, M{\"u}ller \& {\AA}s", "café, Müller & Ås"),
        (r"na\"{\i}ve Garc{\'\i}a {\v C}ech", "naïve García Čech"),
        (r"50% of {H$_2$O} -- and more", "50% of H_2O – and more"),  # noqa: RUF001 - a dash
        (r"\emph{The {W}orld}~today", "The World today"),
        (r"``Talent'' passes", "“Talent” passes"),
        (r"C\# \_ \$5 \textasciitilde", "C# _ $5 ~"),
        ("The end \\\\", "The end"),
        ("香港 and 深圳", "香港 and 深圳"),
        (r"5$^\circ$C or 9$^{\circ}$F", "5°C or 9°F"),
        (r"10\textsuperscript{6}, 1\textsuperscript{st}", "10^6, 1st"),
        (
            r"\begin{CJK}{UTF8}{bsmi}前海\end{CJK} and \begin{CJK*}{GBK}{song}河套\end{CJK*}",
            "前海 and 河套",
        ),
    ],
)
def test_latex_is_read_as_text(written: str, text: str) -> None:
    (found,) = entries(f"@book{{one, title = {{{written}}}}}")
    assert found.item["title"] == text


@pytest.mark.parametrize(
    ("fields", "edtf"),
    [
        ("date = {2014-12-31/2015-01-01}", "2014-12-31/2015-01-01"),
        ("date = {2014-12-31/}", "2014-12-31/"),
        ("date = {1999~}, year = {2001}", "1999~"),
        ("year = 2020", "2020"),
        ("year = {2020}, month = mar", "2020-03"),
        ("year = {2020}, month = {March}", "2020-03"),
        ("year = {2020}, month = {Mar.}", "2020-03"),
        ("year = {2020}, month = 3", "2020-03"),
        ('year = 2020, month = "10~" # jan', "2020-01-10"),
        ("year = {2020}, month = {Spring}", "2020-21"),
        ("year = {2020}, month = {3月}", "2020-03"),
        ("year = {2020}, month = {March 2020}", "2020-03"),
        ("year = {2010--2012}", "2010/2012"),
        ("year = {c. 1999}", "1999~"),
        ("year = {2023-24}", "2023/2024"),
        ("year = {2023/24}", "2023/2024"),
        # The month has a field of its own, but a date is EDTF.
        ("year = {2010-11}", "2010/2011"),
        ("date = {2010-11}", "2010-11"),
        ("date = {2023-24}", "2023-24"),
        ("date = {Winter 2019/2020}", "2019-24"),
        ("year = {2019}, month = {FEB-MAR}", "2019-02/2019-03"),
        ("year = {2013}, month = {Sep--Oct}", "2013-09/2013-10"),
        ('year = {2011}, month = sep # "~/~" # oct', "2011-09/2011-10"),
        ("year = {2020}, month = {3/4}", "2020-03/2020-04"),
        ("year = {2019}, month = {May 1--3}", "2019-05-01/2019-05-03"),
        ("date = {in press}, year = {2020}", "2020"),
    ],
)
def test_a_date_is_read(fields: str, edtf: str) -> None:
    assert item(fields)["issued_edtf"] == edtf


@pytest.mark.parametrize(
    ("date", "is_doubtful"), [("2023-24", True), ("2018-21", True), ("2024-24", False)]
)
def test_a_season_that_may_be_a_range_of_years_has_a_warning(date: str, is_doubtful: bool) -> None:
    (found,) = entries(f"@article{{one, title = {{One}}, date = {{{date}}}}}")
    assert found.item["issued_edtf"] == date
    warning = f"read as a season, may be a range of years: {date}"
    assert found.warnings == ((warning,) if is_doubtful else ())


def test_the_day_may_have_a_field_of_its_own() -> None:
    assert item("year = 2020, month = jul, day = 5")["issued_edtf"] == "2020-07-05"
    assert item("year = 2020, month = feb, day = 31")["issued_note"] == "2020-02-31"


@pytest.mark.parametrize(
    ("names", "credited", "kinds"),
    [
        ("Planning Department, Hong Kong", ["Planning Department, Hong Kong"], ["organisation"]),
        ("World Trade Organization", ["World Trade Organization"], ["organisation"]),
        ("World Bank", ["World Bank"], ["organisation"]),
        ("{HKMA} and Plato", ["HKMA", "Plato"], ["organisation", "person"]),
        (r"M\textsuperscript{c}Donald, Ron", ["McDonald, Ron"], ["person"]),
        (
            "Li, Wei and Planning Department",
            ["Li, Wei", "Planning Department"],
            ["person", "organisation"],
        ),
        ("Sample Holdings Ltd", ["Sample Holdings Ltd"], ["organisation"]),
        ("史密斯·约翰", ["史密斯·约翰"], ["person"]),
        ("and Doe, Jane", ["Doe, Jane"], ["person"]),
        ("陈大文；李小明 and 王五", ["陈大文", "李小明", "王五"], ["person"] * 3),  # noqa: RUF001
        ("香港特別行政區政府統計處", ["香港特別行政區政府統計處"], ["organisation"]),
        ("Li Xiaoming (李小明)", ["Li Xiaoming (李小明)"], ["person"]),
        ("O&#39;Neill, Jane", ["O'Neill, Jane"], ["person"]),
    ],
)
def test_names_without_braces(names: str, credited: list[str], kinds: list[str]) -> None:
    (found,) = entries(f"@misc{{one, title = {{One}}, author = {{{names}}}}}")
    assert [made["credited_name"] for made in found.item["contributors"]] == credited
    assert [made["kind"] for made in found.entities] == kinds
    assert found.warnings == ()


def test_an_acronym_without_braces_may_be_a_family_name() -> None:
    (found,) = entries("@misc{one, title = {One}, author = {LIU and Plato}}")
    assert [made["kind"] for made in found.entities] == ["organisation", "person"]
    assert found.warnings == ("a family name? kept as an organisation: LIU",)


@pytest.mark.parametrize("name", [r"Jane Doe$^{1}$", r"Doe, Jane\textsuperscript{a,*}"])
def test_notes_on_names_are_no_part_of_them(name: str) -> None:
    (found,) = entries(f"@misc{{one, title = {{One}}, author = {{{name} and Roe, Kim}}}}")
    assert [made["credited_name"] for made in found.item["contributors"]] == [
        "Doe, Jane",
        "Roe, Kim",
    ]
    assert found.warnings == ("not kept: notes on names",)


@pytest.mark.parametrize(
    "names",
    [
        "Census and Statistics Department",
        "Innovation, Technology and Industry Bureau",
        "Sample Government, Food and Health Bureau",
        "Doe, J. \\& Roe, K.",
        "Doe J, Roe K",
    ],
)
def test_what_may_be_several_names_is_kept_as_one(names: str) -> None:
    (found,) = entries(f"@misc{{one, title = {{One}}, author = {{{names}}}}}")
    text = names.replace("\\", "")
    assert [made["credited_name"] for made in found.item["contributors"]] == [text]
    assert found.warnings == (f"several names? kept as one: {text}",)


@pytest.mark.parametrize("space", ["\n ", " ", ""])
def test_a_missing_comma_is_reported(space: str) -> None:
    content = (
        f"@misc{{one, title = {{One}}{space}author = {{Doe}},}}\n@misc{{two, title = {{Two}}}}"
    )
    first, second = entries(content)
    assert [fault.detail for fault in first.faults] == [
        "The entry cannot be read: a comma is missing before author."
    ]
    assert second.item["title"] == "Two"
    braced = '@misc{one, title = {One\n x = {y}}, note = "\n z = 1"}'
    assert [found.faults for found in entries(braced)] == [()]


def test_unreadable_date_is_kept_as_a_note() -> None:
    (found,) = entries("@article{one, title = {One}, year = {in press}}")
    assert found.item["issued_note"] == "in press"
    assert found.warnings == ("not a date, kept as a note: in press",)


@pytest.mark.parametrize(
    ("fields", "edtf", "note"),
    [
        ("year = {2019}, month = {Hilary term}", "2019", "Hilary term 2019"),
        ("year = {2019}, month = {13}", "2019", "13 2019"),
        ("year = {2020a}", "2020", "2020a"),
        ("year = {2023-24}, month = {Hilary term}", "2023/2024", "Hilary term 2023-24"),
        ("date = {in press}, year = {2020}", "2020", "in press"),
    ],
)
def test_of_other_dates_the_year_is_read_and_all_is_noted(fields, edtf, note) -> None:
    (found,) = entries(f"@article{{one, title = {{One}}, {fields}}}")
    assert (found.item["issued_edtf"], found.item["issued_note"]) == (edtf, note)
    assert found.warnings == (f"read as {edtf} only, kept as a note: {note}",)


@pytest.mark.parametrize(
    ("names", "credited"),
    [
        ("Jane Doe and Doe, John", ["Doe, Jane", "Doe, John"]),
        ("{World Bank} and {Barnes {and} Noble}", ["World Bank", "Barnes and Noble"]),
        ("Ludwig van Beethoven", ["van Beethoven, Ludwig"]),
        ("de la Fontaine, Jean", ["de la Fontaine, Jean"]),
        ("King, Jr., Martin Luther", ["King, Martin Luther, Jr."]),
        ("{Van Dyke}, Dick", ["Van Dyke, Dick"]),
        (r"{\"O}berg, {\AA}sa", ["Öberg, Åsa"]),
        ("family=Fontaine, given=Jean, prefix=de la, useprefix=true", ["de la Fontaine, Jean"]),
        ("肖, 发民", ["肖, 发民"]),
        (r"Sample, Ann and \O{}rsample, Bo", ["Sample, Ann", "Ørsample, Bo"]),
        (r"Sample, Ann and \c{C}elample, Can", ["Sample, Ann", "Çelample, Can"]),
        (
            r"Sample, Ann and \'{E}sample, Zo\"e and \L ample, Al",
            ["Sample, Ann", "Ésample, Zoë", "Łample, Al"],
        ),
        (r"{\'E}sample, Ann AND {\v{C}}ample, J.~K.", ["Ésample, Ann", "Čample, J. K."]),
        (r"{Sample \& Sons} and {Caf\'e \{x\}}", ["Sample & Sons", "Café {x}"]),
        (r"\textsc{Sample}, {\relax Ch}arles", ["Sample, Charles"]),
    ],
)
def test_authors_are_split(names: str, credited: list[str]) -> None:
    assert people(item(f"author = {{{names}}}")) == [(name, "author") for name in credited]


@pytest.mark.parametrize(
    "names",
    [
        "Doe, Jane and others",
        "Doe, Jane and {others}",
        "Doe, Jane and Others",
        "Doe, Jane and et al.",
        "Doe, Jane and {et al.}",
        "Doe, Jane et al.",
        "Jane Doe et~al.",
    ],
)
def test_others_create_no_entity(names: str) -> None:
    (found,) = entries(f"@article{{one, title = {{One}}, author = {{{names}}}}}")
    assert people(found.item) == [("Doe, Jane", "author")]
    assert len(found.entities) == 1
    assert found.warnings == ("more authors than listed",)


@pytest.mark.parametrize(
    "names", ["Sample, A., Example, C., Model, E.", "Ann Sample; Carl Example"]
)
def test_several_names_that_are_not_separated_stay_one(names: str) -> None:
    (found,) = entries(f"@article{{one, title = {{One}}, author = {{{names}}}}}")
    assert people(found.item) == [(names, "author")]
    assert found.warnings == (f"several names? kept as one: {names}",)


@pytest.mark.parametrize(
    ("kind", "fields", "term"),
    [
        ("Article", "entrysubtype = {magazine}", "article-magazine"),
        ("InProceedings", "", "paper-conference"),
        ("mastersthesis", "", "thesis"),
        ("misc", "", "document"),
        ("misc", "url = {https://example.org/}", "webpage"),
        ("misc", "url = {https://example.org/}, doi = {10.5555/a}", "document"),
        ("online", "", "webpage"),
        ("jurisdiction", "", "legal_case"),
        ("patent", "", "patent"),
        ("whatever", "", "document"),
    ],
)
def test_entry_type_is_mapped_to_csl(kind: str, fields: str, term: str) -> None:
    assert item(fields, kind)["csl_type"] == term


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        (r"url = {https://example.org/a_b\%20c\&d}", "https://example.org/a_b%20c&d"),
        (r"url = {\url{https://example.org/~a}}", "https://example.org/~a"),
        (r"url = {https://example.org/{\textasciitilde}a}", "https://example.org/~a"),
        (r"howpublished = {\url{https://example.org/a}}", "https://example.org/a"),
        (r"howpublished = {\url{https://example.org/a{\_}b}.}", "https://example.org/a_b"),
        (r"url = {https://example.org/a{\_}b{\%}20c{\&}d}", "https://example.org/a_b%20c&d"),
        (r"url = {https://example.org/\~{}a--b}", "https://example.org/~a--b"),
        (r"url = {https://example.org/{$\sim$}a}", "https://example.org/~a"),
        (r"url = {\href{https://example.org/a}{here}}", "https://example.org/a"),
        (r"howpublished = {Online: https://example.org/a}", "https://example.org/a"),
        (r"note = {\url{https://example.org/a\_b}}", "https://example.org/a_b"),
        (r"note = {Available at: https://example.org/a.}", "https://example.org/a"),
        (r"link = {https://example.org/a}, note = {Other}", "https://example.org/a"),
        (r"bdsk-url-1 = {https://example.org/a}", "https://example.org/a"),
    ],
)
def test_url_is_unescaped(fields: str, url: str) -> None:
    assert item(fields, "misc")["url"] == url


def test_an_address_within_a_note_is_not_that_of_the_work() -> None:
    assert "url" not in item("note = {A reply to https://example.org/a}", "misc")


def test_other_fields() -> None:
    found = item(
        "subtitle = {Two}, institution = {{An Institute} and {Another}}, langid = {ngerman},"
        " doi = {https://doi.org/10.5555/A\\_b}, rights = {CC BY}, eventtitle = {A Meeting}",
        "report",
    )
    assert found["title"] == "One: Two"
    assert found["container_title"] == "A Meeting"
    assert people(found) == [("An Institute", "publisher"), ("Another", "publisher")]
    assert (found["language"], found["doi"]) == ("de", "10.5555/a_b")
    assert found["rights"] == "CC BY"


@pytest.mark.parametrize(
    ("field", "written", "names"),
    [
        (
            "institution",
            "The Hong Kong University of Science and Technology",
            ["The Hong Kong University of Science and Technology"],
        ),
        (
            "school",
            "{City University} of Science and Technology",
            ["City University of Science and Technology"],
        ),
        ("publisher", "Taylor and Francis", ["Taylor and Francis"]),
        (
            "organization",
            "{Bureau of Trade and Industry}",
            ["Bureau of Trade and Industry"],
        ),
        (
            "institution",
            "Innovation, Science and Sample Bureau",
            ["Innovation, Science and Sample Bureau"],
        ),
        ("institution", "{An Institute} and Another", ["An Institute and Another"]),
        ("publisher", "{Black and White} and {Sample, Ann}", ["Black and White", "Sample, Ann"]),
        ("publisher", "Sample {\\&} Sons and others", ["Sample & Sons"]),
    ],
)
def test_a_publisher_with_an_and_is_one(field: str, written: str, names: list[str]) -> None:
    found = item(f"{field} = {{{written}}}", "report")
    assert people(found) == [(name, "publisher") for name in names]


def test_entries_inherit_over_generations() -> None:
    content = """
        @inbook{part, title = {Part}, crossref = {volume}}
        @book{volume, title = {Volume}, crossref = {set}, xdata = {press,hall}}
        @book{set, title = {Set}, year = 2011, crossref = {part}}
        @xdata{press, publisher = {Sample Press}}
        @xdata{hall, xdata = {town}, publisher = {Another}}
        @xdata{town, location = {Shenzhen}, publisher = {Third}, xdata = {hall}}
        @book{self, title = {Self}, crossref = {self}}
    """
    part, volume, _, alone = entries(content)
    for found in (part, volume):
        assert people(found.item) == [("Sample Press", "publisher")]
        assert (found.item["issued_edtf"], found.item["publisher_place"]) == ("2011", "Shenzhen")
        assert found.warnings == ()
    assert (part.item["container_title"], volume.item["container_title"]) == ("Volume", "Set")
    assert "container_title" not in alone.item


@pytest.mark.parametrize(
    ("reference", "name"),
    [("crossref = {Two}", "Two"), ("xdata = {three}", "three"), ("xdata = {data}", "four")],
)
def test_an_entry_that_the_file_lacks_is_a_warning(reference: str, name: str) -> None:
    others = "@misc{two, title = {Two}} @xdata{data, xdata = {four}}"
    found, _ = entries(f"@misc{{one, title = {{One}}, {reference}}} {others}")
    assert found.warnings[-1] == f"refers to an entry that the file lacks: {name}"


def test_macros_may_be_defined_twice_or_not_at_all() -> None:
    content = "@string{a = {One}} @string{A = {Two} # { x}} @string{a = {Three}}"
    (found,) = entries(f"{content}\n@misc{{one, title = a # {{and}} # other, year = 2020}}")
    assert found.item["title"] == "Threeandother"
    assert found.warnings == ("macro without a definition, kept as text: other",)


def test_entries_in_comments_are_left_out() -> None:
    content = "% @misc{one,\n%  title = {One},\n% }\n@misc{two, title = {100% @home{x}}}"
    (found,) = entries(content)
    assert (found.number, found.item["title"]) == (4, "100% @homex")


def test_a_set_of_entries_is_refused() -> None:
    found, _ = entries("@set{all, entryset = {one}} @misc{one, title = {One}}")
    assert [fault.detail for fault in found.faults] == ["A set of entries is not a work."]


def test_an_unknown_type_is_a_document_with_a_warning() -> None:
    (found,) = entries("@tweet{one, title = {One}}")
    assert found.item["csl_type"] == "document"
    assert found.warnings == ("not a type of BibTeX, imported as document: tweet",)


def test_entry_inherits_from_its_crossref() -> None:
    paper, book = entries(
        "@inproceedings{one, title = {One}, crossref = {two}}\n"
        "@proceedings{two, title = {Two}, editor = {Doe, Jane}, year = 2020, doi = {10.5555/two}}\n"
    )
    assert paper.item["container_title"] == "Two"
    assert paper.item["issued_edtf"] == "2020"
    assert people(paper.item) == [("Doe, Jane", "editor")]
    assert "doi" not in paper.item
    assert book.item["title"] == "Two"


@pytest.mark.parametrize(
    ("written", "doi"),
    [
        (r"10.1007/978-3-319-00000-6{\_}7", "10.1007/978-3-319-00000-6_7"),
        (r"10.1007/978-3-319-00000-6\_7", "10.1007/978-3-319-00000-6_7"),
        (r"10.5555/a{\textless}1::b{\textgreater}2", "10.5555/a<1::b>2"),
        (r"10.5555/a$<$1::b$>$2.0", "10.5555/a<1::b>2.0"),
        (r"\url{https://doi.org/10.5555/a}", "10.5555/a"),
        ("<https://doi.org/10.5555/a>", "10.5555/a"),
        (r"10.5555/a{\textless}b{\textgreater}", "10.5555/a<b>"),
    ],
)
def test_doi_is_unescaped(written: str, doi: str) -> None:
    assert item(f"doi = {{{written}}}")["doi"] == doi


def test_an_entry_without_a_key_stands_alone() -> None:
    content = (
        "@article{has1, title={First}, author={Sample, Ann}, year={2000}}\n"
        "@article{, title={No key}, author={Example, Carl}, journal={Journal}, year={2003}}\n"
        "@article{, title={Nor this}, year={2004}}\n"
        "@article{title={Nor that}, year={2005}}\n"
        "@proceedings{has2, title={Proc. of the Sample Conf.}, editor={Specimen, Dora}}\n"
    )
    found = entries(content)
    assert [made.faults for made in found] == [()] * 5
    assert [made.number for made in found] == [1, 2, 3, 4, 5]
    assert [made.item.get("container_title") for made in found] == [
        None,
        "Journal",
        None,
        None,
        None,
    ]
    assert [len(people(made.item)) for made in found[:2]] == [1, 1]
    assert people(found[4].item) == [("Specimen, Dora", "editor")]
    assert "contributors" not in found[2].item
    assert len({made.external_id for made in found}) == 5


def test_commands_that_are_not_known_are_a_warning() -> None:
    (found,) = entries(
        r"@article{one, title = {A \foo{good} \foo{} title}, journal = {\bar{o}f \baz}}"
    )
    assert found.item["title"] == r"A good \foo title"
    assert found.item["container_title"] == r"ōf \baz"
    assert found.warnings == (r"LaTeX that is not understood, kept as text: \foo, \baz",)


def test_links_are_read_as_their_text() -> None:
    content = r"@article{one, title = {See \href{https://example.org/a_b}{the annex}}}"
    (found,) = entries(content)
    assert found.item["title"] == "See the annex"
    assert found.warnings == ("not kept: link to https://example.org/a_b",)


def test_markup_that_was_written_as_latex_is_removed() -> None:
    title = r"{\textless}i{\textgreater}Panthera{\textless}/i{\textgreater} with p {\textless} 0.05"
    (found,) = entries(f"@book{{one, title = {{{title}}}}}")
    assert found.item["title"] == "Panthera with p < 0.05"
