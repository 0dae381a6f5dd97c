"""Claims that look alike, so that whoever adds one sees what may be the same.

Claims that share a band (``models/claim_bands.py``) are candidates; some of them are compared word
by word. What that costs does not grow with the number of claims.
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
"""From which similarity of their words on two claims are shown as alike."""

LIKELY = "0.60"
"""From which similarity on two claims, when nothing else differs, are likely the same."""

AT_MOST = 10
"""How many claims are listed."""

_NEWEST = 32
"""How many claims of each band are candidates, the newest: thousands may share one."""

_COMPARED = 16
"""How many candidates are compared, those that share the most and the rarest bands."""

_WORDS = ARRAY(Text)
_NUMBERS = ARRAY(Numeric)

# A word more makes a claim say more; one of these makes it say something else.
_TURNING = tuple(
    literal_column(f"'{{{term}}}'::text[]", _WORDS)
    for term in ("not", "before", "after", "outside", "below", "all", "few", "per cent")
)


def similar_claims(claim: FromClause) -> Many:
    """At most ten live claims that look like ``claim``, the likely same and most similar first.

    ``similarity`` is that of the trigrams (pg_trgm) of both statements with their numbers left
    out, which alone would call 47,000 and 41,000 the same, and one word that was exchanged nearly
    so: likely the same are claims of one modality when besides neither numbers, figures nor times
    differ. Where each has words that the other lacks, or the same in another order (who sold
    what to whom), their figures have to agree; a word that turns one of them is made up for by
    nothing.
    """
    found = _best(_compared(_turned(_alike(claim), claim), claim), claim)
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
    # What is worked out within is worked out once, however often it is read.
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
    # A band that few claims have says more than one that many have.
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


def _turned(alike: Subquery, claim: FromClause) -> Subquery:
    """With whether a word that turns a sentence is in one of the two only."""
    own, theirs = alike.c.words, alike.c.other_words
    turned = or_(*(own.contains(term) != theirs.contains(term) for term in _TURNING))
    rows = select(*alike.c, turned.label("turned")).correlate(claim)
    return _fenced(rows).subquery("turned")


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
    kept = ("id", "external_id", "statement", "status", "modality", "similarity", "turned")
    columns = (finding.label(name) for name, finding in findings.items())
    rows = select(*(alike.c[name] for name in kept), *columns).correlate(claim)
    return _fenced(rows).subquery("compared")


def _words(alike: Subquery) -> ColumnElement[str]:
    own, theirs = alike.c.words, alike.c.other_words
    within, around = own.contained_by(theirs), own.contains(theirs)
    # Asked for last: only of the same words the order is worked out.
    in_order = alike.c.order.is_not_distinct_from(func.statement_order(alike.c.statement))
    return case(
        (or_(alike.c.turned, not_(or_(within, around))), term(WordsFound.DIFFERENT)),
        (not_(and_(within, around)), term(WordsFound.CONTAINED)),
        (in_order, term(WordsFound.SAME)),
        else_=term(WordsFound.REORDERED),
    )


def _figures(claim: FromClause, other: FromClause) -> ColumnElement[str]:
    """Whether each figure of either claim shares a plausible value with one of the other.

    Of those that are comparable; where none is, though both claims have some, they differ.
    Comparable are figures of one metric, subject and modality whose periods overlap; the time of
    the claim stands in for that of a figure, and what has none is taken to overlap. What the
    words logically allow is not compared: it has no end, and what is over 41,000 may be over
    47,000.
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
    # Null of no pairs.
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
        not_(compared.c.turned),
        or_(
            compared.c.words.in_([term(WordsFound.SAME), term(WordsFound.CONTAINED)]),
            compared.c.figures == term(AmountsFound.SAME),
        ),
    )
    judged = select(*compared.c, likely.label("likely_same")).correlate(claim).subquery("judged")
    return select(judged).order_by(*_order(judged)).limit(number(AT_MOST)).subquery("found")
