"""The question in the request's query string or body. All functions raise ``Malformed``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hksz_db.api.parameters import arguments
from hksz_db.api.resource import Listed, Resource
from hksz_db.exchange import exporting
from hksz_db.queries import questions
from hksz_db.queries.questions import Question, Reading


def from_query_string(resource: Listed) -> Question:
    """The question about a list."""
    return questions.read_list(resource.name, arguments())


def grouped(resource: Resource) -> tuple[Question, tuple[str, ...]]:
    """The filters, and the fields to group by."""
    return questions.read_aggregate(resource.name, arguments())


def exported(resource: Resource) -> exporting.Export:
    """The export: its format and the rows and fields that it holds."""
    return exporting.read_export(resource.name, arguments())


def from_tree(resource: Resource, body: Mapping[str, Any]) -> Question:
    """The question in the body of a query."""
    return questions.read_tree(resource.name, body)


def reading(resource: Resource) -> Reading:
    """The fields of one document, and as of which moment."""
    return questions.read_document(resource.name, arguments())


def version_fields(resource: Resource) -> tuple[str, ...]:
    """The fields of the document of a version."""
    return questions.read_document(resource.name, arguments(), questions.VERSION).fields


def paging() -> Question:
    """The page of a list that has one order and no filters."""
    return Question(**questions.PAGING.read(arguments()))


def read_as_of() -> datetime | None:
    """The moment of a read that takes no other parameter."""
    moment: datetime | None = questions.AS_OF.read(arguments()).get("as_of")
    return moment
