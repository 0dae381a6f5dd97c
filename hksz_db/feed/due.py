"""Overdue claims: planned claims whose due date has passed, as entries of the feed."""

from hksz_db.database import Database, run
from hksz_db.services.writing import writing


def note_due(database: Database) -> int:
    """Record which planned claims have fallen due since the last call, and return their number.

    Large numbers take several transactions. Raises ``Unavailable`` when the database does not
    answer.
    """
    total, noted = 0, 1
    while noted:
        with writing(database) as session:
            ((noted,),) = run(session, "SELECT note_due()")
        total += noted
    return total
