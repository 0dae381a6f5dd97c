"""Suggestions: entities, metrics, units and topics, by the beginning of a word of a name.

Names that begin with the text are looked up first, and names with a word that does only if those
are too few. Of each, a limited number is looked at, so that a short text costs no more than others:
the first in the alphabet, and any with such a word. How much something is used is counted up to a
limit, too.
"""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Integer, bindparam, text

from hksz_db.database import Database, Prepared, prepare
from hksz_db.domain.han import spellings
from hksz_db.domain.search_terms import terms_of_beginning
from hksz_db.queries.documents import sql_file

_LIMITS = {"most": 500, "topics": 2000, "counted": 100}


def suggestions(database: Database, typed: str, kinds: Sequence[str], limit: int) -> bytes:
    """A JSON array of at most ``limit`` suggestions for what was typed.

    Exact names come first, then names that begin with it, then others; among these, those that are
    used most.
    """
    values = {
        "terms": terms_of_beginning(typed),
        "spellings": spellings(" ".join(typed.split())),
        "kinds": list(kinds),
        "rows": limit,
    }
    ((found,),) = database.read(_statement(), values)
    return bytes(found)


@cache
def _statement() -> Prepared:
    sql = sql_file("suggestions.sql").format(**_LIMITS)
    # Planning it takes longer than running it.
    return prepare(text(sql).bindparams(bindparam("rows", type_=Integer())), generic_plan=True)
