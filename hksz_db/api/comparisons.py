"""``/v1/comparisons`` and ``/v1/figures/{id}/comparisons``: which figures agree or contradict."""

from inspect import getdoc
from uuid import UUID

from flask import Response

from hksz_db.api import answers
from hksz_db.api.calls import Call, Section
from hksz_db.api.parameters import arguments
from hksz_db.api.resource import Listed, Resource
from hksz_db.queries.questions import LIST, parameters, read_list
from schemas.pages import page_schema


def comparisons_section(comparisons: Listed) -> Section:
    """The call that lists all comparisons."""

    def list_() -> Response:
        """List {name}, a page at a time."""
        return answers.comparisons(comparisons, read_list(comparisons.name, arguments()))

    call = Call(
        "GET ",
        list_,
        page_schema(comparisons.model, comparisons.document),
        headers=("ETag", "Link"),
        parameters=parameters(comparisons.name, LIST),
    )
    return Section(comparisons.name, getdoc(comparisons.document) or "", [call])


def list_comparisons_of(comparisons: Listed, figures: Resource) -> Call:
    """``GET /v1/figures/{id}/comparisons``."""

    def list_comparisons(id: UUID) -> Response:
        """List the comparisons of one figure."""
        return answers.comparisons(
            comparisons, read_list(comparisons.name, arguments()), of=(figures, id)
        )

    return Call(
        "GET /<uuid:id>/comparisons",
        list_comparisons,
        page_schema(comparisons.model, comparisons.document),
        headers=("ETag", "Link"),
        parameters=parameters(comparisons.name, LIST),
        errors=(410,),
    )
