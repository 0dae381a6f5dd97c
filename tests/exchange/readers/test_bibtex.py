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
        ("香港 and 深圳", "香港 and 深圳"),
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
        ("year = {2010--2012}", "2010/2012"),
        ("year = {c. 1999}", "1999~"),
    ],
)
def test_a_date_is_read(fields: str, edtf: str) -> None:
    assert item(fields)["issued_edtf"] == edtf


def test_unreadable_date_is_kept_as_a_note() -> None:
    (found,) = entries("@article{one, title = {One}, year = {in press}}")
    assert found.item["issued_note"] == "in press"
    assert found.warnings == ("not a date, kept as a note: in press",)


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
    ],
)
def test_authors_are_split(names: str, credited: list[str]) -> None:
    assert people(item(f"author = {{{names}}}")) == [(name, "author") for name in credited]


def test_others_is_a_warning() -> None:
    (found,) = entries("@article{one, title = {One}, author = {Doe, Jane and others}}")
    assert len(found.item["contributors"]) == 1
    assert found.warnings == ("more authors than listed",)


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
        (r"howpublished = {Online: https://example.org/a}", "https://example.org/a"),
    ],
)
def test_url_is_unescaped(fields: str, url: str) -> None:
    assert item(fields, "misc")["url"] == url


def test_other_fields() -> None:
    found = item(
        "subtitle = {Two}, institution = {{An Institute} and Another}, langid = {ngerman},"
        " doi = {https://doi.org/10.5555/A\\_b}, rights = {CC BY}, eventtitle = {A Meeting}",
        "report",
    )
    assert found["title"] == "One: Two"
    assert found["container_title"] == "A Meeting"
    assert people(found) == [("An Institute", "publisher"), ("Another", "publisher")]
    assert (found["language"], found["doi"]) == ("de", "10.5555/a_b")
    assert found["rights"] == "CC BY"


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
