"""Names of contributors, and their entities."""

import re

import pytest

from hksz_db.domain.vocabulary import EXTERNAL_ID_PATTERN
from hksz_db.exchange.readers.names import Name, inverted, organisation, person
from hksz_db.exchange.readers.works import entity
from schemas.entities import EntityCreateSchema


@pytest.mark.parametrize(
    ("name", "text", "credited"),
    [
        (person("Müller", "Jörg"), "Jörg Müller", "Müller, Jörg"),
        (person("Fontaine", "Jean", "de la"), "Jean de la Fontaine", "de la Fontaine, Jean"),
        (person("Almeida", "Luís", "d'"), "Luís d'Almeida", "d'Almeida, Luís"),
        (
            person("King", "Martin Luther", "", "Jr."),
            "Martin Luther King Jr.",
            "King, Martin Luther, Jr.",
        ),
        (person("肖", "发民"), "肖发民", "肖, 发民"),
        (person("Aristotle"), "Aristotle", "Aristotle"),
        (person("", "Madonna"), "Madonna", "Madonna"),
        (organisation("  World\n Bank "), "World Bank", "World Bank"),
    ],
)
def test_name_has_text_and_inverted_form(name: Name, text: str, credited: str) -> None:
    assert (name.text, name.credited) == (text, credited)


@pytest.mark.parametrize(
    ("written", "kind", "text"),
    [
        ("Doe, Jane", "person", "Jane Doe"),
        ("Doe, Jane, Jr.", "person", "Jane Doe Jr."),
        ("World Bank", "organisation", "World Bank"),
        ("World Bank,", "organisation", "World Bank"),
        ("张伟", "person", "张伟"),
        ("新华社", "organisation", "新华社"),
        ("歐陽修文", "person", "歐陽修文"),
        ("欧阳修", "person", "欧阳修"),
        ("中原地產", "organisation", "中原地產"),
        ("深圳市规划研究院", "organisation", "深圳市规划研究院"),
        ("Trade, Works and Tourism Branch", "organisation", "Trade, Works and Tourism Branch"),
        ("Doe, Jane, Sir", "person", "Jane Doe Sir"),
    ],
)
def test_ris_name_with_a_comma_is_a_person(written: str, kind: str, text: str) -> None:
    assert (inverted(written).kind, inverted(written).text) == (kind, text)


def test_external_id_of_an_entity_follows_from_its_name() -> None:
    made = entity(person("Müller", "Jörg"), "zotero")
    assert re.fullmatch(r"zotero:person/jorg-muller-[0-9a-f]{12}", made["external_id"])
    assert made["names"] == [{"name": "Jörg Müller", "language": "und", "kind": "preferred"}]
    alike = entity(person("MU\u0308LLER", "Jörg "), "zotero")
    assert alike["external_id"] == made["external_id"]


def test_external_id_depends_on_name_kind_and_namespace() -> None:
    names = [person("Müller", "Jörg"), person("Muller", "Jorg"), organisation("Jörg Müller")]
    made = [entity(name, "zotero")["external_id"] for name in names]
    made.append(entity(names[0], "ris")["external_id"])
    assert len(set(made)) == 4


@pytest.mark.parametrize(
    "name",
    [person("肖", "发民"), organisation("!?"), organisation("x" * 290), person("O'Neil", "Š")],
)
def test_every_name_makes_a_valid_entity(name: Name) -> None:
    made = entity(name, "a.b-c")
    assert re.fullmatch(EXTERNAL_ID_PATTERN, made["external_id"])
    assert EntityCreateSchema().load(made)
    if name.family == "肖":
        assert made["names"][0]["language"] == "und-Hani"
