"""Similar claims, to show somebody who adds a claim which ones may be the same.

Claims that share a band (``hksz_db/models/claims.py``) are candidates, and some of them are
compared word by word. The cost does not grow with the number of claims.
"""

from sqlalchemy import Boolean, Numeric, Text, Uuid, column, text, true

from hksz_db.queries.documents import Group, Many, decimal, sql_file

_FINDINGS = ("words", "numbers", "figures", "period")
_found = (
    text(sql_file("similar_claims.sql"))
    .columns(
        column("id", Uuid()),
        *(column(name, Text()) for name in ("external_id", "statement", "status", *_FINDINGS)),
        column("similarity", Numeric()),
        column("likely_same", Boolean()),
    )
    .subquery("found")
)

SIMILAR_CLAIMS = Many(
    _found,
    true(),
    {
        "claim": Group({n: _found.c[n] for n in ("id", "external_id", "statement", "status")}),
        "similarity": decimal(_found.c.similarity),
        **{name: _found.c[name] for name in _FINDINGS},
        "likely_same": _found.c.likely_same,
    },
    order_by=(_found.c.likely_same.desc(), _found.c.similarity.desc(), _found.c.id.desc()),
)
"""At most ten live claims that look like a claim, those that are likely the same first.

``similarity`` compares the trigrams (pg_trgm) of both statements without their numbers. By itself
it would call 47,000 and 41,000 the same, and hardly notice one exchanged word. So two claims are
likely the same only if their modality is the same and neither numbers, figures nor times differ. If
each has words that the other lacks, or the same words in another order (who sold what to whom),
their figures have to agree as well. A word that inverts the meaning of one of them always rules it
out.
"""
