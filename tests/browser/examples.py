"""The addresses at which the tests with a real browser open the pages."""

import re
from collections.abc import Callable, Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "pages.search": ("/claims", "/claims?q=Hong+Kong"),
    "pages.claim": (
        "/claims/{claims hksz:ttps-received-to-october-2023}",
        "/claims/{claims hksz:qianhai-hong-kong-companies-2021}",
    ),
    "pages.difference": ("/claims/{claims hksz:ttps-approved-2023}/history/3/6",),
    "pages.entities": ("/entities", "/entities?kind=place&name__contains=hong"),
    "pages.sources": ("/sources",),
    "pages.metrics": ("/metrics/",),
    "pages.entity": ("/entities/{entities hksz:ttps}",),
    "pages.source": ("/sources/{sources hksz:shenzhen-daily-article}",),
    "pages.metric": ("/metrics/{metrics hksz:metric-ttps-approved}",),
    "pages.feed": (),  # Atom
    "pages.locators": (),  # JSON for a script
    "pages.check": ("/check",),
    "pages.sign_in": ("/sign-in",),
    "pages.add": (
        "/add?q=An+invented+report&claim={claims hksz:ttps-approved-2023}",
        "/add?source={sources hksz:shenzhen-daily-article}&claim={claims hksz:ttps-approved-2023}",
    ),
    "pages.add_suggest": (),  # JSON for a script
    "pages.my_work": ("/my-work",),
    "pages.review": ("/review",),
    "pages.page_of_form": (),  # it leads to the page of a form that failed
    "pages.entry": (),  # it leads to the queue
}
"""Addresses of each page, by its endpoint; ``{claims hksz:…}`` stands for the id of that claim."""

FOR_MEMBERS = ("/add", "/my-work", "/review")
"""How the addresses begin that only those see who have signed in."""

NO_PAGE = "/nothing"
"""An address that has no page."""

ALL = (*(path for paths in EXAMPLES.values() for path in paths), NO_PAGE)
READING = tuple(path for path in ALL if not path.startswith(FOR_MEMBERS))

_PLACEHOLDER = re.compile(r"\{(\w+) ([^}]+)\}")


def filled(path: str, id_of: Callable[[str, str], str]) -> str:
    """The path with the ids in place, which are found by resource and external id."""
    return _PLACEHOLDER.sub(lambda found: id_of(found[1], found[2]), path)
