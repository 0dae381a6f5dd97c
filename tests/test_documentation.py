"""The documentation: links and mentioned files exist, and the reference is current."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from docs.generate import COMMAND, REFERENCE, pages
from docs.screenshots import PICTURES
from hksz_db.settings import Settings, variable

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page
    for folder in (".", "docs/**", "seed_data", "benchmarks", "deploy/**", "hksz_db/**")
    for page in ROOT.glob(f"{folder}/*.md")
)
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)
_PATH = re.compile(r"`((?:hksz_db|schemas|migrations|tests|docs|seed_data)/[\w./]*)`")


def by_path(page: Path) -> str:
    """The id of a page in a test."""
    return str(page.relative_to(ROOT))


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links to files of the project, and to its own parts."""
    for found in _LINK.finditer(_CODE.sub("", page.read_text(encoding="utf-8"))):
        target = found[1] or found[2]
        if not target.startswith(("http://", "https://")):
            yield target


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    found: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return set(found)


@pytest.mark.parametrize("page", PAGES, ids=by_path)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in links(page):
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), f"{target}: no such file"
        if anchor:
            assert anchor in anchors(other), f"{target}: no such heading"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}
        ahead += [each for each in targets - reached if each.suffix == ".md"]
    assert {page for page in PAGES if page not in reached} == set()


def test_the_readme_is_short() -> None:
    assert (ROOT / "README.md").stat().st_size <= 5000


def test_every_picture_is_shown_and_small() -> None:
    pictures = {*(ROOT / "docs/images").iterdir()}
    targets = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    assert pictures - targets == set()
    assert {each.name for each in pictures} == {f"{each.name}.webp" for each in PICTURES}
    assert [each.name for each in pictures if each.stat().st_size > 150_000] == []


@pytest.fixture(scope="module")
def generated() -> dict[Path, str]:
    """The reference generated from the code."""
    return pages()


@pytest.mark.parametrize("page", sorted(REFERENCE.glob("*.md")), ids=by_path)
def test_the_generated_reference_is_current(page: Path, generated: dict[Path, str]) -> None:
    assert page.read_text(encoding="utf-8") == generated[page], f"Run `{COMMAND}`."


def test_every_setting_that_is_mentioned_exists() -> None:
    known = {variable(item.name) for item in fields(Settings)}
    for page in PAGES:
        mentioned = set(re.findall(r"\bHKSZ_\w+", page.read_text(encoding="utf-8")))
        assert mentioned - {"HKSZ_"} <= known, page


@pytest.mark.parametrize("page", PAGES, ids=by_path)
def test_every_file_that_is_mentioned_exists(page: Path) -> None:
    for path in _PATH.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / path).exists(), path


def test_the_architecture_page_names_every_part() -> None:
    parts = {
        f"hksz_db/{part.name}{'/' if part.is_dir() else ''}"
        for part in (ROOT / "hksz_db").iterdir()
        if not part.name.startswith("__")
    }
    assert {part for part in parts if f"`{part}`" not in ARCHITECTURE} == set()
