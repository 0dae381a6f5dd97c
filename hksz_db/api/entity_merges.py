"""``/v1/entities/{id}/merge`` and ``/unmerge``.

They change the rows of others, and reviewed ones, so they also need the scope ``review``.
"""

from uuid import UUID

from flask import Response

from hksz_db.api import answers
from hksz_db.api.access import Write
from hksz_db.api.bodies import load
from hksz_db.api.calls import Call
from hksz_db.api.resource import Resource
from hksz_db.services import merging
from schemas.entities import EntityMergeSchema


def merge(entities: Resource) -> Call:
    """``POST /v1/entities/{id}/merge``."""
    schema = EntityMergeSchema()

    def merge(write: Write, id: UUID) -> Response:
        """Merge one entity into another. Also needs the scope `review`.

        Everything that refers to the entity is moved to the other one. From then on a read of its
        id is answered with 308.
        """
        into_id = merging.merge(write.session, id, write.versions, load(schema))
        return answers.written(write.session, entities, into_id, 200)

    return Call(
        "POST /<uuid:id>/merge",
        merge,
        entities.document,
        body=EntityMergeSchema,
        scope=entities.scope,
        reviews=True,
        if_match=True,
        errors=(410,),
    )


def unmerge(entities: Resource) -> Call:
    """``POST /v1/entities/{id}/unmerge``."""

    def unmerge(write: Write, id: UUID) -> Response:
        """Undo the merge of one entity. Also needs the scope `review`.

        What was moved and still exists is moved back.
        """
        merging.undo(write.session, id, write.versions)
        return answers.written(write.session, entities, id, 200)

    return Call(
        "POST /<uuid:id>/unmerge",
        unmerge,
        entities.document,
        scope=entities.scope,
        reviews=True,
        if_match=True,
    )
