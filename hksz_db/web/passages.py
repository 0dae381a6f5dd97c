"""The evidence of a claim in the order of its origins."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from hksz_db.queries.document_types import Claim, Evidence, Source, Step, Weighed
from hksz_db.web.foreign import spoken
from hksz_db.web.origins import in_order
from hksz_db.web.terms import term
from hksz_db.web.translating import gettext


class Passage(NamedTuple):
    """A piece of evidence, with its source and how it was weighed.

    ``place`` is ``origin``, ``copy`` (of the origin before it) or ``aside``.
    """

    evidence: Evidence
    source: Source
    weighed: Weighed | None
    place: str
    relation: str | Markup


def passages_of(document: Claim) -> list[Passage]:
    """The evidence: each origin before its copies, and what counts before what does not."""
    evidence = {each["id"]: each for each in document["evidence"]}
    sources = {each["id"]: each for each in document["sources"]}
    corroboration = document["corroboration"]
    weighed = {each["evidence_id"]: each for each in corroboration["evidence"]}
    placed: dict[str, Passage] = {}

    def put(id: str, place: str, relation: str | Markup = "") -> None:
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
                _relation(steps, sources),
            )
    for id in evidence:
        put(id, "aside")
    return [*placed.values()]


def _relation(steps: Sequence[Step], sources: Mapping[str, Source]) -> str | Markup:
    if not steps:
        return ""
    first, last = steps[0], steps[-1]
    source = sources.get(last["source_id"])
    title = spoken(last["title"], None if source is None else source["language"])
    if first["kind"] == "derived_from":
        return escape(gettext("taken from %(title)s")) % {"title": title}
    relation = term("SourceRelationKind", first["kind"])
    return escape(gettext("%(relation)s “%(title)s”")) % {"relation": relation, "title": title}
