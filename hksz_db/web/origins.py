"""The map of the origins of a claim: copies lead to origins, and origins to the claim."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hksz_db.queries import document_types
from hksz_db.queries.document_types import Via
from hksz_db.web.citing import issued, publisher
from hksz_db.web.terms import term
from hksz_db.web.translating import gettext
from hksz_db.web.wording import joined

MOST_SOURCES = 12
"""Above this many sources, the copies of an origin are drawn as their number."""

_ROW = 52.0
_GAP = 14.0
_TOP = 30.0
_COPY_COLUMN = 250.0
_TITLE_WIDTH, _COPY_WIDTH, _PUBLISHER_WIDTH = 38, 27, 24


@dataclass
class Copy:
    """A source that adds no origin, how it relates to the one it leads to, and its height."""

    title: str
    language: str | None
    relation: str
    y: float = 0.0


@dataclass
class Origin:
    """An origin, as it is drawn at the height ``y``."""

    title: str
    language: str | None
    publisher: str
    issued: str
    label: str
    counted: bool
    side: str
    copies: list[Copy] = field(default_factory=list)
    folded: int = 0
    y: float = 0.0


@dataclass(frozen=True)
class OriginMap:
    """The origins from top to bottom, and the size of the picture, which begins at ``left``."""

    origins: list[Origin]
    more: int
    left: float
    height: float
    middle: float


def origin_map(
    found: Iterable[document_types.Origin],
    stances: Mapping[str, str],
    sources: Mapping[str, document_types.Source],
) -> OriginMap | None:
    """Lay out the origins of a corroboration; ``None`` if there are none.

    ``stances`` are those of the pieces of evidence, and ``sources`` those that are known; by id.
    """
    ordered = in_order(found)
    if not ordered:
        return None
    is_folded = sum(1 + len(_copies(each)) for each in ordered) > MOST_SOURCES
    drawn = [_origin(each, stances, sources, is_folded) for each in ordered[:MOST_SOURCES]]
    bottom = _place(drawn)
    has_copies = any(each.copies or each.folded for each in drawn)
    return OriginMap(
        origins=drawn,
        more=len(ordered) - len(drawn),
        left=0.0 if has_copies else _COPY_COLUMN + 90,
        height=max(bottom, 84.0),
        middle=(drawn[0].y + drawn[-1].y) / 2 if len(drawn) > 1 else max(drawn[0].y, 34.0),
    )


def in_order(found: Iterable[document_types.Origin]) -> list[document_types.Origin]:
    """The origins for the claim before those against it, and those that count first."""
    return sorted(found, key=lambda each: (each["stance"] == "against", not each["counted"]))


def described(drawn: OriginMap) -> str:
    """The map in words."""
    return joined(_sentences(drawn))


def cut(text: str, width: int) -> str:
    """The text, shortened to a width in Latin letters; a Han character is as wide as two."""
    taken = 0
    for place, character in enumerate(text):
        taken += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if taken > width:
            return f"{text[: place - 1].rstrip(' ,.;:')}…"
    return text


def _copies(origin: document_types.Origin) -> list[Via]:
    # Two passages of one source are one copy.
    copies = {via["source_id"]: via for via in origin["via"] if via["steps"]}
    return [*copies.values()]


def _origin(
    found: document_types.Origin,
    stances: Mapping[str, str],
    sources: Mapping[str, document_types.Source],
    is_folded: bool,
) -> Origin:
    own = [stances[via["evidence_id"]] for via in found["via"] if not via["steps"]]
    any_stance = own or [stances[via["evidence_id"]] for via in found["via"]]
    copies, label = _copies(found), term("Stance", any_stance[0])
    source = sources.get(found["source_id"])
    return Origin(
        title=cut(found["title"], _TITLE_WIDTH),
        language=_language(found["source_id"], sources),
        publisher="" if source is None else cut(publisher(source).striptags(), _PUBLISHER_WIDTH),
        issued="" if source is None else issued(source),
        label=label,
        counted=found["counted"],
        side=found["stance"],
        copies=[]
        if is_folded
        else [
            Copy(
                cut(via["title"], _COPY_WIDTH),
                _language(via["source_id"], sources),
                _relation(via["steps"][0]["kind"]),
            )
            for via in copies
        ],
        folded=len(copies) if is_folded else 0,
    )


def _language(id: str, sources: Mapping[str, document_types.Source]) -> str | None:
    return sources[id]["language"] if id in sources else None


def _relation(kind: str) -> str:
    if kind == "derived_from":
        return gettext("taken from")
    return term("SourceRelationKind", kind)


def _place(origins: list[Origin]) -> float:
    """Give each origin and copy its height; return that of the picture."""
    top = _TOP
    for each in origins:
        rows = max(len(each.copies), 1)
        for number, copy in enumerate(each.copies):
            copy.y = top + _ROW * number
        each.y = top + _ROW * (rows - 1) / 2
        top += _ROW * rows + _GAP
    return top - _GAP - _ROW + 38


def _sentences(drawn: OriginMap) -> Iterator[str]:
    for each in drawn.origins:
        names = {"title": each.title, "stance": each.label}
        if each.counted:
            yield gettext("%(title)s %(stance)s the claim and counts as an origin.", **names)
        else:
            yield gettext("%(title)s %(stance)s the claim and adds no origin.", **names)
        for copy in each.copies:
            yield gettext(
                "%(copy)s: %(relation)s it, and adds no origin.",
                copy=copy.title,
                relation=copy.relation,
            )
        if each.folded:
            yield gettext("Its %(number)s copies add no origin.", number=each.folded)
    if drawn.more:
        yield gettext("The list has %(number)s more.", number=drawn.more)
