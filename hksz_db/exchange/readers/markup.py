"""Remove the markup of HTML, JATS and MathML from titles."""

import re
from html import unescape

from hksz_db.exchange.readers.names import tidy

_MAX_LENGTH = 20_000
_HTML = """
a abbr b bdi big br cite code del div em font h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p q s small
span strike strong sub sup tt u ul var
"""
_JATS = """
alternatives bold break disp-formula ext-link fn inf inline-formula italic monospace named-content
overline roman sans-serif sc scp sec styled-content tex-math title underline xref
"""
_MATHML = """
annotation annotation-xml maction math menclose merror mfenced mfrac mi mmultiscripts mn mo mover
mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext
mtr munder munderover none semantics
"""
_ELEMENTS = frozenset(f"{_HTML} {_JATS} {_MATHML}".split())
# html.parser drops text that only looks like markup ("a<b"), depending on its version.
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>(?:[A-Za-z][\w.-]*:)?(?P<local>[A-Za-z][A-Za-z0-9-]*))"
    r"(?P<attributes>(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>=]+))*)\s*(?P<empty>/?)>"
)
_EMPTY = {"br", "hr", "break"}
_BREAKS = {*_EMPTY, "p", "li", "div", "title", "sec"}
# The same formula once more, as TeX.
_REPEATED = re.compile(
    r"<((?:\w+:)?annotation(?:-xml)?)\b[^<>]*>.*?</\1\s*>"
    r"|<((?:\w+:)?tex-math)\b[^<>]*>.*?</\2\s*>(?=.*<(?:\w+:)?math\b)",
    re.IGNORECASE | re.DOTALL,
)
# Without a sign, 10<sup>6</sup> would become 106, and a half 12.
_NUMBER = r"<(?:\w+:)?m[ni]\b[^<>]*>[^<>]{0,100}\d</(?:\w+:)?m[ni]>"
_SIGNS = [
    (re.compile(pattern, re.IGNORECASE), sign)
    for pattern, sign in (
        (r"(?<=\d)(?=<((?:\w+:)?sup)>[-+\N{MINUS SIGN}]?\d[\d.,]*</\1>)", "^"),
        (r"(?<=\d)(?=<((?:\w+:)?sub)>\d[\d.,]*</\1>)", "_"),
        (rf"(<(?:\w+:)?msup\b[^<>]*>{_NUMBER})(?={_NUMBER})", r"\1^"),
        (rf"(<(?:\w+:)?mfrac\b[^<>]*>{_NUMBER})(?={_NUMBER})", r"\1/"),
    )
]
_MATH = re.compile(r"<((?:\w+:)?math)\b[^<>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)


def plain(text: str) -> str:
    """The text on one line without tags and entities; ``a<b and b>c`` stays."""
    return tidy(_without_markup(text))


def _without_markup(text: str) -> str:
    if len(text) > _MAX_LENGTH:  # too long for a title
        return text
    if "<" in text:
        text = _MATH.sub(lambda found: re.sub(r"\s*(<[^<>]*>)\s*", r"\1", found[0]), text)
        text = _without_tags(_REPEATED.sub("", text))
    if "&" not in text:
        return text
    # Some exports escape tags.
    return _without_tags(unescape(text), only_pairs=True)


def _without_tags(text: str, *, only_pairs: bool = False) -> str:
    for pattern, sign in _SIGNS:
        text = pattern.sub(sign, text)
    tags = [tag for tag in _TAG.finditer(text) if tag["local"].lower() in _ELEMENTS]
    closed = {tag["name"].lower() for tag in tags if tag["end"]}
    opened = {tag["name"].lower() for tag in tags if not tag["end"]}

    def replaced(tag: re.Match[str]) -> str:
        local, name = tag["local"].lower(), tag["name"].lower()
        is_paired = name in closed and (name in opened or not only_pairs)
        is_alone = local in _EMPTY or tag["attributes"] or tag["empty"]
        if local in _ELEMENTS and (is_paired or (is_alone and not only_pairs)):
            return " " if local in _BREAKS else ""
        return tag[0]

    return _TAG.sub(replaced, text) if tags else text
