"""The languages of rows, which their summaries lack."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from hksz_db.database import Database, Prepared


def languages_of(
    database: Database, resource: str, ids: Iterable[str], as_of: datetime | None
) -> dict[str, str | None]:
    """The languages of the live ones of these claims or sources, by id, as of a moment."""
    wanted = sorted({*ids})
    if not wanted:
        return {}
    ((found,),) = database.read(_statement(resource), {"ids": wanted}, as_of)
    languages: dict[str, str | None] = json.loads(found)
    return languages


@lru_cache
def _statement(resource: str) -> Prepared:
    sql = f"""
        SELECT coalesce(json_object_agg(id, language), '{{}}')::text FROM {resource}
        WHERE id = ANY ($1::uuid[]) AND deleted_at IS NULL
    """
    return Prepared(sql, ("ids",), {})
