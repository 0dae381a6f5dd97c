"""Who made a source, as bibliographies name them."""

from collections.abc import Iterator

from hksz_db.exchange.format import Document


def contributors(source: Document, role: str) -> Iterator[tuple[str, bool]]:
    """The contributors in a role: the name, as credited where it is known, and whether a person's.

    They come in the printed order.
    """
    for made in source["contributors"]:
        if made["role"] == role:
            name = made["credited_name"] or made["entity"]["name"]
            yield name, made["entity"]["kind"] == "person"


def parts(name: str, is_person: bool) -> tuple[str, str] | None:
    """Family and given name, where the name itself tells them apart: ``Tan, Yifan``.

    Else None: which part of a person's name is the family's is not recorded, and "Tan Yifan" and
    "Mary Tan" have it at different ends.
    """
    family, comma, given = name.partition(", ")
    if is_person and comma and family.strip() and given.strip() and "," not in given:
        return family.strip(), given.strip()
    return None


def citation_id(source: Document) -> str:
    """What a source is cited by: its external id, or else its id as a URN (RFC 9562)."""
    return source["external_id"] or f"urn:uuid:{source['id']}"
