"""The parameters of suggestions, and their schemas."""

from marshmallow import fields

from schemas.base import DocumentSchema
from schemas.fields import Choice, NameLanguage, Uuid
from schemas.filters import QueryInteger
from schemas.parameters import COMMON, MAX_SEARCH_LENGTH, Names, Parameters, SearchWords

KINDS = ("entities", "metrics", "units", "topics")
DEFAULT_LIMIT = 10

SUGGESTING = Parameters(
    {
        "q": SearchWords(
            required=True,
            error_messages={"required": "Say what the name begins with."},
            metadata={
                "description": "What was typed: the last word is the beginning of a word.",
                "maxLength": MAX_SEARCH_LENGTH,
            },
        ),
        "kinds": Names(
            "SuggestionKind", KINDS, "What to suggest; by default all.", load_default=KINDS
        ),
        "limit": QueryInteger(1, 50, description=f"How many at most, {DEFAULT_LIMIT} by default."),
        "lang": COMMON["lang"],
    },
    "suggest",
)


class MatchedNameSchema(DocumentSchema):
    """The name that was found, and its language, which only names of entities have."""

    name = fields.String()
    language = fields.String(allow_none=True)


class SuggestionSchema(DocumentSchema):
    """What somebody who types a name may mean.

    ``value`` is the value of filters on it: the id of an entity (``entities__id``), the key of a
    metric (``figures__metric``), the code of a unit (``figures__unit_code``) or a topic
    (``topics``). A topic has no ``id``. ``name`` is the name under which it is shown, and
    ``matched`` the one that was found. ``hint`` tells those with the same name apart: the kind of
    an entity, or the dimension of a metric or a unit.
    """

    resource = Choice("SuggestionKind", KINDS)
    id = Uuid(allow_none=True)
    value = fields.String()
    name = fields.String()
    name_language = NameLanguage()
    matched = fields.Nested(MatchedNameSchema)
    hint = fields.String(allow_none=True)
    description = fields.String(allow_none=True)


class SuggestionsSchema(DocumentSchema):
    """The suggestions, the best first."""

    data = fields.List(fields.Nested(SuggestionSchema))
