"""Similar claims, to show somebody who adds a claim which ones may be the same.

Claims that share a band (``models/claim_bands.py``) are candidates, and some of them are compared
word by word. The cost does not grow with the number of claims.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Float,
    FromClause,
    Numeric,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    column,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE

from hksz_db.domain.vocabulary import AmountsFound, PeriodFound, WordsFound
from hksz_db.models import Claim, ClaimBand, Figure
from hksz_db.queries.documents import Group, Many, decimal, number, term
from hksz_db.queries.resources import table_of

LISTED = "0.45"
"""The lowest similarity of two statements at which a claim is listed."""

LIKELY = "0.60"
"""The lowest similarity at which two claims are likely the same, if nothing else differs."""

AT_MOST = 10
"""How many claims are listed at most."""

_NEWEST = 32
"""How many claims of a band are candidates, the newest first; thousands may share one."""

_COMPARED = 16
"""How many candidates are compared: those that share the most and the rarest bands."""

_WORDS = ARRAY(Text)
_NUMBERS = ARRAY(Numeric)

# Another word makes a claim say more; one of these makes it say something else.
_INVERTING = tuple(
    literal_column(f"'{{{term}}}'::text[]", _WORDS)
    for term in ("not", "before", "after", "outside", "below", "all", "few", "per cent")
)


def similar_claims(claim: FromClause) -> Many:
    """At most ten live claims that look like ``claim``, those that are likely the same first.

    ``similarity`` compares the trigrams (pg_trgm) of both statements without their numbers. By
    itself it would call 47,000 and 41,000 the same, and hardly notice one exchanged word. So two
    claims are likely the same only if their modality is the same and neither numbers, figures nor
    times differ. If each has words that the other lacks, or the same words in another order (who
    sold what to whom), their figures have to agree as well. A word that inverts the meaning of one
    of them always rules it out.
    """
    found = _best(_compared(_with_inversion(_alike(claim), claim), claim), claim)
    summary = {name: found.c[name] for name in ("id", "external_id", "statement", "status")}
    findings = {name: found.c[name] for name in ("words", "numbers", "figures", "period")}
    return Many(
        found,
        true(),
        {
            "claim": Group(summary),
            "similarity": decimal(found.c.similarity),
            **findings,
            "likely_same": found.c.likely_same,
        },
        order_by=_order(found),
    )


def _order(found: FromClause) -> tuple[ColumnElement[Any], ...]:
    return found.c.likely_same.desc(), found.c.similarity.desc(), found.c.id.desc()


def _fenced(rows: Select[Any]) -> Select[Any]:
    # OFFSET 0 makes PostgreSQL evaluate the columns once, however often they are used.
    return rows.offset(number(0))


def _alike(claim: FromClause) -> Subquery:
    """The candidates whose words are similar, with the words and numbers of both."""
    statement = claim.c.statement
    own = _fenced(
        select(
            func.statement_bands(statement, type_=ARRAY(BigInteger)).label("bands"),
            func.masked_statement(statement).label("masked"),
            func.statement_words(statement, type_=_WORDS).label("words"),
            func.statement_numbers(statement, type_=_NUMBERS).label("numbers"),
            func.statement_order(statement).label("order"),
        ).correlate(claim)
    ).subquery("own")
    near = _candidates(own.c.bands, claim)
    other = table_of(Claim).alias("other")
    masked = func.masked_statement(other.c.statement)
    trigrams = cast(func.similarity(own.c.masked, masked), Numeric)
    rounded = func.round(trigrams, number(2), type_=Numeric())
    likeness = _fenced(select(rounded.label("similarity")).correlate(own, other)).lateral(
        "likeness"
    )
    return _fenced(
        select(
            *(other.c[name] for name in ("id", "external_id", "statement", "status")),
            *(other.c[name] for name in ("modality", "time")),
            likeness.c.similarity,
            own.c.words,
            own.c.numbers,
            own.c.order,
            func.statement_words(other.c.statement, type_=_WORDS).label("other_words"),
            func.statement_numbers(other.c.statement, type_=_NUMBERS).label("other_numbers"),
        )
        .select_from(
            own.join(near, true()).join(other, other.c.id == near.c.claim_id).join(likeness, true())
        )
        .where(other.c.deleted_at.is_(None), likeness.c.similarity >= literal_column(LISTED))
        .correlate(claim)
    ).subquery("alike")


def _candidates(bands: ColumnElement[Any], claim: FromClause) -> FromClause:
    held = table_of(ClaimBand).alias("held")
    own = func.unnest(bands).table_valued(column("band", BigInteger()), name="own_band")
    own = own.render_derived()
    newest = (
        select(held.c.claim_id)
        .where(held.c.band == own.c.band, held.c.claim_id != claim.c.id)
        .order_by(held.c.claim_id.desc())
        .limit(number(_NEWEST))
        .correlate(claim, own)
        .subquery("newest")
    )
    # A rare band says more than a common one.
    weight = (literal_column("1.0", Float()) / func.count().over()).label("weight")
    sharing = select(newest.c.claim_id, weight).correlate(claim, own).lateral("sharing")
    return (
        select(sharing.c.claim_id)
        .select_from(own.join(sharing, true()))
        .group_by(sharing.c.claim_id)
        .order_by(func.sum(sharing.c.weight).desc(), sharing.c.claim_id.desc())
        .limit(number(_COMPARED))
        .lateral("near")
    )


def _with_inversion(alike: Subquery, claim: FromClause) -> Subquery:
    """Adds whether a word that inverts the meaning is in only one of the two."""
    own, theirs = alike.c.words, alike.c.other_words
    inverted = or_(*(own.contains(term) != theirs.contains(term) for term in _INVERTING))
    rows = select(*alike.c, inverted.label("inverted")).correlate(claim)
    return _fenced(rows).subquery("inverted")


def _compared(alike: Subquery, claim: FromClause) -> Subquery:
    time, other_time = claim.c.time, alike.c.time
    numbers = case(
        (alike.c.numbers != alike.c.other_numbers, term(AmountsFound.DIFFERENT)),
        (func.cardinality(alike.c.numbers) == number(0), term(AmountsFound.NONE)),
        else_=term(AmountsFound.SAME),
    )
    period = case(
        (or_(time.is_(None), other_time.is_(None)), term(PeriodFound.UNKNOWN)),
        (time == other_time, term(PeriodFound.SAME)),
        (time.overlaps(other_time), term(PeriodFound.OVERLAPS)),
        else_=term(PeriodFound.DIFFERENT),
    )
    findings = {
        "words": _words(alike),
        "numbers": numbers,
        "figures": _figures(claim, alike),
        "period": period,
    }
    kept = ("id", "external_id", "statement", "status", "modality", "similarity", "inverted")
    columns = (finding.label(name) for name, finding in findings.items())
    rows = select(*(alike.c[name] for name in kept), *columns).correlate(claim)
    return _fenced(rows).subquery("compared")


def _words(alike: Subquery) -> ColumnElement[str]:
    own, theirs = alike.c.words, alike.c.other_words
    within, around = own.contained_by(theirs), own.contains(theirs)
    # Evaluated last: the order only matters if the words are the same.
    in_order = alike.c.order.is_not_distinct_from(func.statement_order(alike.c.statement))
    return case(
        (or_(alike.c.inverted, not_(or_(within, around))), term(WordsFound.DIFFERENT)),
        (not_(and_(within, around)), term(WordsFound.CONTAINED)),
        (in_order, term(WordsFound.SAME)),
        else_=term(WordsFound.REORDERED),
    )


def _figures(claim: FromClause, other: FromClause) -> ColumnElement[str]:
    """Whether each figure of either claim shares a plausible value with a figure of the other.

    Only comparable figures count: those of one metric, subject and modality whose periods overlap.
    A figure without a period has that of its claim; without either it overlaps any. If both claims
    have figures and none are comparable, the claims differ. The ranges of logically possible
    values are not compared, because they are open: more than 41,000 may be more than 47,000.
    """
    own, theirs = (table_of(Figure).alias(name) for name in ("own_figure", "other_figure"))
    always = literal_column("'(,)'::daterange", DATERANGE())
    days, other_days = (
        func.coalesce(figure.c.period, of.c.time, always, type_=DATERANGE())
        for figure, of in ((own, claim), (theirs, other))
    )
    agree = func.bool_or(own.c.plausible_range.overlaps(theirs.c.plausible_range), type_=Boolean())
    pairs = (
        select(*(agree.over(partition_by=f.c.id).label(f"{f.name}_agrees") for f in (own, theirs)))
        .where(
            own.c.claim_id == claim.c.id,
            theirs.c.claim_id == other.c.id,
            *(own.c[name] == theirs.c[name] for name in ("metric_id", "subject_id", "modality")),
            *(figure.c.deleted_at.is_(None) for figure in (own, theirs)),
            days.overlaps(other_days),
        )
        .correlate(claim, other)
        .subquery("pairs")
    )
    # Null if there are no pairs.
    all_agree = func.bool_and(and_(*pairs.c), type_=Boolean())
    found = select(all_agree).select_from(pairs).scalar_subquery()
    return case(
        (not_(and_(_has_figures(claim), _has_figures(other))), term(AmountsFound.NONE)),
        (found, term(AmountsFound.SAME)),
        else_=term(AmountsFound.DIFFERENT),
    )


def _has_figures(claim: FromClause) -> ColumnElement[bool]:
    figure = table_of(Figure).alias("any_figure")
    of_claim = figure.c.claim_id == claim.c.id, figure.c.deleted_at.is_(None)
    return exists().where(*of_claim).correlate(claim)


def _best(compared: Subquery, claim: FromClause) -> Subquery:
    likely = and_(
        compared.c.similarity >= literal_column(LIKELY),
        compared.c.modality == claim.c.modality,
        compared.c.numbers != term(AmountsFound.DIFFERENT),
        compared.c.figures != term(AmountsFound.DIFFERENT),
        compared.c.period != term(PeriodFound.DIFFERENT),
        not_(compared.c.inverted),
        or_(
            compared.c.words.in_([term(WordsFound.SAME), term(WordsFound.CONTAINED)]),
            compared.c.figures == term(AmountsFound.SAME),
        ),
    )
    judged = select(*compared.c, likely.label("likely_same")).correlate(claim).subquery("judged")
    return select(judged).order_by(*_order(judged)).limit(number(AT_MOST)).subquery("found")
