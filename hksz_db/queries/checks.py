"""What the check of a text asks the database: by hashes, numbers, dates and ids, never by words."""

from functools import cache

from sqlalchemy import (
    Integer,
    column,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from hksz_db.database import Prepared, prepare
from hksz_db.models import Figure, table_of
from hksz_db.queries.comparisons import (
    compared_figure,
    given_comparable,
    given_related,
    not_compared,
    pair_with,
)
from hksz_db.queries.documents import Group, expression, number, sql_file
from hksz_db.queries.verdicts import decided, explanation, verdict

MOST_NAMES = 100_000
"""How many names are looked for at most, the oldest; a worker takes some 150 MB for as many."""

COMPARED = 1_000
"""How many figures of a metric and a subject a figure is compared with at most, the newest."""

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_LATEST = 10_000
"""How many transactions are searched for changes of names."""


@cache
def changed_names_statement() -> Prepared:
    """The transactions since ``:since`` (a time, or null) that changed an entity or a metric.

    One row: a minute before the newest transaction, because one can become visible some time after
    a later one; and the ids, which are null if too many transactions would have to be searched.
    """
    return prepare(
        text(
            f"""
            SELECT (SELECT max(committed_at) - interval '1 minute' FROM transactions)::text,
                (
                    SELECT CASE
                        WHEN count(*) <= {_LATEST} THEN coalesce(array_agg(id) FILTER (
                            WHERE EXISTS (
                                SELECT FROM changes WHERE transaction_id = latest.id
                                    AND resource IN ('entities', 'metrics')
                            )
                        ), '{{}}')
                    END
                    FROM (
                        SELECT id FROM transactions
                        WHERE committed_at >= CAST(:since AS timestamptz) LIMIT {_LATEST + 1}
                    ) AS latest
                )
            """
        )
    )


@cache
def names_statement() -> Prepared:
    """The names of live entities as JSON, and whether these are all; then the metrics as JSON."""
    return prepare(
        text(
            f"""
            SELECT (
                SELECT coalesce(
                    json_agg(json_build_array(entity_id, name, kind = 'abbreviation')), '[]'
                )
                FROM (
                    SELECT entity_id, names.name, names.kind
                    FROM entity_names AS names JOIN entities ON entities.id = entity_id
                    WHERE deleted_at IS NULL ORDER BY entity_id, names.id LIMIT {MOST_NAMES}
                ) AS named
            ), (SELECT count(*) FROM (SELECT FROM entity_names LIMIT {MOST_NAMES + 1}) AS every)
                <= {MOST_NAMES}, (
                SELECT coalesce(json_agg(json_build_array(
                    id, external_id, key, label, dimension, accumulation, measure, nonnegative
                )), '[]')
                FROM metrics WHERE deleted_at IS NULL
            )
            """
        )
    )


@cache
def entities_statement() -> Prepared:
    """The entities ``:ids`` as a JSON array of summaries."""
    return prepare(
        text(
            """
            SELECT coalesce(json_agg(json_build_object(
                'id', id, 'external_id', external_id, 'name', name, 'kind', kind
            )), '[]')
            FROM entities WHERE id = ANY (CAST(:ids AS uuid[])) AND deleted_at IS NULL
            """
        )
    )


@cache
def measured_pairs_statement() -> Prepared:
    """Which of the pairs of ``:metrics`` and ``:subjects`` have figures (see the file)."""
    return prepare(text(sql_file("measured_pairs.sql")))


@cache
def alike_statement() -> Prepared:
    """The claims that share the ``:bands`` of the sentences at ``:places`` (see the file)."""
    return prepare(text(sql_file("alike_sentences.sql")))


@cache
def claims_statement() -> Prepared:
    """The claims ``:ids`` (see the file)."""
    return prepare(text(sql_file("checked_claims.sql")))


@cache
def passages_statement() -> Prepared:
    """The passages that a text may contain (see the file)."""
    return prepare(text(sql_file("checked_passages.sql")))


_GIVEN = (
    *("metric_id", "subject_id", "modality", "dimension", "comparator", "amount", "unit_code"),
    *("unit_factor", "as_stated", "value_range", "plausible_range", "breakdown", "definition"),
    *("estimate", "known_at", "period_edtf", "period", "claim_id"),
)


@cache
def comparisons_statement() -> Prepared:
    """The known figures that the ``:given`` ones compare with, and how.

    A row has the place of the given figure, the verdict and the explanation, or why the two are not
    compared, and the other figure as JSON. Figures of claims that were replaced are left out.
    """
    stored = table_of(Figure).c
    types = ", ".join(f"{name} {stored[name].type.compile(_DIALECT)}" for name in _GIVEN)
    given = (
        text(
            "SELECT * FROM jsonb_to_recordset(CAST(:given AS jsonb))"
            f" AS given (place integer, {types})"
        )
        .columns(column("place", Integer()), *(column(name, stored[name].type) for name in _GIVEN))
        .subquery("given")
    )
    pair = pair_with(given)
    figures, newest = pair.other, table_of(Figure).alias()
    known = (
        select(newest.c.id)
        .where(
            newest.c.metric_id == given.c.metric_id,
            newest.c.subject_id == given.c.subject_id,
            newest.c.deleted_at.is_(None),
        )
        .order_by(newest.c.id.desc())
        .limit(number(COMPARED))
        .lateral("known")
    )
    compared = decided(pair, on=given_comparable(pair))
    assert compared.decided is not None
    rows = (
        given.join(known, true())
        .join(figures, figures.c.id == known.c.id)
        .join(pair.metric, pair.metric.c.id == figures.c.metric_id)
        .outerjoin(compared.decided, true())
    )
    has_verdict = compared.decided.c.place.is_not(None)
    other = expression(Group(compared_figure(figures)))
    return prepare(
        select(
            given.c.place,
            verdict(compared),
            explanation(compared),
            not_compared(pair).label("reason"),
            other,
        )
        .select_from(rows)
        .where(given_related(pair), or_(has_verdict, not_compared(pair).is_not(None)))
    )
