"""Recomputing the ranges of stored figures, after what they follow from has changed.

When the rules change, a migration lists the figures in ``stale_ranges``. When the measure of a
metric changes, a trigger lists only the metric in ``stale_metrics``, because it may have a million
figures. Until a figure has been recomputed it keeps its earlier ranges.
"""

import logging
from uuid import UUID

from hksz_db.database import Session, run
from hksz_db.domain.ranges import InvalidFigure
from hksz_db.services.figures import STATED, range_columns
from hksz_db.services.rows import Row, bump_version, lock_rows, update_rows

_log = logging.getLogger(__name__)
_AT_ONCE = 300
_READ = ("claim_id", *STATED, "dimension", "nonnegative", "unit_factor", "metric_id")


def recompute_ranges(session: Session) -> int:
    """Recompute the ranges of the next figures that are listed; how many have been worked off.

    Deleted figures are recomputed too, because they can be restored. A figure that cannot be read
    is logged and keeps its ranges.
    """
    found = run(
        session,
        "DELETE FROM stale_ranges WHERE figure_id IN (SELECT figure_id FROM stale_ranges"
        f" ORDER BY figure_id LIMIT {_AT_ONCE} FOR UPDATE SKIP LOCKED) RETURNING figure_id",
    )
    ids = [row[0] for row in found]
    _recompute(session, ids)
    return len(ids)


def recompute_ranges_of_metrics(session: Session) -> int:
    """Recompute the next figures of a metric whose measure has changed, as ``recompute_ranges``.

    Returns how many figures or metrics have been worked off.
    """
    # Figures that were added before the measure changed are visible: their writers held the metric.
    found = run(
        session,
        "SELECT id, metric_id, done_to FROM stale_metrics ORDER BY id LIMIT 1"
        " FOR UPDATE SKIP LOCKED",
    )
    if not found:
        return 0
    id, metric_id, done_to = found[0]
    sql = f"SELECT id FROM figures WHERE metric_id = $1 AND id > $2 ORDER BY id LIMIT {_AT_ONCE}"
    ids = [row[0] for row in run(session, sql, metric_id, done_to)]
    if not ids:
        run(session, "DELETE FROM stale_metrics WHERE id = $1", id)
        return 1
    _recompute(session, ids)
    run(session, "UPDATE stale_metrics SET done_to = $2 WHERE id = $1", id, ids[-1])
    return len(ids)


def _recompute(session: Session, ids: list[UUID]) -> None:
    run(session, "SELECT set_config('hksz.actor', 'ranges', true)")
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
