"""The names of entities in a language that a reader prefers."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import text

from hksz_db.database import Database, Prepared, prepare
from hksz_db.domain.languages import Preference, choose


class Name(NamedTuple):
    """A name and its language."""

    name: str
    language: str


def names_in(
    database: Database, ids: Collection[str], preference: Preference, as_of: datetime | None
) -> Mapping[str, Name]:
    """The name of each entity by id: preferred ones come before aliases.

    An entity without a name in a language that is wanted has the one under which it is shown.
    """
    ((found,),) = database.read(_statement(), {"ids": list(ids)}, as_of)
    return {id: _chosen(Name(*shown), names, preference) for id, shown, names in json.loads(found)}


def _chosen(shown: Name, names: list[tuple[str, str]], preference: Preference) -> Name:
    # The first name in each language.
    found = {language: name for name, language in reversed(names)}
    chosen = choose(preference, tuple(reversed(found)))
    return shown if chosen is None else Name(found[chosen], chosen)


@cache
def _statement() -> Prepared:
    return prepare(
        text(
            """
            SELECT coalesce(json_agg(json_build_array(
                id, json_build_array(name, name_language), (
                    SELECT json_agg(
                        json_build_array(names.name, names.language)
                        ORDER BY kind = 'preferred' DESC, names.id
                    )
                    FROM entity_names AS names
                    WHERE entity_id = entities.id AND kind <> 'abbreviation'
                )
            )), '[]')
            FROM entities WHERE id = ANY (CAST(:ids AS uuid[]))
            """
        )
    )
