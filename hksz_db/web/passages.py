"""The evidence of a claim in the order of its origins."""

from collections.abc import Sequence
from typing import NamedTuple

from hksz_db.queries.document_types import Claim, Evidence, Source, Step, Weighed
from hksz_db.web.origins import in_order
from hksz_db.web.terms import term
from hksz_db.web.translating import gettext
from hksz_db.web.wording import time_in_words

_PUBLISHER, _AUTHOR = "publisher", "author"


class Passage(NamedTuple):
    """A piece of evidence, with its source and how it was weighed.

    ``place`` is ``origin``, ``copy`` (of the origin before it) or ``aside``.
    """

    evidence: Evidence
    source: Source
    weighed: Weighed | None
    place: str
    relation: str


def published(source: Source) -> str:
    """Who published a source, in what, and when."""
    names = [
        each["entity"]["name"]
        for role in (_PUBLISHER, _AUTHOR)
        for each in source["contributors"]
        if each["role"] == role
    ]
    container = source.get("container_title")
    # "HKSAR Government press releases" names its publisher already.
    names = [name for name in names[:1] if not (container and name in container)]
    issued = source["issued"]["edtf"] if "issued" in source else source["issued_edtf"]
    return ", ".join(part for part in (container, *names, time_in_words(issued)) if part)


def passages_of(document: Claim) -> list[Passage]:
    """The evidence: each origin before its copies, and what counts before what does not."""
    evidence = {each["id"]: each for each in document["evidence"]}
    sources = {each["id"]: each for each in document["sources"]}
    corroboration = document["corroboration"]
    weighed = {each["evidence_id"]: each for each in corroboration["evidence"]}
    placed: dict[str, Passage] = {}

    def put(id: str, place: str, relation: str = "") -> None:
        if id in evidence and id not in placed:
            source = sources.get(evidence[id]["source"]["id"], evidence[id]["source"])
            placed[id] = Passage(evidence[id], source, weighed.get(id), place, relation)

    for origin in in_order(corroboration["origins"]):
        via = sorted(origin["via"], key=lambda each: len(each["steps"]))
        for each in via:
            steps = each["steps"]
            has_origin = not via[0]["steps"]
            put(
                each["evidence_id"],
                "copy" if steps and has_origin else "origin",
                _relation(steps),
            )
    for id in evidence:
        put(id, "aside")
    return [*placed.values()]


def _relation(steps: Sequence[Step]) -> str:
    if not steps:
        return ""
    first, last = steps[0], steps[-1]
    if first["kind"] == "derived_from":
        return gettext("taken from %(title)s", title=last["title"])
    relation = term("SourceRelationKind", first["kind"])
    return gettext("%(relation)s “%(title)s”", relation=relation, title=last["title"])
