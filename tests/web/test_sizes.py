"""What a browser gets stays small, uncompressed."""

import re
from pathlib import Path

import pytest

from hksz_db.web import site
from hksz_db.web.assets import asset_url, stripped
from tests.browser.examples import READING, filled
from tests.web.conftest import Api, Browser

STATIC = Path(site.__file__).parent / "static"
TEMPLATES = STATIC.parent / "templates"
_SCRIPT = re.compile(r'asset_url\("(\w+\.js)"\)')
MOST_HTML, MOST_STYLES, MOST_SCRIPTS = 30_000, 30_000, 15_000


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
@pytest.mark.parametrize("path", READING)
def test_a_page_is_small(browser: Browser, api: Api, path: str, language: str) -> None:
    def id_of(resource: str, external_id: str) -> str:
        (row,) = api(f"/v1/{resource}", external_id=external_id, select="id")["data"]
        return str(row["id"])

    browser.client.set_cookie("ui", language)
    page = browser.get(filled(path, id_of))
    assert page.tree.get("lang") == language
    assert len(page.text.encode()) <= MOST_HTML


def test_styles_are_small() -> None:
    assert sum(path.stat().st_size for path in STATIC.glob("*.css")) <= MOST_STYLES


def test_the_scripts_of_a_page_are_small(browser: Browser) -> None:
    def names_in(template: Path) -> set[str]:
        return {*_SCRIPT.findall(template.read_text("utf-8"))}

    everywhere = names_in(TEMPLATES / "layout.html")
    for template in TEMPLATES.glob("*.html"):
        with browser.client.application.test_request_context():
            urls = [asset_url(name) for name in everywhere | names_in(template)]
        sizes = [len(browser.client.get(url).data) for url in urls]
        assert sum(sizes) <= MOST_SCRIPTS, template.name


@pytest.mark.parametrize(
    ("script", "served"),
    [
        ("a = b + +c - -d;", "a=b + +c - -d;"),
        ("a = b++ + ++c < !--d;", "a=b++ + ++c < !--d;"),
        (
            "f('a , b', \"it's , \\\" , it\", c ? .5 : 1);",
            "f('a , b',\"it's , \\\" , it\",c?.5:1);",
        ),
        ("f(`a , ${ b }`, c);", "f(`a , ${ b }`, c);"),
        ("f = () => /[ ] , \\/ '/u.test(g);", "f = () => /[ ] , \\/ '/u.test(g);"),
        (
            "\t// A = comment.\n\ta = b;\n\n\tc = d\n\te = f / g; // h,\n\ti;",
            "a=b;c=d\ne = f / g; // h,\ni;",
        ),
        ("if (a) {\n\tb(\n\t\tc,\n\t);\n} else return { d };\n", "if(a){b(c,);}else return{d};"),
    ],
)
def test_a_script_means_the_same_as_it_is_served(script: str, served: str) -> None:
    assert stripped(script.encode()).decode() == served


@pytest.mark.parametrize("path", [*STATIC.glob("*.js")], ids=lambda path: path.name)
def test_no_template_string_or_comment_of_a_script_spans_lines(path: Path) -> None:
    code = re.sub(r'"[^"\n]*"', "", path.read_text("utf-8"))
    assert "/*" not in code
    assert not [line for line in code.splitlines() if line.count("`") % 2 or line.endswith("\\")]
