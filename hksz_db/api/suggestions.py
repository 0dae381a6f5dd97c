"""``/v1/suggest``: names while somebody types them."""

import json

from flask import Response

from hksz_db.api import answers
from hksz_db.api.calls import Call, Section
from hksz_db.domain.strict_json import compact
from hksz_db.http.languages import preference, rename
from hksz_db.http.requests import arguments, database
from hksz_db.queries.suggestions import suggestions
from schemas.suggestions import DEFAULT_LIMIT, SUGGESTING, SuggestionSchema, SuggestionsSchema


def _suggest() -> Response:
    """Suggest entities, metrics, units and topics by the beginning of a word of any name.

    Names in every language are found, in simplified and traditional script. A name must have all
    words of `q`. Exact names come first, then names that begin with `q`, then others; among these,
    those that are used most. Rows that are merged or deleted are not suggested.
    """
    given = SUGGESTING.read(arguments())
    limit = given.get("limit", DEFAULT_LIMIT)
    found = suggestions(database(), given["q"], given["kinds"], limit)
    preferred = preference(given.get("lang"))
    languages: tuple[str, ...] = ()
    if preferred is not None:
        suggested = json.loads(found)
        entities = [each for each in suggested if each["resource"] == "entities"]
        languages = rename(entities, preferred) if entities else ()
        found = compact(suggested)
    return answers.tagged(b'{"data":%b}' % found, languages)


SUGGESTIONS = Section(
    "suggest",
    SuggestionSchema,
    [Call("GET ", _suggest, SuggestionsSchema, parameters=SUGGESTING)],
)
