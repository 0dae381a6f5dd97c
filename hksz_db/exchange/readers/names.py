"""Who made a work: persons and organisations as files name them, and the entities they become.

An entity is made for each distinct name in the namespace of the import. Its external id follows
from the name alone, so that the next import finds it again. Nothing is guessed about entities of
other namespaces: whoever knows that two are one merges them.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from hksz_db.domain.unicode_form import nfc
from hksz_db.domain.vocabulary import ContributorRole, EntityKind

_HAN = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff·]+")
# Of an agency, a ministry, a bureau, an institute, an association, a department, a newspaper.
_OFFICES = tuple("社部局院会會署厅廳处處报報")
_JOINED = ("'", "\u2019", "-")
_SLUG_LENGTH = 40
_DIGEST_LENGTH = 12


@dataclass(frozen=True)
class Name:
    """A person (``family`` or ``given``, and what goes with them) or an organisation."""

    kind: EntityKind
    family: str = ""
    given: str = ""
    particle: str = ""
    suffix: str = ""

    @property
    def text(self) -> str:
        """The name as one writes it: names in Han characters together, the family first."""
        if _HAN.fullmatch(self.family) and _HAN.fullmatch(self.given):
            return self.family + self.given
        return tidy(f"{self.given} {self._whole_family} {self.suffix}")

    @property
    def credited(self) -> str:
        """The name as catalogues print it, in which one sees what the family's name is."""
        if self.kind is EntityKind.ORGANISATION or not self.given:
            return self.text
        return tidy(", ".join(filter(None, (self._whole_family, self.given, self.suffix))))

    @property
    def _whole_family(self) -> str:
        space = "" if self.particle.endswith(_JOINED) else " "
        return f"{self.particle}{space}{self.family}".strip()


@dataclass(frozen=True)
class Credit:
    """What somebody did for a work; ``credited_as`` is the term of the file where it says more."""

    role: ContributorRole
    name: Name
    credited_as: str | None = None


def tidy(text: str) -> str:
    """The text in NFC on one line, with single spaces."""
    return " ".join(nfc(text).split())


def person(family: str, given: str = "", particle: str = "", suffix: str = "") -> Name:
    """A person by the parts of the name."""
    parts = (tidy(part) for part in (family, given, particle, suffix))
    return Name(EntityKind.PERSON, *parts)


def organisation(name: str) -> Name:
    """An organisation; names have one part."""
    return Name(EntityKind.ORGANISATION, tidy(name))


def inverted(text: str) -> Name:
    """A name as RIS has it: ``Family, Given, Suffix`` is a person, without a comma none.

    Except two or three Han characters, which are a person's unless they end as an office's.
    """
    family, *rest = (part.strip() for part in text.split(","))
    if not any(rest):
        is_person = _HAN.fullmatch(family) and 2 <= len(family) <= 3
        is_person = is_person and not family.endswith(_OFFICES)
        return person(family) if is_person else organisation(family)
    return person(family, rest[0], suffix=", ".join(rest[1:]))


def entity(name: Name, namespace: str) -> dict[str, Any]:
    """The entity of a name, as the body that makes it.

    The language is ``und``: a file says how somebody is called, not in which language.
    """
    text = name.text
    language = "und-Hani" if _HAN.fullmatch(text) else "und"
    return {
        "external_id": _external_id(name, namespace),
        "kind": str(name.kind),
        "names": [{"name": text, "language": language, "kind": "preferred"}],
    }


def _external_id(name: Name, namespace: str) -> str:
    key = unicodedata.normalize("NFKC", name.text).casefold()
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
    plain = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode()
    slug = "-".join(re.findall("[a-z0-9]+", plain))[:_SLUG_LENGTH].strip("-")
    return f"{namespace}:{name.kind}/{'-'.join(filter(None, (slug, digest)))}"
