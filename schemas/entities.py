"""Schemas and filters of entities."""

from collections import Counter
from typing import Any

from marshmallow import ValidationError, fields, post_load

from hksz_db.domain.vocabulary import (
    EntityKind,
    EntityNameKind,
    EntityRelationKind,
    IdentifierScheme,
)
from schemas.base import DocumentSchema, InputSchema, VersionedSchema, patch_schema
from schemas.dates import PeriodSchema
from schemas.fields import (
    BoundedList,
    DecimalDocument,
    Edtf,
    ExternalId,
    LanguageTag,
    NameLanguage,
    Term,
    Text,
    Uuid,
)
from schemas.filters import (
    common_filters,
    days,
    filter_fields,
    ids,
    languages,
    names,
    of_related,
    places,
    presence,
    related,
    terms,
    words,
)
from schemas.identifiers import InvalidIdentifier, canonical
from schemas.summaries import ClaimSummarySchema, EntitySummarySchema


class EntityNameCreateSchema(InputSchema):
    """A name in one language."""

    name = Text(300, required=True)
    language = LanguageTag(required=True)
    kind = Term(EntityNameKind, required=True)


class EntityIdentifierCreateSchema(InputSchema):
    """An identifier of the entity in an external register; stored in canonical form.

    The forms are: a number for viaf and geonames; Q and a number for wikidata; nine characters for
    ror; with valid check digits, 16 characters for isni, 16 in groups of four for orcid, and 20 for
    lei. URLs at ror.org and orcid.org, other letter case, and spaces in an isni are accepted and
    converted.
    """

    scheme = Term(IdentifierScheme, required=True)
    value = Text(200, required=True)

    @post_load
    def make_canonical(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Convert the identifier to its canonical form."""
        try:
            return {**given, "value": canonical(given["scheme"], given["value"])}
        except InvalidIdentifier as error:
            raise ValidationError(str(error), "value") from None


class EntityRelationCreateSchema(InputSchema):
    """How the entity relates to another entity, and the claim that says so."""

    references = ("object", "claim")
    required = ("object",)
    kind = Term(EntityRelationKind, required=True)
    object_id = Uuid()
    object_external_id = ExternalId()
    qualifier = Text(300, allow_none=True, load_default=None)
    during_edtf = Edtf(allow_none=True, load_default=None)
    claim_id = Uuid(allow_none=True)
    claim_external_id = ExternalId(allow_none=True)


def _check_preferred(names: list[dict[str, Any]]) -> None:
    preferred = Counter(name["language"] for name in names if name["kind"] == "preferred")
    if not preferred:
        raise ValidationError("One name must be preferred, because the entity is shown under it.")
    for code, number in preferred.items():
        if number > 1:
            raise ValidationError(f"Only one name can be preferred in language {code}.")


class EntityCreateSchema(InputSchema):
    """A person, an organisation, a place or anything else that claims are about."""

    external_id = ExternalId(allow_none=True)
    kind = Term(EntityKind, required=True)
    description = Text(2000, allow_none=True)
    names = BoundedList(
        fields.Nested(EntityNameCreateSchema), minimum=1, required=True, validate=_check_preferred
    )
    identifiers = BoundedList(fields.Nested(EntityIdentifierCreateSchema))
    relations = BoundedList(fields.Nested(EntityRelationCreateSchema))


EntityPatchSchema = patch_schema(EntityCreateSchema)


class EntityNameSchema(DocumentSchema):
    """A name in one language."""

    name = fields.String()
    language = fields.String()
    kind = Term(EntityNameKind)


class EntityIdentifierSchema(DocumentSchema):
    """An identifier of the entity in an external register."""

    scheme = Term(IdentifierScheme)
    value = fields.String()


class EntityRelationSchema(DocumentSchema):
    """How the entity relates to another entity, and the claim that says so."""

    kind = Term(EntityRelationKind)
    object = fields.Nested(EntitySummarySchema)
    qualifier = fields.String(allow_none=True)
    during = fields.Nested(PeriodSchema)
    claim = fields.Nested(ClaimSummarySchema, allow_none=True)


class SimilarEntitySchema(DocumentSchema):
    """A likely duplicate: the two most similar names, and their similarity (at most 1)."""

    entity = fields.Nested(EntitySummarySchema)
    name = fields.String()
    other_name = fields.String()
    similarity = DecimalDocument()
    same_kind = fields.Boolean()


class EntitySchema(VersionedSchema):
    """An entity; ``name`` is the name under which it is shown, in English if it has such a name.

    ``similar`` is included on request, and in the answer to a write, because a new entity may
    duplicate another. It has at most ten entities, the most likely duplicate first. Each has a name
    with a trigram similarity of at least 0.45 to one of this entity's names, ignoring case.
    """

    kind = Term(EntityKind)
    name = fields.String()
    name_language = NameLanguage()
    description = fields.String(allow_none=True)
    names = fields.List(fields.Nested(EntityNameSchema))
    identifiers = fields.List(fields.Nested(EntityIdentifierSchema))
    relations = fields.List(fields.Nested(EntityRelationSchema))
    similar = fields.List(fields.Nested(SimilarEntitySchema))


ENTITY_FILTERS = filter_fields(
    {
        **common_filters(),
        "kind": terms(EntityKind),
        "description": words(nullable=True),
        "name": of_related(words()),
        **related("names", {"language": languages(), "kind": terms(EntityNameKind)}),
        **related("identifiers", {"scheme": terms(IdentifierScheme), "value": names()}),
        "place": places(),
        "relations": presence(),
        **related(
            "relations",
            {
                "kind": terms(EntityRelationKind),
                "object_id": ids(),
                "during": days(),
                "claim_id": ids(),
            },
        ),
    }
)
