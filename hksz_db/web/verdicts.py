"""The verdict on a claim, in sentences that say what it means."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hksz_db.queries.document_types import ChangedCounts, Corroboration
from hksz_db.web.translating import gettext, ngettext

_MOST_MARKS = 5
_MOST_HOLLOW = 3


class Marks(NamedTuple):
    """A mark for each origin for the claim, each further source, and each origin against it."""

    origins: int
    further: int
    against: int

    @property
    def width(self) -> int:
        """The width of the drawing."""
        sides = 12 * (self.origins + self.further), 12 * self.against
        return sum(sides) + (6 if all(sides) else 0) or 12


class Verdict(NamedTuple):
    """The verdict: its term, a headline, and sentences."""

    term: str
    headline: str
    sentences: list[str]
    marks: Marks


def marks_of(corroboration: Corroboration) -> Marks:
    """The marks of a claim; above a limit, further ones are left out."""
    for_, against = corroboration["for"], corroboration["against"]
    return Marks(
        min(for_["origins"], _MOST_MARKS),
        min(max(for_["sources"] - for_["origins"], 0), _MOST_HOLLOW),
        min(against["origins"], _MOST_MARKS),
    )


def verdict_of(corroboration: Corroboration) -> Verdict:
    """The verdict of a corroboration in words."""
    term: str = corroboration["verdict"]
    return Verdict(
        term, _headline(corroboration), [*_sentences(corroboration)], marks_of(corroboration)
    )


def _headline(corroboration: Corroboration) -> str:
    for_, against = corroboration["for"], corroboration["against"]
    origins = ngettext("%(num)s origin", "%(num)s origins", for_["origins"])
    opposed = ngettext("%(num)s origin", "%(num)s origins", against["origins"])
    match corroboration["verdict"]:
        case "corroborated":
            if for_["independent"] == for_["origins"]:
                return ngettext(
                    "Corroborated: %(num)s independent origin",
                    "Corroborated: %(num)s independent origins",
                    for_["origins"],
                )
            return gettext(
                "Corroborated: %(origins)s, %(independent)s of them independent",
                origins=origins,
                independent=for_["independent"],
            )
        case "confirmed_by_party":
            return gettext("Confirmed by a party: %(origins)s", origins=origins)
        case "shared":
            return gettext("Shared: %(origins)s", origins=origins)
        case "single_origin":
            return gettext("A single origin")
        case "disputed":
            return gettext(
                "Disputed: %(origins)s for it, %(opposed)s against it",
                origins=origins,
                opposed=opposed,
            )
        case "refuted":
            return gettext("Refuted: %(opposed)s against it", opposed=opposed)
    return gettext("Unsupported: no origin counts")


def _sentences(corroboration: Corroboration) -> Iterator[str]:
    for_, against = corroboration["for"], corroboration["against"]
    yield _meaning(corroboration["verdict"])
    if for_["sources"]:
        yield ngettext(
            "%(num)s source speaks for it.", "%(num)s sources speak for it.", for_["sources"]
        )
    further = for_["sources"] - for_["origins"]
    if further > 0:
        yield ngettext(
            "%(num)s of them is a copy, or comes from a voice that already counts, and adds"
            " nothing.",
            "%(num)s of them are copies, or come from voices that already count, and add nothing.",
            further,
        )
    if against["sources"]:
        yield ngettext(
            "%(num)s source speaks against it.",
            "%(num)s sources speak against it.",
            against["sources"],
        )
    elif for_["sources"]:
        yield gettext("No source speaks against it.")
    if pending := for_["pending"] + against["pending"]:
        yield ngettext(
            "%(num)s passage is waiting for review.",
            "%(num)s passages are waiting for review.",
            pending,
        )
    if corroboration["recounting"]:
        yield gettext("A recount is under way; these are the earlier counts.")


def _meaning(verdict: str) -> str:
    meanings = {
        "corroborated": gettext("Independent voices say the same."),
        "confirmed_by_party": gettext(
            "More than one voice says so, but at least one of them is a party to the matter."
        ),
        "shared": gettext("More than one voice holds this view; a view cannot be confirmed."),
        "single_origin": gettext("Everything that is known comes from one voice."),
        "disputed": gettext("There are origins on both sides."),
        "refuted": gettext("All origins that count speak against it."),
    }
    return meanings.get(verdict, gettext("Nothing that counts speaks for or against it."))


def changed_origins(counts: ChangedCounts) -> list[str]:
    """How many origins count on each side before a write, and once its passage is accepted."""
    before, after = counts["before"], counts["if_accepted"] or counts["after"]
    sides = {"for": gettext("For it"), "against": gettext("Against it")}
    return [
        f"{label}{gettext(': ')}{_change(before[side] if before else None, after[side])}"
        for side, label in sides.items()
        if side == "for" or after[side]["origins"] or (before and before[side]["origins"])
    ]


def _change(before: Mapping[str, int] | None, after: Mapping[str, int]) -> str:
    becomes = _origins(after)
    if before is None:
        return becomes
    was = _origins(before)
    if was == becomes:
        return gettext("still %(origins)s", origins=becomes)
    return gettext("from %(before)s to %(after)s", before=was, after=becomes)


def _origins(counts: Mapping[str, int]) -> str:
    origins = ngettext("%(num)s origin", "%(num)s origins", counts["origins"])
    if not counts["origins"]:
        return origins
    return gettext(
        "%(origins)s (%(independent)s independent)",
        origins=origins,
        independent=counts["independent"],
    )
