"""Recomputing the ranges of stored figures, after the rules for them have changed.

A migration lists the figures in ``stale_ranges``. Until a figure has been recomputed it keeps the
ranges of the earlier rules.
"""

import logging

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.ranges import InvalidFigure
from hksz_db.services.figures import range_columns
from hksz_db.services.rows import Row, bump_version, lock_rows, update_rows

_log = logging.getLogger(__name__)
_AT_ONCE = 300
_READ = (
    "claim_id",
    "comparator",
    "amount",
    "lower_bound",
    "upper_bound",
    "as_stated",
    "exact",
    "dimension",
    "nonnegative",
    "unit_factor",
    "metric_id",
)


def recompute_ranges(session: Session) -> int:
    """Recompute the ranges of the next figures that are listed; how many have been worked off.

    Deleted figures are recomputed too, because they can be restored. A figure that cannot be read
    is logged and keeps its ranges.
    """
    run(session, "SELECT set_config('hksz.actor', 'ranges', true)")
    found = run(
        session,
        "DELETE FROM stale_ranges WHERE figure_id IN (SELECT figure_id FROM stale_ranges"
        f" ORDER BY figure_id LIMIT {_AT_ONCE} FOR UPDATE SKIP LOCKED) RETURNING figure_id",
    )
    ids = [row[0] for row in found]
    if not ids:
        return 0
    # All writers lock claims before figures.
    run(
        session,
        "SELECT FROM claims WHERE id IN (SELECT claim_id FROM figures WHERE id = ANY ($1))"
        " ORDER BY id FOR NO KEY UPDATE",
        ids,
    )
    figures = lock_rows(session, "figures", _READ, ids)
    sql = "SELECT id, measure FROM metrics WHERE id = ANY ($1)"
    measures = dict(run(session, sql, list({row["metric_id"] for row in figures.values()})))
    rows: list[Row] = []
    for id, figure in figures.items():
        try:
            metric = {**figure, "measure": measures[figure["metric_id"]]}
            rows.append({"id": id, **range_columns(figure, metric, figure["unit_factor"])})
        except InvalidFigure as error:
            _log.warning("The figure %s keeps its ranges: %s", id, error)
    changed = update_rows(session, "figures", rows)
    if changed:
        bump_version(session, "claims", {figures[id]["claim_id"] for id in changed})
    return len(ids)
