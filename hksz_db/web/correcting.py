"""What authors may correct in a claim of theirs: its words, its time, and its figures as stated."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from hksz_db.domain.errors import Invalid
from hksz_db.domain.stated_figures import is_exactly
from hksz_db.domain.vocabulary import Dimension
from hksz_db.queries.document_types import Claim, Figure
from hksz_db.services import batches
from hksz_db.services.figures import UNITLESS, read_words
from hksz_db.services.loading import load
from hksz_db.services.registry import WRITERS
from hksz_db.services.rows import Row, lock_rows
from hksz_db.web.forms import Write, require
from hksz_db.web.submissions import as_edtf, written
from hksz_db.web.translating import gettext

TEXT, TIME = "text", "time_edtf"
_FIGURE = "figure-"
_UNREAD = dict.fromkeys(("amount", "lower_bound", "upper_bound"))


def name_of(figure: Figure) -> str:
    """The field of the form with the words of a figure."""
    return f"{_FIGURE}{figure['id']}"


def fields_of(claim: Claim) -> dict[str, str]:
    """What the fields of the form begin with."""
    figures = {name_of(figure): figure["as_stated"] for figure in claim["figures"]}
    return {TEXT: claim["statement"], TIME: claim["time"]["edtf"] or "", **figures}


def correct_claim(write: Write, id: UUID) -> Claim:
    """Correct a claim and submit it again; its document.

    A figure whose words differ is read again. Raises ``Invalid`` with the fields that are wrong,
    and what ``batches.update`` raises.
    """
    stored: Claim = written(write.session, "claims", id)
    changed: Row = {"statement": require(write.form, TEXT, gettext("Enter the claim."))}
    typed = write.form.value(TIME).strip()
    if typed != (stored["time"]["edtf"] or ""):
        changed[TIME] = as_edtf(typed) if typed else None
    fields = load(WRITERS["claims"].patch_schema(), {**changed, "status": "submitted"})
    batches.update(write.session, "claims", id, write.versions, fields, write.rules)
    for figure in stored["figures"]:
        words = write.form.value(name_of(figure), figure["as_stated"]).strip()
        if words != figure["as_stated"]:
            _correct_figure(write, figure, words)
    claim: Claim = written(write.session, "claims", id)
    return claim


def _correct_figure(write: Write, figure: Figure, words: str) -> None:
    try:
        given = load(WRITERS["figures"].patch_schema(), {"as_stated": words})
        read = _read(write, figure, words)
        fields = {**given, **_UNREAD, **read, "exact": is_exactly(words)}
        batches.update(write.session, "figures", UUID(figure["id"]), None, fields, write.rules)
    except Invalid as error:
        faults = [replace(fault, pointer=f"#/{name_of(figure)}") for fault in error.faults]
        raise Invalid(error.detail, faults) from error


def _read(write: Write, figure: Figure, words: str) -> Row:
    """What the words state. Words that name no unit keep the one that the figure has."""
    id = UUID(figure["metric"]["id"])
    metric = lock_rows(write.session, "metrics", ("dimension", "measure"), [id], "SHARE")[id]
    read = read_words({"as_stated": words, "unit_code": figure["unit_code"]}, metric, "#")
    is_bare = read["unit_code"] == UNITLESS and metric["dimension"] == Dimension.COUNT
    return {**read, "unit_code": figure["unit_code"]} if is_bare else read


def labels_of(claims: Iterable[Any]) -> Mapping[str, str]:
    """What the fields of the forms are called."""
    figures = {name_of(figure): "As stated" for claim in claims for figure in claim["figures"]}
    return {TEXT: "Statement", TIME: "Time", **figures}
