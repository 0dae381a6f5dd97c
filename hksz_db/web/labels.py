"""The fields of documents, and their values, as the pages call them."""

from collections.abc import Iterator, Mapping, Sequence

from hksz_db.web.terms import term_of_any
from hksz_db.web.translating import gettext
from hksz_db.web.translating import marked as _
from hksz_db.web.wording import moment_in_words, time_in_words

FIELDS: Mapping[str, str] = {
    "accumulation": _("how it is counted"),
    "added_by": _("added by"),
    "against": _("against it"),
    "amount": _("amount"),
    "archive_url": _("archived at"),
    "as_stated": _("as stated"),
    "attributed_to": _("whom it reports"),
    "breakdown": _("part of the whole"),
    "canonical_url": _("address for comparison"),
    "capture_id": _("copy that was read"),
    "captures": _("copies that have been read"),
    "char_length": _("length in characters"),
    "claim": _("claim"),
    "claimant": _("claimant"),
    "claimant_as_stated": _("claimant as stated"),
    "comparator": _("the figure is"),
    "comparisons": _("comparisons"),
    "container_title": _("published in"),
    "contested_by": _("contradicted by"),
    "contributors": _("contributors"),
    "corroboration": _("support"),
    "counted": _("counts as an origin"),
    "created_at": _("created at"),
    "credited_as": _("credited as"),
    "credited_name": _("credited name"),
    "csl_type": _("kind"),
    "definition": _("definition"),
    "derived_from_id": _("passage from which it was taken"),
    "description": _("description"),
    "dimension": _("quantity"),
    "directness": _("directness"),
    "doi": _("DOI"),
    "due": _("due date"),
    "duration": _("distance in time"),
    "during": _("during"),
    "earliest": _("at the earliest"),
    "edtf": _("date"),
    "end_char": _("end of the passage"),
    "entities": _("entities"),
    "entity": _("entity"),
    "estimate": _("state of the estimate"),
    "evidence": _("passages"),
    "exact": _("exactly this number"),
    "exact_sha256": _("hash of the passage"),
    "external_id": _("id"),
    "figures": _("figures"),
    "for": _("for it"),
    "hints": _("hints"),
    "holds_for": _("holds for"),
    "id": _("id"),
    "identifiers": _("identifiers"),
    "independent": _("independent voices"),
    "interest": _("interest"),
    "issued": _("published"),
    "issued_note": _("note on the date"),
    "key": _("key"),
    "kind": _("kind"),
    "known_at": _("known at"),
    "label": _("label"),
    "language": _("language"),
    "latest": _("at the latest"),
    "lower_bound": _("lower bound"),
    "measure": _("what it states"),
    "media_type": _("kind of file"),
    "metric": _("what is counted"),
    "modality": _("kind of statement"),
    "modifier": _("how the time is meant"),
    "name": _("name"),
    "name_language": _("language of the name"),
    "names": _("names"),
    "nonnegative": _("never below zero"),
    "normalization": _("form of the text"),
    "note": _("note"),
    "object": _("object"),
    "origins": _("origins"),
    "own": _("the claimant’s own voice"),
    "page": _("page"),
    "parties": _("voices of parties"),
    "pending": _("waiting for review"),
    "period": _("period"),
    "plausible_range": _("what readers understand"),
    "prefix_sha256": _("hash of the words before"),
    "publisher_place": _("place of publication"),
    "qualifier": _("more exactly"),
    "range_rule": _("rule of the range"),
    "rating_as_stated": _("rating of the fact check"),
    "reason": _("reason"),
    "recounting": _("waits for a recount"),
    "relations": _("relations"),
    "relative": _("relative to its source"),
    "reported_by": _("as reported by"),
    "retracted": _("retracted"),
    "retracted_at": _("retracted at"),
    "retrieved_at": _("read on"),
    "review_note": _("reviewer’s note"),
    "reviewed_at": _("reviewed at"),
    "reviewed_by": _("reviewed by"),
    "rights": _("rights"),
    "role": _("role"),
    "said": _("said on"),
    "scheme": _("kind of identifier"),
    "similar": _("similar entries"),
    "source": _("source"),
    "sources": _("sources"),
    "stance": _("stance"),
    "standing": _("whose voice"),
    "start_char": _("beginning of the passage"),
    "statement": _("statement"),
    "statements": _("translations"),
    "status": _("state"),
    "subject": _("subject"),
    "suffix_sha256": _("hash of the words after"),
    "text": _("text"),
    "text_sha256": _("hash of the text"),
    "time": _("time"),
    "title": _("title"),
    "title_supplied": _("title supplied"),
    "to": _("target"),
    "topics": _("topics"),
    "translated_by": _("translated by"),
    "unit_code": _("unit"),
    "updated_at": _("changed at"),
    "upper_bound": _("upper bound"),
    "url": _("address"),
    "value": _("value"),
    "value_range": _("what the words allow"),
    "verdict": _("verdict"),
    "version": _("version"),
    "via": _("by way of"),
    "voice": _("who speaks"),
}
"""The fields that a change of a row can name."""

_LOOSE = "loose_"
# Fields of several kinds of rows have a name in common; the first vocabulary with the term counts.
_VOCABULARIES: Mapping[str, Sequence[str]] = {
    "accumulation": ("Accumulation",),
    "comparator": ("Comparator",),
    "csl_type": ("CslType",),
    "dimension": ("Dimension",),
    "directness": ("Directness",),
    "estimate": ("Estimate",),
    "interest": ("Interest",),
    "kind": ("ClaimRelationKind", "SourceRelationKind", "EntityRelationKind", "EntityKind"),
    "measure": ("MetricMeasure",),
    "modality": ("Modality",),
    "reason": ("Uncounted",),
    "role": ("ClaimEntityRole", "ContributorRole"),
    "scheme": ("IdentifierScheme",),
    "stance": ("Stance",),
    "standing": ("Standing",),
    "status": ("ClaimStatus",),
    "verdict": ("CorroborationVerdict", "ComparisonVerdict"),
}
# Readers know rows by their names, which stand beside these.
_IDS = {"id", "source_id", "evidence_id", "origin_ids"}
_DAYS = {"edtf", "earliest", "latest"}
_SIDES = {"for", "against"}
_NAMES = ("name", "statement", "title", "label")


def field_in_words(name: str) -> str:
    """A field as the pages call it; one that follows from others keeps its name."""
    if name.startswith(_LOOSE):
        field = field_in_words(name.removeprefix(_LOOSE))
        return gettext("%(field)s, without typography", field=field)
    label = FIELDS.get(name)
    return name.replace("_", " ") if label is None else gettext(label)


def place_in_words(pointer: str) -> str:
    """A JSON pointer into a document: the second passage's state is ``passages 2 state``."""
    parts = pointer.strip("/").split("/")
    return " ".join(
        str(int(part) + 1) if part.isdigit() else field_in_words(part) for part in parts
    )


def value_in_words(value: object, name: str) -> str:
    """The value of a field in words: a row by its name, and a list or an object line by line."""
    match value:
        case None:
            return ""
        case bool():
            return gettext("yes") if value else gettext("no")
        case list():
            return "\n".join(value_in_words(each, name) for each in value)
        case dict():
            return "\n".join(_lines(value))
        case str():
            return _text_in_words(value, name)
    return str(value)


def _text_in_words(value: str, name: str) -> str:
    if name in _DAYS:
        return time_in_words(value)
    if name.endswith("_at"):
        return moment_in_words(value)
    if name == "stance" and value in _SIDES:
        return field_in_words(value)
    return term_of_any(_VOCABULARIES[name], value) if name in _VOCABULARIES else value


def _lines(value: Mapping[str, object]) -> Iterator[str]:
    named = next((str(value[name]) for name in _NAMES if value.get(name)), "")
    if "id" in value and named:
        yield named
        return
    for name, part in value.items():
        if name not in _IDS and (said := value_in_words(part, name)):
            yield gettext("%(field)s: %(value)s", field=field_in_words(name), value=said)
