"""The names of contributors, and the entities that an import creates for them.

Each distinct name becomes an entity in the namespace of the import. Its external id follows from
the name alone, so that the next import finds it again. It does not match entities of other
namespaces; if two entities turn out to be the same, they can be merged.
"""

import re
import unicodedata
from dataclasses import dataclass

from hksz_db.domain.unicode_form import nfc
from hksz_db.domain.vocabulary import ContributorRole, EntityKind
from hksz_db.exchange.readers.entries import Item, digest

_HAN = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff·]+")
# Endings of agencies, ministries, bureaus, institutes, associations, departments, newspapers.
_OFFICES = tuple("社部局院会會署厅廳处處报報")
_JOINED = ("'", "\u2019", "-")
_SLUG_LENGTH = 40
_DIGEST_LENGTH = 12


@dataclass(frozen=True)
class Name:
    """The name of a person, in parts, or of an organisation, as ``family``."""

    kind: EntityKind
    family: str = ""
    given: str = ""
    particle: str = ""
    suffix: str = ""

    @property
    def text(self) -> str:
        """The full name; in Han characters the family name comes first, without a space."""
        if _HAN.fullmatch(self.family) and _HAN.fullmatch(self.given):
            return self.family + self.given
        return tidy(f"{self.given} {self._whole_family} {self.suffix}")

    @property
    def credited(self) -> str:
        """The name as catalogues print it, with the family name first: ``Müller, Jörg``."""
        if self.kind is EntityKind.ORGANISATION or not self.given:
            return self.text
        return tidy(", ".join(filter(None, (self._whole_family, self.given, self.suffix))))

    @property
    def _whole_family(self) -> str:
        space = "" if self.particle.endswith(_JOINED) else " "
        return f"{self.particle}{space}{self.family}".strip()


@dataclass(frozen=True)
class Credit:
    """A contribution to a work; ``credited_as`` is the term in the file if it is more specific."""

    role: ContributorRole
    name: Name
    credited_as: str | None = None


def tidy(text: str) -> str:
    """Normalise to NFC, on one line with single spaces."""
    return " ".join(nfc(text).split())


def person(family: str, given: str = "", particle: str = "", suffix: str = "") -> Name:
    """The name of a person."""
    parts = (tidy(part) for part in (family, given, particle, suffix))
    return Name(EntityKind.PERSON, *parts)


def organisation(name: str) -> Name:
    """The name of an organisation."""
    return Name(EntityKind.ORGANISATION, tidy(name))


def inverted(text: str) -> Name:
    """Parse a name of RIS: ``Family, Given, Suffix`` is a person, a name without comma is not.

    Two or three Han characters are a person, unless they end like an office.
    """
    family, *rest = (part.strip() for part in text.split(","))
    if not any(rest):
        is_person = _HAN.fullmatch(family) and 2 <= len(family) <= 3
        is_person = is_person and not family.endswith(_OFFICES)
        return person(family) if is_person else organisation(family)
    return person(family, rest[0], suffix=", ".join(rest[1:]))


def entity(name: Name, namespace: str) -> Item:
    """The body that creates the entity.

    The language of the name is ``und``, because files do not give it.
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
    plain = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode()
    slug = "-".join(re.findall("[a-z0-9]+", plain))[:_SLUG_LENGTH].strip("-")
    return f"{namespace}:{name.kind}/{'-'.join(filter(None, (slug, digest(key)[:_DIGEST_LENGTH])))}"
