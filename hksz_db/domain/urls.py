"""The canonical form of a URL, by which two links to one page are recognised.

It is made for comparison, not for following: it has no scheme.
"""

import re
from typing import NamedTuple

# Parameters that say where a reader came from, and never what they see. A name ending in an
# asterisk is a prefix. Add others here, and list the sources that they concern in ``unfilled_urls``
# by a migration; others keep their canonical URL.
TRACKING_PARAMETERS = (
    "utm_*",  # Google Analytics, and most others
    *("gclid", "gclsrc", "dclid", "gbraid", "wbraid", "_ga", "_gl"),  # Google
    "fbclid",  # Facebook
    *("igshid", "igsh"),  # Instagram
    "msclkid",  # Microsoft
    *("twclid", "ref_src", "ref_url"),  # Twitter
    *("ttclid", "yclid", "li_fat_id"),  # TikTok, Yandex, LinkedIn
    *("mc_cid", "mc_eid", "mkt_tok", "_hsenc", "_hsmi", "vero_id"),  # newsletters
    *("at_campaign", "at_medium", "ns_campaign", "ns_mchannel", "ns_source", "xtor"),  # the BBC, …
)


class PrintVariant(NamedTuple):
    """How the path of a page for printing differs on a host from that of the page itself."""

    host: str
    path: re.Pattern[str]
    page: str


PRINT_VARIANTS = (
    # Press releases of the Hong Kong government: P2024012400222p.htm prints P2024012400222.htm.
    PrintVariant("info.gov.hk", re.compile(r"(?<=[0-9])p\.htm$"), ".htm"),
    # Its news site: /eng/print/2024/… prints /eng/2024/….
    PrintVariant("news.gov.hk", re.compile(r"/print(?=/|$)"), ""),
)

_DOI_HOST = "doi.org"
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_URL = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*)://)?([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?")
_AUTHORITY = re.compile(r"(?:.*@)?(.*?)(?::+([0-9]*))?")
_PERCENT = re.compile("%([0-9A-Fa-f]{2})?")
_UNRESERVED = re.compile("[A-Za-z0-9._~-]")


def canonical_url(url: str) -> str:
    """The host, the path and the query, without what does not tell pages apart.

    URLs have the same canonical form if they differ only in the scheme, in ``www.``, in the letter
    case of the host, in a default port, in how characters are escaped or in dot segments (RFC 3986,
    section 6.2.2), in trailing slashes, in the order of parameters of different names, in tracking
    parameters, in the fragment, or as a page and its variant for printing. A fragment that begins
    with ``/`` or ``!`` stays: it is the path of a page that a script shows. Other hosts, such as
    ``m.example.org``, may show other pages. The form of a canonical form is itself.
    """
    found = _URL.fullmatch(url)
    if found is None:
        return url  # it has a line break, so it is no URL
    scheme, authority, path, query, fragment = found.groups(default="")
    host = _host(authority, scheme.lower())
    parameters = _parameters(_escaped(query.replace("+", "%20")))
    return "".join(
        (
            host,
            _path(_escaped(path), host),
            f"?{parameters}" if parameters else "",
            f"#{fragment}" if fragment.startswith(("/", "!")) else "",
        )
    )


def _host(authority: str, scheme: str) -> str:
    found = _AUTHORITY.fullmatch(authority)
    assert found is not None  # the expression matches every line
    name, port = found.groups(default="")
    name = _ascii(name).rstrip(".")
    while name.startswith("www.") and "." in name.removeprefix("www."):
        name = name.removeprefix("www.")
    if name == "dx.doi.org":
        name = _DOI_HOST  # its former name
    return f"{name}:{port}" if port and port != _DEFAULT_PORTS.get(scheme) else name


def _ascii(name: str) -> str:
    """The name in lower case and, if it is international, in the form of the domain name system."""
    lowered = name.lower()
    if lowered.isascii():
        return lowered
    try:
        return lowered.encode("idna").decode()
    except UnicodeError:
        return lowered


def _path(path: str, host: str) -> str:
    folded = _without_dot_segments(path).rstrip("/")
    if host == _DOI_HOST:
        folded = folded.lower()  # DOIs ignore case
    for variant in PRINT_VARIANTS:
        if host == variant.host:
            folded = variant.path.sub(variant.page, folded)
    return folded.rstrip("/")


def _without_dot_segments(path: str) -> str:
    """The path without ``.`` and ``..`` (RFC 3986, section 5.2.4)."""
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "".join(f"/{segment}" for segment in kept)


def _parameters(query: str) -> str:
    """The parameters by name, those of one name in their order, without those for tracking."""
    parts = [part for part in query.split("&") if part and not _tracks_readers(part)]
    return "&".join(sorted(parts, key=_name))


def _name(parameter: str) -> str:
    return parameter.partition("=")[0]


def _escaped(text: str) -> str:
    """Escapes in upper case, and only of characters that need them."""

    def normal(found: re.Match[str]) -> str:
        if found[1] is None:
            return "%25"  # a percent sign that escapes nothing
        character = chr(int(found[1], 16))
        return character if _UNRESERVED.fullmatch(character) else found[0].upper()

    return _PERCENT.sub(normal, text)


def _tracks_readers(parameter: str) -> bool:
    name = _name(parameter).lower()
    return any(
        name.startswith(known[:-1]) if known.endswith("*") else name == known
        for known in TRACKING_PARAMETERS
    )
