"""The fields of documents, and their values, as the pages call them."""

from collections.abc import Iterator, Mapping

from hksz_db.web.terms import term
from hksz_db.web.translating import gettext
from hksz_db.web.translating import marked as _
from hksz_db.web.wording import time_in_words

FIELDS: Mapping[str, str] = {
    "accumulation": _("how it is counted"),
    "added_by": _("added by"),
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
    "holds_for": _("holds for"),
    "id": _("id"),
    "identifiers": _("identifiers"),
    "interest": _("interest"),
    "issued": _("published"),
    "issued_note": _("note on the date"),
    "key": _("key"),
    "kind": _("kind"),
    "known_at": _("known at"),
    "label": _("label"),
    "language": _("language"),
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
    "page": _("page"),
    "period": _("period"),
    "plausible_range": _("what readers understand"),
    "prefix_sha256": _("hash of the words before"),
    "publisher_place": _("place of publication"),
    "qualifier": _("more exactly"),
    "range_rule": _("rule of the range"),
    "rating_as_stated": _("rating of the fact check"),
    "relations": _("relations"),
    "relative": _("relative to its source"),
    "reported_by": _("as reported by"),
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
    "version": _("version"),
}
"""The fields that a change of a row can name."""

_LOOSE = "loose_"
_VOCABULARIES = {
    "accumulation": "Accumulation",
    "comparator": "Comparator",
    "csl_type": "CslType",
    "dimension": "Dimension",
    "directness": "Directness",
    "estimate": "Estimate",
    "interest": "Interest",
    "measure": "MetricMeasure",
    "modality": "Modality",
    "stance": "Stance",
    "status": "ClaimStatus",
}
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
        case str() if name in _VOCABULARIES:
            return term(_VOCABULARIES[name], value)
        case str() if name == "edtf":
            return time_in_words(value)
    return str(value)


def _lines(value: Mapping[str, object]) -> Iterator[str]:
    named = next((str(value[name]) for name in _NAMES if value.get(name)), "")
    if "id" in value and named:
        yield named
        return
    for name, part in value.items():
        if name != "id" and (said := value_in_words(part, name)):
            yield gettext("%(field)s: %(value)s", field=field_in_words(name), value=said)
