"""Text from LaTeX, as it stands in BibTeX files."""

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
    """Braces within braces within braces, further than any author means it."""


@lru_cache(maxsize=4096)
def decode(text: str) -> str:
    """The text that LaTeX would set, without formats. Raises ``TooDeep``."""
    if _PLAIN.fullmatch(text):
        return text
    depth = deepest = 0
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise TooDeep(f"It is nested more than {MAX_DEPTH} deep.")
    try:
        # In BibTeX a per cent sign begins no comment.
        found: str = _decoder().latex_to_text(_PERCENT.sub(r"\\%", text))
    except (LatexWalkerError, RecursionError, ValueError):
        return text
    return found


def decode_address(text: str) -> str:
    """A URL or a DOI, in which programs escape what LaTeX would not print."""
    text = re.sub(r"^\\url\{(.*)\}$", r"\1", text.strip())
    return _ESCAPED.sub(r"\1", _TILDE.sub("~", text)).strip("{}<> ")


def is_braced(raw: str) -> bool:
    """Whether one pair of braces encloses all of it."""
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
