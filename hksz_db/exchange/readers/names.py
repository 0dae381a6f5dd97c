"""The names of contributors, as citation managers write them."""

import re
from dataclasses import dataclass, field, replace
from html import unescape
from itertools import chain

from hksz_db.domain.han import HAN
from hksz_db.domain.unicode_form import nfc
from hksz_db.domain.vocabulary import EntityKind

IN_HAN = re.compile(f"[{HAN}·]+")
# Endings of agencies, ministries, bureaus, institutes, associations, departments, newspapers.
_OFFICES = tuple("社部局院会會署厅廳处處报報")
# Family names of two characters.
_COMPOUND = re.compile(
    "欧阳|歐陽|司徒|司[马馬]|[诸諸]葛|上官|皇甫|慕容|夏侯|公[孙孫]|令狐|端木|尉[迟遲]"
)
_OFFICE = re.compile(
    r"academy|administration|agency|association|authority|bank|board|branch|bureau|cent(?:er|re)|chamber"
    r"|college|commission|committee|comité|company|consortium|corporation|council|court|department|dept"
    r"|directorate|division|federation|foundation|fund|government|group|holdings|hospital"
    r"|institut[eo]?|laborator(?:y|ies)|library|limited|ltd|ministry|ministère|ministerium"
    r"|municipality|museum|network|observatory|office|organi[sz]ation|panel|parliament|police"
    r"|press|school|secretariat|service|services|society|task force|trust"
    r"|union|universit(?:y|é|ät)|universidad|working group",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"agriculture|(?:civil )?aviation|commerce|constitutional|culture|customs|development|economy"
    r"|education|environment|finance|fisheries|food|health|home|housing|immigration|industry"
    r"|information|innovation|labou?r|lands|leisure|marine|planning|science|security|sports"
    r"|technology|tourism|trade|transport|treasury|welfare|works|youth",
    re.IGNORECASE,
)
_COMPANY = re.compile(r"(?:Inc|Ltd|Limited|LLC|LLP|PLC|GmbH|Corp|Co|Pty)\.?")
_PREPOSITION = re.compile(r"\b(?:of|for|the|on)\b")
_AND = re.compile(r"(?:\band\b|&)")
_SUFFIX = re.compile(
    r"(?:[Jj]r|[Ss]r|Sir|Dame|Dr|Prof|Esq|Ph\.?\s?D|M\.?D|[2-9](?:nd|rd|th)|[A-Z]{2,5})\.?"
)
_CAPITALISED = re.compile(r"[A-Z][\w'.-]+")
_WITH_INITIALS = re.compile(r"[^\s,]+(?: (?:[A-Z]\.?){1,3})+")
_ACRONYM = re.compile("[A-Z]{3,}")
_MORE = r"(?:others|et\.?\s*al(?:ii|iae|ia)?\.?)"
_OTHERS = re.compile(rf"[\s,;({{[]*(?:(?:and|&)\s+)?{_MORE}[\s)}}\].]*|等人?", re.IGNORECASE)
_AND_OTHERS = re.compile(
    rf"(?:[\s,;]+(?:and|&)\s+others|[\s,;(\[]+{_MORE.replace('others|', '')}[\s)\]]*"
    rf"|(?<=[{HAN}])\s*等人?)$",
    re.IGNORECASE,
)
# Personal data; an account such as @name@example.org is public.
EMAIL = re.compile(r"(?<![\w.+@-])[\w.+-]+@[\w-]+\.\w")
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);", re.IGNORECASE)
# What programs and libraries write where nobody is named.
_NOBODY = re.compile(
    r"(?i:\[?anon(?:ymous)?\.?\]?|(?:author )?unknown(?: author)?|no author|\[?s\.\s?n\.?\]?)|N/?A"
    r"|佚名|[无無]名氏|不[详詳]|[\W_]*"
)
_JOINED = ("'", "\u2019", "-")


@dataclass(frozen=True)
class Name:
    """The name of a person, in parts, or of an organisation, as ``family``.

    ``doubt`` is the question that it leaves open, for a warning.
    """

    kind: EntityKind
    family: str = ""
    given: str = ""
    particle: str = ""
    suffix: str = ""
    doubt: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        """The full name; in Han characters the family name comes first, without a space."""
        if IN_HAN.fullmatch(self.family) and IN_HAN.fullmatch(self.given):
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


def tidy(text: str) -> str:
    """Normalise to NFC, on one line with single spaces."""
    return " ".join(nfc(text).split())


def person(family: str, given: str = "", particle: str = "", suffix: str = "") -> Name:
    """The name of a person."""
    family, given, particle, suffix = (
        tidy(unescaped(part)) for part in (family, given, particle, suffix)
    )
    return Name(EntityKind.PERSON, family, given, particle, suffix)


def organisation(name: str) -> Name:
    """The name of an organisation."""
    return Name(EntityKind.ORGANISATION, tidy(unescaped(name)))


def as_it_stands(text: str) -> Name:
    """What may be several names, as one."""
    return replace(organisation(text), doubt="several names? kept as one")


def acronym(text: str) -> Name:
    """The name of an organisation, unless it is a family name in capitals, such as ``LIU``."""
    return replace(organisation(text), doubt="a family name? kept as an organisation")


def unescaped(text: str) -> str:
    """The text without entities of HTML; ``R&D`` stays."""
    return _ENTITY.sub(lambda entity: unescape(entity[0]), text)


def han_list(text: str) -> list[Name]:
    """The names of a list in Han characters, such as ``陈大文、李小明``; empty for other texts."""
    groups = [group for group in map(str.strip, re.split("[;；]", text)) if group]  # noqa: RUF001
    if len(groups) > 1 and all(IN_HAN.fullmatch(re.sub(r"[\s、，,]", "", each)) for each in groups):  # noqa: RUF001
        return list(chain.from_iterable(han_list(each) or [inverted(each)] for each in groups))
    parts = [part for part in re.split(r"\s*[、，,]\s*", text.strip()) if part]  # noqa: RUF001
    if len(parts) < 2 or not all(map(IN_HAN.fullmatch, parts)):
        return []
    if "、" not in text and len(parts) == 2 and len(parts[0]) == 1:
        return [person(*parts)]
    if not all(2 <= len(part) <= 4 and not part.endswith(_OFFICES) for part in parts):
        return []
    # Family names have at most two characters, so that these may be one or two persons.
    if "、" in text or len(parts) > 2 or len(parts[0]) > 2:
        return list(map(person, parts))
    return [as_it_stands(text)] if "，" in text else []  # noqa: RUF001


def is_office(text: str) -> bool:
    """Whether the words are those of an office rather than of a person."""
    if IN_HAN.fullmatch(text):
        return "·" not in text and (len(text) > 4 or text.endswith(_OFFICES))
    return _is_office([part for part in map(str.strip, text.split(",")) if part])


def begins_office(text: str) -> bool:
    """Whether "and" and an office may follow: one word, subjects, or one word after an office."""
    *before, last = map(str.strip, text.split(","))
    if not re.fullmatch("[A-Z][a-z]+", last):
        return False
    return all(map(_SUBJECT.fullmatch, [*before, last])) or not before or _is_office(before)


def is_acronym(text: str) -> bool:
    """Whether the name may be an acronym, such as HKMA."""
    return _ACRONYM.fullmatch(text) is not None


def have_initials(text: str) -> bool:
    """Whether these are several names such as ``Doe J, Roe K``."""
    parts = text.split(",")
    return len(parts) > 1 and all(_WITH_INITIALS.fullmatch(part.strip()) for part in parts)


def is_nobody(text: str) -> bool:
    """Whether the words only say that nobody is named."""
    return _NOBODY.fullmatch(text) is not None


def inverted(text: str) -> Name:
    """Parse a name of RIS: ``Family, Given, Suffix`` is a person, a name without comma is not.

    Two or three Han characters are a person, and four that begin with a family name of two, unless
    they end like an office. Names of offices may have commas, and programs may put several names on
    one line, which are left as they stand.
    """
    parts = [part for part in map(str.strip, text.split(",")) if part]
    name = ", ".join(parts)
    # Only names of persons are transliterated with a dot.
    most = 4 if _COMPOUND.match(name) else 3
    is_short = 2 <= len(name) <= most and not name.endswith(_OFFICES)
    if IN_HAN.fullmatch(name) and (is_short or "·" in name.strip("·")):
        return person(name)
    if _is_office(parts):
        return organisation(name)
    if len(parts) < 2:
        # Three persons and more, as far as their words tell.
        is_list = _capitalised(name) >= 6 and _capitalised(name) % 2 == 0
        is_list = is_list or bool(_AND.search(name))
        return as_it_stands(name) if is_list else organisation(name)
    family, given, *rest = parts
    is_list = any(map(_AND.search, parts)) or not all(map(_is_suffix, rest))
    is_list = is_list or have_initials(f"{family}, {given}")
    if is_list or _capitalised(family) >= 4:
        return as_it_stands(name)
    return person(family, given, suffix=", ".join(rest))


def _capitalised(text: str) -> int:
    """The number of words, if all begin with a capital."""
    words = text.split()
    return len(words) if all(map(_CAPITALISED.fullmatch, words)) else 0


def _is_office(parts: list[str]) -> bool:
    for number, part in enumerate(parts):
        words = part.split()
        # Family names such as Press are words for offices, too.
        named = number > 0 or len(words) > 1
        if named and any(_OFFICE.fullmatch(word.strip(".()")) for word in words):
            return True
        if _PREPOSITION.search(part) or (number > 0 and _COMPANY.fullmatch(part)):
            return True
    return False


def _is_suffix(part: str) -> bool:
    return bool(_SUFFIX.fullmatch(part) or _OTHERS.fullmatch(part))


def without_et_al(text: str) -> str:
    """The text without ``et al.`` or ``and others`` at its end."""
    return _AND_OTHERS.sub("", text)


def without_others(name: Name) -> Name | None:
    """The name without ``et al.``; None if it names no one else."""
    if _OTHERS.fullmatch(name.text):
        return None
    return replace(
        name,
        family=_without_others(name.family),
        given=_without_others(name.given),
        suffix=_without_others(name.suffix),
    )


def _without_others(text: str) -> str:
    return "" if _OTHERS.fullmatch(text) else without_et_al(text)
