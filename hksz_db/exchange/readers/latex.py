"""Convert LaTeX in BibTeX files to text."""

import re
from functools import cache, lru_cache

from pylatexenc.latex2text import (
    LatexNodes2Text,
    MacroTextSpec,
    get_default_latex_context_db,
)
from pylatexenc.latexwalker import LatexWalkerError

MAX_DEPTH = 50
_PLAIN = re.compile(r"[^\\$%{}~`'\-]*")
_ESCAPED = re.compile(r"\\([#$%&_{}~])(?:\{\})?")
_TILDE = re.compile(r"\{?\\(?:textasciitilde|string~|~)\}?(?:\{\})?")
_PERCENT = re.compile(r"(?<!\\)%")


class TooDeep(ValueError):
    """Braces are nested deeper than any author would need."""


@lru_cache(maxsize=4096)
def decode(text: str) -> str:
    """The text that LaTeX would typeset, without formatting. Raises ``TooDeep``."""
    if _PLAIN.fullmatch(text):
        return text
    depth = deepest = 0
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise TooDeep(f"Braces are nested more than {MAX_DEPTH} deep.")
    try:
        # A percent sign does not begin a comment in BibTeX.
        found: str = _decoder().latex_to_text(_PERCENT.sub(r"\\%", text))
    except (LatexWalkerError, RecursionError, ValueError):
        return text
    return found


def decode_address(text: str) -> str:
    """A URL or DOI without the escapes of LaTeX."""
    text = re.sub(r"^\\url\{(.*)\}$", r"\1", text.strip())
    return _ESCAPED.sub(r"\1", _TILDE.sub("~", text)).strip("{}<> ")


def is_braced(raw: str) -> bool:
    """Whether one pair of braces encloses the whole value."""
    if not (raw.startswith("{") and raw.endswith("}")):
        return False
    depth = 0
    for match in re.finditer(r"(?<!\\)[{}]", raw):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.end() == len(raw)
    return False


@cache
def _decoder() -> LatexNodes2Text:
    context = get_default_latex_context_db()
    addresses = [MacroTextSpec("url", simplify_repl="%s")]
    context.add_context_category("addresses", prepend=True, macros=addresses)
    return LatexNodes2Text(latex_context=context, math_mode="text")
