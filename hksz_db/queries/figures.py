"""Figures as their readers see them."""

from sqlalchemy import Date, FromClause, Numeric, func

from hksz_db.models import Claim, Entity, Figure, Metric
from hksz_db.queries.compared import figure_comparisons
from hksz_db.queries.dates import relative_period
from hksz_db.queries.documents import Node, decimal, numeric_range
from hksz_db.queries.filters import Bounds, Days, Plain, Related, Relation, Target
from hksz_db.queries.resources import (
    Readable,
    SortKey,
    common_fields,
    common_sorts,
    common_targets,
    summary,
    table_of,
)
from schemas.figures import FIGURE_FILTERS, FigureSchema

_figures = table_of(Figure)
_claims = table_of(Claim).alias()


def figure_fields(figure: FromClause) -> dict[str, Node]:
    """The document of a figure, as it stands within its claim."""
    return {
        "id": figure.c.id,
        "external_id": figure.c.external_id,
        "metric": summary(Metric, figure.c.metric_id, "key", "label"),
        "subject": summary(Entity, figure.c.subject_id, "name", "kind"),
        "as_stated": figure.c.as_stated,
        "comparator": figure.c.comparator,
        "amount": decimal(figure.c.amount),
        "lower_bound": decimal(figure.c.lower_bound),
        "upper_bound": decimal(figure.c.upper_bound),
        "unit_code": figure.c.unit_code,
        "dimension": figure.c.dimension,
        "value_range": numeric_range(figure.c.value_range),
        "plausible_range": numeric_range(figure.c.plausible_range),
        "range_rule": figure.c.range_rule,
        "modality": figure.c.modality,
        "period": relative_period(figure, "period", figure.c.period_as_stated),
        **common_fields(figure),
    }


def figure_filters(figure: FromClause) -> dict[str, Target]:
    """The filters on a figure's own values, and on what it measures of whom."""
    metrics = table_of(Metric).alias()
    subjects = table_of(Entity).alias()
    metric = Relation(metrics, metrics.c.id == figure.c.metric_id)
    subject = Relation(subjects, subjects.c.id == figure.c.subject_id)
    return {
        "metric": Related(metric, Plain(metrics.c.key)),
        "metric_id": Plain(figure.c.metric_id),
        "subject_id": Plain(figure.c.subject_id),
        "subject__name": Related(subject, Plain(subjects.c.name)),
        "amount": Plain(figure.c.amount),
        "value": Bounds(figure.c.value_range),
        "comparator": Plain(figure.c.comparator),
        "unit_code": Plain(figure.c.unit_code),
        "dimension": Plain(figure.c.dimension),
        "modality": Plain(figure.c.modality),
        "period": Days(figure.c.period),
    }


_CLAIM = Relation(_claims, _claims.c.id == _figures.c.claim_id)

FIGURES = Readable(
    name="figures",
    singular="figure",
    table=_figures,
    fields={
        **figure_fields(_figures),
        "claim": summary(Claim, _figures.c.claim_id, "statement", "status"),
    },
    embeds={"comparisons": figure_comparisons(_figures)},
    asked_embeds=("comparisons",),
    schema=FigureSchema,
    filters=FIGURE_FILTERS,
    targets={
        **common_targets(_figures),
        **figure_filters(_figures),
        "claim_id": Plain(_figures.c.claim_id),
        "claim__status": Related(_CLAIM, Plain(_claims.c.status)),
    },
    sorts={
        **common_sorts(_figures),
        "value": SortKey(
            func.coalesce(
                func.lower(_figures.c.value_range),
                func.upper(_figures.c.value_range),
                type_=Numeric(),
            )
        ),
        "period": SortKey(func.lower(_figures.c.period, type_=Date()), nullable=True),
    },
    groups={
        "metric_id": _figures.c.metric_id,
        "subject_id": _figures.c.subject_id,
        "unit_code": _figures.c.unit_code,
        "comparator": _figures.c.comparator,
        "modality": _figures.c.modality,
    },
)
