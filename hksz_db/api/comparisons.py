"""``/v1/comparisons`` and ``/v1/figures/{id}/comparisons``: what agrees, and what does not."""

from inspect import getdoc
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint

from hksz_db.api import answers, operations
from hksz_db.api.access import check_reader
from hksz_db.api.catalogue import COMPARISONS, FIGURES
from hksz_db.api.costs import Cost
from hksz_db.api.questions import from_query_string
from hksz_db.api.views import add_call


def comparisons_blueprint() -> Blueprint:
    """The blueprint of all comparisons."""
    blueprint = Blueprint(
        COMPARISONS.name,
        __name__,
        url_prefix=f"/v1/{COMPARISONS.name}",
        description=getdoc(COMPARISONS.document),
    )

    def list_comparisons() -> Response:
        check_reader()
        return answers.comparisons(COMPARISONS, from_query_string(COMPARISONS))

    add_call(
        blueprint,
        "GET ",
        "list",
        operations.listing(COMPARISONS),
        list_comparisons,
        cost=Cost.COSTLY,
    )
    return blueprint


def add_figure_comparisons(blueprint: Blueprint) -> None:
    """Add the call to the blueprint of the figures."""

    def list_comparisons(id: UUID) -> Response:
        check_reader()
        question = from_query_string(COMPARISONS)
        return answers.comparisons(COMPARISONS, question, of=(FIGURES, id))

    listing = operations.listing_within(COMPARISONS, FIGURES)
    add_call(
        blueprint,
        "GET /<uuid:id>/comparisons",
        "list_comparisons",
        listing,
        list_comparisons,
        cost=Cost.COSTLY,
    )
