"""The addresses at which the tests with a real browser open the pages."""

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "pages.search": ("/claims", "/claims?q=Hetao"),
    "pages.claim": (
        "/claims/{claims hksz:ttps-approved-2023}",
        "/claims/{claims hksz:qianhai-hong-kong-companies-2021}",
    ),
    "pages.claim_difference": ("/claims/{claims hksz:ttps-approved-2023}/history/3/6",),
}
"""Addresses of each page, by its endpoint; ``{claims hksz:…}`` stands for the id of that claim."""

NO_PAGE = "/nothing"
"""An address that has no page."""

ALL = (*(path for paths in EXAMPLES.values() for path in paths), NO_PAGE)
