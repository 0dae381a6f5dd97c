"""The moment as of which a page is shown: ``as_of``, a timestamp or a day."""

from datetime import UTC, date, datetime, time
from typing import NamedTuple

from hksz_db.queries.questions import PART

PARAMETER = "as_of"


class Moment(NamedTuple):
    """The moment as of which a page is shown, as it was asked for."""

    text: str
    at: datetime


def read_moment(text: str | None) -> Moment | None:
    """What ``as_of`` asks for: a timestamp, or a day, whose end is meant.

    Today means now, so that it needs no moment.
    """
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        at: datetime = PART.read([("as_of", text)])["as_of"]
        return Moment(text, at)
    if day == datetime.now(UTC).date():
        return None
    return Moment(text, datetime.combine(day, time.max, UTC))
