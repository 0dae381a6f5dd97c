"""Takes the pictures of the documentation: ``python -m docs.screenshots http://127.0.0.1:8000``.

The service at the address must have the data of the seeds. Chromium must be installed.
"""

import base64
import json
import shutil
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "images"
_WIDTH, _HEIGHT, _SCALE = 1280, 900, 1.25
_QUALITY = 70
_MARGIN = 16


class Picture(NamedTuple):
    """A picture: its name, what it shows, and the part of the page; without one, its beginning.

    ``shows`` is the external id of a claim, or a path.
    """

    name: str
    shows: str
    part: str | None = None


PICTURES = (
    Picture("search", "/claims?q=%22talent+pass%22&sort=-corroboration__origins%2C-id"),
    Picture("claim", "hksz:ttps-approved-2023"),
    Picture("copies", "hksz:qianhai-hong-kong-companies-2021", "section:has(#rests)"),
    Picture("figures", "hksz:ttps-approved-2023", "section:has(#figures) > figure:first-of-type"),
    Picture("history", "hksz:ttps-approved-2023", "section:has(#history)"),
)


def main(arguments: Sequence[str]) -> int:
    """Write every picture, and return the exit code."""
    if len(arguments) != 1 or (chromium := shutil.which("chromium")) is None:
        sys.stderr.write("usage: python -m docs.screenshots URL (needs chromium)\n")
        return 2
    (service,) = arguments
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        viewport = {"width": _WIDTH, "height": _HEIGHT}
        page = browser.new_page(
            viewport=viewport,  # type: ignore[arg-type]  # a typed dictionary
            device_scale_factor=_SCALE,
            locale="en-GB",
            color_scheme="light",
        )
        for picture in PICTURES:
            page.goto(service + _path(service, picture.shows))
            (FOLDER / f"{picture.name}.webp").write_bytes(_taken(page, picture.part))
        browser.close()
    return 0


def _path(service: str, shows: str) -> str:
    if shows.startswith("/"):
        return shows
    query = f"external_id={quote(shows)}&select=id"
    with urllib.request.urlopen(f"{service}/v1/claims?{query}") as answer:  # noqa: S310  # as given
        (claim,) = json.load(answer)["data"]
    return f"/claims/{claim['id']}"


def _taken(page: Page, part: str | None) -> bytes:
    box = page.locator(part).bounding_box() if part else None
    clip = {"x": 0.0, "y": 0.0, "width": _WIDTH, "height": _HEIGHT}
    if box:
        clip = {
            "x": box["x"] - _MARGIN,
            "y": box["y"] - _MARGIN,
            "width": box["width"] + 2 * _MARGIN,
            "height": box["height"] + 2 * _MARGIN,
        }
    # Playwright itself writes no WebP.
    taken = page.context.new_cdp_session(page).send(
        "Page.captureScreenshot",
        {
            "format": "webp",
            "quality": _QUALITY,
            "captureBeyondViewport": True,
            "clip": {**clip, "scale": 1},
        },
    )
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
