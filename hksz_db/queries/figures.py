"""How figures are read."""

from sqlalchemy import FromClause, Numeric, func

from hksz_db.models import Figure, Metric, table_of
from hksz_db.queries.comparisons import figure_comparisons
from hksz_db.queries.filters import Bounds, Plain, Related, Relation, Target
from hksz_db.queries.keysets import Key
from hksz_db.queries.readable import Readable
from schemas.figures import FIGURE_FILTERS, FigureSchema

_figures = table_of(Figure)


def figure_targets(figure: FromClause) -> dict[str, Target]:
    """The filters on a figure that do not follow from their names."""
    metrics = table_of(Metric).alias()
    metric = Relation(
        metrics, metrics.c.id == figure.c.metric_id, by_key=(figure.c.metric_id, metrics.c.id)
    )
    return {
        "metric": Related(metric, Plain(metrics.c.key)),
        "value": Bounds(figure.c.value_range),
    }


FIGURES = Readable(
    model=Figure,
    schema=FigureSchema,
    filters=FIGURE_FILTERS,
    declared={"comparisons": figure_comparisons(_figures)},
    asked_embeds=("comparisons",),
    internal=("nonnegative", "unit_factor"),
    declared_targets=figure_targets(_figures),
    sorted_by=("period",),
    declared_sorts={
        "value": Key(
            func.coalesce(
                func.lower(_figures.c.value_range),
                func.upper(_figures.c.value_range),
                type_=Numeric(),
            )
        ),
    },
    grouped_by=("metric_id", "subject_id", "unit_code", "comparator", "modality"),
)
