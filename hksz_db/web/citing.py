"""Sources in words: how they are cited, and who published them; foreign names are marked."""

from collections.abc import Iterable

from markupsafe import Markup, escape

from hksz_db.queries.document_types import Named, Source
from hksz_db.web.foreign import spoken
from hksz_db.web.translating import gettext
from hksz_db.web.wording import time_in_words

_PUBLISHER, _AUTHOR = "publisher", "author"


def citation(source: Source) -> Markup:
    """A citation: who, when, what, where."""
    authors = [
        spoken(each["credited_name"], source["language"]) or _named(each["entity"])
        for each in source["contributors"]
        if each["role"] == _AUTHOR
    ]
    container = source["container_title"]
    parts = [
        _listed(authors),
        escape(gettext("“%(words)s”")) % {"words": spoken(source["title"], source["language"])},
        spoken(container, source["language"]),
        *(_named(each) for each in _makers(source, _PUBLISHER) if not _is_in(each, container)),
        spoken(source["publisher_place"]),
        time_in_words(source["issued"]["edtf"]),
        f"https://doi.org/{source['doi']}" if source["doi"] else source["url"],
    ]
    return _listed(parts) + gettext(".")


def published(source: Source) -> Markup:
    """Who published a source, in what, and when."""
    return _listed((publisher(source), issued(source)))


def publisher(source: Source) -> Markup:
    """Who published a source, and in what."""
    makers = [*_makers(source, _PUBLISHER), *_makers(source, _AUTHOR)][:1]
    container = source.get("container_title")
    parts = [
        spoken(container, source.get("language")),
        *(_named(each) for each in makers if not _is_in(each, container)),
    ]
    return _listed(parts)


def issued(source: Source) -> str:
    """When a source was published."""
    return time_in_words(source["issued"]["edtf"] if "issued" in source else source["issued_edtf"])


def _listed(parts: Iterable[str | None]) -> Markup:
    return escape(gettext(", ")).join(part for part in parts if part)


def _makers(source: Source, role: str) -> list[Named]:
    return [each["entity"] for each in source["contributors"] if each["role"] == role]


def _named(entity: Named) -> Markup:
    return spoken(entity["name"], entity.get("name_language"))


def _is_in(entity: Named, container: str | None) -> bool:
    # "HKSAR Government press releases" names its publisher already.
    return bool(container) and entity["name"] in (container or "")
