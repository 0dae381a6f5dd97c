"""Works in files of citation managers, as the form of a new source shows them.

A file is read in memory and not kept. The record that is chosen travels in the form.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from werkzeug.datastructures import FileStorage

from hksz_db.domain.errors import Fault, Invalid
from hksz_db.exchange.bodies import objects
from hksz_db.exchange.readers.entries import ImportEntry, Unreadable
from hksz_db.exchange.reading import library_entries
from hksz_db.web.terms import term
from hksz_db.web.translating import gettext

FIELD = "file"
"""The field of the form that takes a file."""

WARNING = "warning"
"""The field of the form with each warning about the record that was chosen."""

MOST_BYTES = 500 * 1024
"""The longest form with a file; Werkzeug writes longer ones to the disk."""

MOST_RECORDS = 50
"""How many records of a file can be chosen from."""

MOST_WARNINGS = 100
"""How many warnings about a record are shown."""

_MOST_CHARACTERS = 2000
_COPIED = (
    "title",
    "csl_type",
    "container_title",
    "publisher_place",
    "url",
    "doi",
    "language",
    "issued_edtf",
    "issued_note",
    "rights",
)
_ROLES = ("author", "publisher")


class Record(NamedTuple):
    """A work of a file: the fields of the form, and what the reader warns about.

    ``fault`` says why it cannot be read; then there are no fields.
    """

    fields: Mapping[str, str]
    warnings: Sequence[str]
    fault: str = ""

    @property
    def packed(self) -> str:
        """The record as the value of a field; ``unpacked`` reads it."""
        return urlencode([*self.fields.items(), *((WARNING, each) for each in self.warnings)])


class Read(NamedTuple):
    """The first records of a file, and whether it has more."""

    records: Sequence[Record]
    has_more: bool


def unpacked(packed: str) -> Record:
    """The record that was chosen in a form."""
    pairs = parse_qsl(packed)
    fields = {name: value for name, value in pairs if name != WARNING}
    return Record(fields, [value for name, value in pairs if name == WARNING])


def read(file: FileStorage | None) -> Read:
    """The first records of a file. Raises ``Invalid`` if it has none that can be read."""
    if file is None or not file.filename:
        raise refused(gettext("Choose a file."))
    try:
        entries = [*islice(library_entries(file.filename, file.read()), MOST_RECORDS + 1)]
    except Unreadable as error:
        raise refused(str(error)) from error
    records = [_encodable(_record(each)) for each in entries[:MOST_RECORDS]]
    if all(each.fault for each in records):
        detail = records[0].fault if records else gettext("The file has no records.")
        raise refused(detail)
    return Read(records, len(entries) > MOST_RECORDS)


def refused(detail: str) -> Invalid:
    """The error of a file that cannot be read."""
    return Invalid("The file cannot be read.", [Fault("unreadable", detail, f"#/{FIELD}")])


def too_long() -> Invalid:
    """The error of a file that is too long."""
    detail = gettext(
        "The file may be at most %(size)s kB. Export fewer records.", size=MOST_BYTES // 1024
    )
    return refused(detail)


def _record(entry: ImportEntry) -> Record:
    if entry.item is None:
        details = " ".join(each.detail for each in entry.faults)
        return Record({}, (), f"{entry.place}: {details}"[:_MOST_CHARACTERS])
    item = entry.item
    fields = {name: str(item[name]) for name in _COPIED if item.get(name)}
    if item.get("title_supplied"):
        fields["title_supplied"] = "1"
    further = []
    names = {each["external_id"]: each for each in entry.entities}
    for each in objects(item.get("contributors")):
        role, entity = str(each["role"]), names[str(each["entity_external_id"])]
        name = entity["names"][0]
        if role in _ROLES and role not in fields:
            fields[role] = name["name"]
            fields[f"{role}_kind"] = entity["kind"]
            fields[f"{role}_language"] = name["language"]
        else:
            further.append(f"{name['name']} ({term('ContributorRole', role)})")
    warnings = [*entry.warnings]
    if further:
        # Like those of the readers, it is said in the language of the page when it is shown.
        warnings.append(f"The form has no field for: {', '.join(further)}"[:_MOST_CHARACTERS])
    return Record(fields, warnings)


def _encodable(record: Record) -> Record:
    """The record without lone surrogates, which JSON can have."""

    def clean(text: str) -> str:
        return text.encode(errors="replace").decode()

    fields = {name: clean(text) for name, text in record.fields.items()}
    return Record(fields, [clean(each) for each in record.warnings], clean(record.fault))
