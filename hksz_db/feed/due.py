"""Overdue claims: planned claims whose due date has passed, as entries of the feed."""

from hksz_db.database import Database, run
from hksz_db.services.writing import writing


def note_due(database: Database) -> int:
    """Record which planned claims have become overdue since the last call; return their number.

    Large numbers take several transactions. Raises ``Unavailable`` when the database does not
    answer.
    """
    total, recorded = 0, 1
    while recorded:
        with writing(database) as session:
            ((recorded,),) = run(session, "SELECT note_due()")
        total += recorded
    return total
