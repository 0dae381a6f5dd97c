"""Reading ahead: the next item is made while the one before is written."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")


def ahead(items: Generator[_Item]) -> Generator[_Item]:
    """The items, each of which another thread makes while the caller works with the one before.

    That thread also ends ``items``, which may hold what belongs to one thread. At most two items
    are in memory. Raises what ``items`` raises, after the items before.
    """
    with ThreadPoolExecutor(1, "reading-ahead") as thread:
        try:
            following = thread.submit(next, items, None)
            while (item := following.result()) is not None:
                following = thread.submit(next, items, None)
                yield item
        finally:
            thread.submit(items.close).result()
