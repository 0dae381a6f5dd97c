"""The horizon of the feed, recorded where replicas and followers find it."""

from hksz_db.database import Database, run
from hksz_db.services.writing import writing


def record_horizon(database: Database) -> bool:
    """Record how far the feed is settled; whether that is further than was recorded.

    Raises ``Unavailable`` when the database does not answer.
    """
    with writing(database) as session:
        ((has_advanced,),) = run(session, "SELECT record_horizon()")
    return bool(has_advanced)
