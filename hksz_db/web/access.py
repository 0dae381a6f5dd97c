"""Who may read the pages."""

from flask import current_app

from hksz_db.domain.errors import Forbidden


def demand_reader() -> None:
    """Raise ``Forbidden`` if the request may not read.

    It is called before every page, and is the place where a session has to be checked.
    """
    if not current_app.config["OPEN_READS"]:
        raise Forbidden("Reading needs a key here, and pages cannot take one yet. Use the API.")
