"""``/v1/R/{id}/history``: the versions of a row, their differences, and restoring one of them."""

import json
from dataclasses import asdict
from uuid import UUID

from flask import Response

from hksz_db.api import answers
from hksz_db.api.calls import Call, read_schemas, written_schema
from hksz_db.api.requests import Write
from hksz_db.domain.differences import differences
from hksz_db.domain.errors import Conflict
from hksz_db.exchange.bodies import patch_body
from hksz_db.http.costs import Cost
from hksz_db.http.requests import arguments, database
from hksz_db.queries import versions
from hksz_db.queries.questions import PAGING, VERSION, Question, model_of, parameters, read_document
from hksz_db.queries.readable import Readable
from hksz_db.services import batches
from hksz_db.services.loading import load
from hksz_db.services.registry import WRITERS
from hksz_db.services.rows import require_live
from schemas.history import VersionDifferencesSchema, VersionEntrySchema, version_schema
from schemas.pages import page_schema


def _list_versions(resource: Readable) -> Call:
    def list_versions(id: UUID) -> Response:
        """List the versions of one {singular}, the newest first: who changed what, and when.

        Rows that have been deleted or merged have versions, too. A version is the result of one
        transaction, so numbers may be skipped. A row that existed when the history began starts
        with the op `begin`, at the time when the history began and with the actor who began it;
        when the row was created is not known.

        Changes made directly in the database are listed with the name of the database role. They
        need not increment the version, so a number may occur twice; the later entry counts.
        """
        return answers.versions(resource, id, Question(**PAGING.read(arguments())))

    return Call(
        "GET /<uuid:id>/history",
        list_versions,
        page_schema("VersionEntry", VersionEntrySchema),
        read_cost=Cost.BOUNDED,
        headers=("ETag", "Link"),
        parameters=PAGING,
    )


def _read_version(resource: Readable) -> Call:
    def read_version(id: UUID, version: int) -> Response:
        """Read one version of one {singular}, and who made it.

        The document is what a read by id answered when the version was made, with the embedded
        documents of that time. It is null if the row was deleted or merged.
        """
        fields = read_document(resource.name, arguments(), VERSION).fields
        found = versions.version(database(), resource.name, id, version)
        document = versions.document(database(), resource.name, id, fields, found.at)
        body = b'%b,"document":%b}' % (found.entry.removesuffix(b"}"), document or b"null")
        return answers.tagged(body)

    return Call(
        "GET /<uuid:id>/history/<int:version>",
        read_version,
        version_schema(model_of(resource), *read_schemas(resource)),
        read_cost=Cost.BOUNDED,
        parameters=parameters(resource.name, VERSION, filtered=False),
    )


def _compare_versions(resource: Readable) -> Call:
    def compare_versions(id: UUID, version: int, other: int) -> Response:
        """Compare two versions of one {singular}, field by field.

        The differences lead from the first version to the second, which may be the earlier one.
        The documents are compared with everything that was embedded in them, so there can be
        differences that come from other rows. `version` and `updated_at` are not compared.
        """
        earlier, later = (
            versions.document_in(database(), resource.name, id, number)
            for number in (version, other)
        )
        found = [asdict(difference) for difference in differences(earlier, later)]
        answer = {"from": version, "to": other, "differences": found}
        return answers.tagged(json.dumps(answer, ensure_ascii=False).encode())

    return Call(
        "GET /<uuid:id>/history/<int:version>/diff/<int:other>",
        compare_versions,
        VersionDifferencesSchema,
        read_cost=Cost.BOUNDED,
    )


def _restore_version(resource: Readable) -> Call:
    writer = WRITERS[resource.name]
    schema = writer.patch_schema()

    def restore_version(write: Write, id: UUID, version: int) -> Response:
        """Restore an earlier version of one {singular}, as a new version.

        This is a merge patch with all fields of the old document, under the rules of today:
        everything that it refers to must exist, a reference to an entity that has been merged
        since becomes one to the entity that it was merged into, and a time relative to the date of
        a source is computed from the date that the source has now.

        The figures and the evidence of a claim are rows with histories of their own and are not
        changed. A row that has been deleted must be restored first.
        """
        require_live(write.session, resource.name, id)
        document = versions.document_in(database(), resource.name, id, version)
        if document is None:
            raise Conflict(f"The {resource.singular} {id} was deleted in version {version}.")
        fields = load(schema, patch_body(resource.name, document))
        batches.update(write.session, resource.name, id, write.versions, fields, write.rules)
        return answers.written(write.session, resource, id, 200)

    return Call(
        "POST /<uuid:id>/history/<int:version>/restore",
        restore_version,
        written_schema(resource),
        scope=writer.scope,
        if_match=True,
        errors=(410,),
    )


HISTORY_CALLS = (_list_versions, _read_version, _compare_versions, _restore_version)
