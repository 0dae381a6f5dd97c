r"""Read LaTeX as text: the characters, accents and commands that occur in bibliographies.

Nothing is lost: of commands that are not known, the arguments are kept, or ``\name`` if there are
none, and the names are listed.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from itertools import accumulate

from pylatexenc.latex2text import fmt_math_text_style, get_default_latex_context_db

from hksz_db.exchange.readers.entries import Unreadable

_MAX_DEPTH = 50
_PLAIN = re.compile(r"[^\\${}~`'\-]*")
# A letter ends no command of one other character.
_LEXEME = re.compile(
    r"\\(?:[A-Za-z]+(?:\*(?=\s*\{))?\s*|[\s\S]|$)|[{}$~]|-{2,3}|``|''|[!?]`|[^\\{}$~\-`'!?]+|."
)
# What is written in another way than it is meant: degrees, powers, and Chinese in a font.
_REWRITTEN = [
    (re.compile(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))"), r"{\\degree}"),
    (
        re.compile(r"(?<=\d)\\textsuperscript\s*\{([-+]?\d[\d.,]*)\}"),
        r"{\\textasciicircum}\1",
    ),
    (re.compile(r"\\begin\s*\{CJK\*?\}(?:\s*\{[^{}]*\}){2}"), ""),
]
_DISPLAYED = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
_LIGATURES = {"--": "–", "---": "—", "``": "“", "''": "”", "!`": "¡", "?`": "¿"}  # noqa: RUF001
# Formulas are told from sums of money: "between $5 and US$10".
_FORMULA = re.compile(r"[\\^_]")
_RELATION = re.compile(r"[=<>+*]")
_SHORT_FORMULA = re.compile(r"[\w.,:;()/|!-]{1,20}")
_MONEY = re.compile(r"\d.*[^A-Za-z0-9][A-Z]{1,3}", re.DOTALL)
_ACCENTS = {
    name: chr(int(code, 16))
    for code, names in {
        "300": "` grave",
        "301": "' acute",
        "302": "^ hat",
        "303": "~ tilde",
        "304": "= bar",
        "306": "u breve",
        "307": ". dot",
        "308": '" ddot',
        "309": "h",
        "30A": "r",
        "30B": "H",
        "30C": "v check",
        "30E": "U",
        "30F": "G",
        "311": "f",
        "323": "d",
        "326": "textcommabelow",
        "327": "c",
        "328": "k",
        "331": "b",
        "338": "not",
        "361": "t",
        "20D7": "vec",
    }.items()
    for name in names.split()
}
_SPACES = "quad qquad space nobreakspace thinspace enspace newline linebreak par hfill nolinebreak"
# Names that are printed as they are.
_NAMES = "TeX LaTeX BibTeX XeTeX LuaTeX pdfTeX log ln sin cos tan exp max min sup inf lim det dim"
# What pylatexenc lacks, or reads in another way.
_CHARACTERS = {
    name: character
    for character, names in {
        **{character: character for character in "&%#$_{}"},
        "‖": "| Vert",
        "|": "textbar mid vert",
        "£": "pounds",
        "¥": "yen",
        "€": "euro EUR",
        "¢": "cent",
        "$": "textdollar $",
        "§": "S textsection",
        "¶": "P textparagraph",
        "†": "dag",
        "‡": "ddag",
        "©": "copyright textcopyright",
        "№": "textnumero",
        "/": "slash",
        "<": "textless lt",
        ">": "textgreater gt",
        "°": "degree",
        "℃": "celsius",
        "^": "textasciicircum",
        "·": "textperiodcentered",
        "_": "textunderscore _",
        "-": "hyphen",
        "{": "textbraceleft lbrace {",
        "}": "textbraceright rbrace }",
        "[": "lbrack",
        "]": "rbrack",
        "≠": "ne",
        "‘": "lq grq",  # noqa: RUF001
        "’": "rq",  # noqa: RUF001
        "“": "ldq grqq",
        "”": "rdq",
        "‚": "glq",  # noqa: RUF001
        "„": "glqq",
        "‹": "flq",  # noqa: RUF001
        "›": "frq",  # noqa: RUF001
        "«": "flqq guillemetleft",
        "»": "frqq guillemetright",
        "–": "bibrangedash",  # noqa: RUF001
        "ẞ": "SS",
        "%": "percent %",
        " ": f", ; : > \\ {_SPACES}",
        # Hyphenation, kerning, and the delimiters of formulas.
        "": "! - / @ ( ) [ ]",
    }.items()
    for name in names.split()
} | {name: name for name in _NAMES.split()}
# Of these symbols, a space that follows the command is meant, although TeX ignores it.
_BEFORE_SPACE = {*"§¶†‡©®™№<>…", *_NAMES.split()}
# Commands that only change how the text after them looks.
_LOOKS_NAMES = """
em emph bf bfseries it itshape rm rmfamily sf sffamily sc scshape sl slshape tt ttfamily up upshape
mdseries normalfont selectfont tiny scriptsize footnotesize small normalsize large Large LARGE huge
Huge text textrm textit textbf textmd textsc textsf textsl texttt textup textnormal textlf textln
textos textsuperscript textsubscript textlatin textgreek mathrm mathbf mathit mathsf mathtt
mathnormal mathop mathbin boldsymbol bm operatorname ensuremath displaystyle textstyle scriptstyle
left right big Big bigg Bigg limits nolimits mbox hbox makebox fbox underline uline ul overline
widehat widetilde uppercase lowercase MakeUppercase MakeLowercase MakeSentenceCase MakeCapital
NoCaseChange nocase mkbibemph mkbibbold mkbibitalic num ce si unit protect relax string noindent
centering nobreak nobreakdash allowbreak xspace ignorespaces unskip leavevmode null sloppy
"""
_LOOKS = frozenset(_LOOKS_NAMES.split())
# Commands with arguments: the names, the number of arguments, and the text that they become.
_COMMANDS = {
    name: (count, text)
    for names, count, text in (
        ("textcolor colorbox foreignlanguage texorpdfstring raisebox scalebox", 2, "{1}"),
        ("fcolorbox", 3, "{2}"),
        ("frac dfrac tfrac sfrac nicefrac textfrac", 2, "{0}/{1}"),
        ("SI qty", 2, "{0} {1}"),
        ("enquote mkbibquote", 1, "“{0}”"),
        ("sqrt", 1, "√({0})"),
        ("footnote", 1, " [{0}]"),
        ("mkbibparens", 1, "({0})"),
        ("mkbibbrackets", 1, "[{0}]"),
        ("hspace vspace", 1, " "),
        ("begin end color label noopsort selectlanguage phantom hphantom vphantom", 1, ""),
    )
    for name in names.split()
}
# Of these, arguments of one character are written without braces.
_UNBRACED = {"frac", "dfrac", "tfrac", "sqrt"}
_ADDRESSES = {"url", "nolinkurl", "path"}
_ALPHABETS = {
    "mathbb": "doublestruck",
    "mathcal": "script",
    "mathscr": "script",
    "mathfrak": "fraktur",
}
_DOTTED = str.maketrans({0x131: "i", 0x237: "j"})
# Braces that are text, while those that group are kept.
_AS_TEXT = str.maketrans("{}", "\ue000\ue001")
_BARE = str.maketrans({"{": None, "}": None, "\ue000": "{", "\ue001": "}"})


class Mode(Enum):
    """What is read: text; names, in which braces are kept; or an address, which is not typeset."""

    TEXT = "text"
    NAMES = "names"
    ADDRESS = "address"


@dataclass(frozen=True)
class Decoded:
    """A text, the commands that were not understood, and the addresses of links in it."""

    text: str
    unread: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def decode(latex: str, mode: Mode = Mode.TEXT) -> Decoded:
    """The text that LaTeX would typeset, without formatting.

    Raises ``Unreadable`` if braces are nested too deep.
    """
    if _PLAIN.fullmatch(latex):
        return Decoded(latex)
    if max(depths(latex), default=0) > _MAX_DEPTH:
        raise Unreadable(f"Braces are nested more than {_MAX_DEPTH} deep.")
    reader = _Reader(latex, mode)
    text = reader.sequence()
    return Decoded(text, tuple(reader.unread), tuple(reader.links))


def bare(name: str) -> str:
    """A part of decoded names without the braces that group."""
    return name.translate(_BARE)


def depths(text: str) -> list[int]:
    """How many braces are open after each brace."""
    braces = re.findall(r"(?<!\\)[{}]", text)
    return list(accumulate(1 if brace == "{" else -1 for brace in braces))


class _Reader:
    """Reads the lexemes of a text from left to right; ``unread`` are the names of commands."""

    def __init__(self, latex: str, mode: Mode) -> None:
        if mode is not Mode.ADDRESS:
            for pattern, text in _REWRITTEN:
                latex = pattern.sub(text, latex)
            latex = _DISPLAYED.sub(r"$\1$", latex)
        self.unread: list[str] = []
        self.links: list[str] = []
        self._mode = mode
        self._lexemes = _LEXEME.findall(latex)
        self._position = 0
        self._depth = 0
        self._delimiters = set() if mode is Mode.ADDRESS else set(_formulas(self._lexemes))

    def sequence(self) -> str:
        """The text up to the end of the group."""
        pieces = []
        while self._position < len(self._lexemes):
            lexeme = self._next()
            if lexeme == "}" and self._depth:
                break
            pieces.append(self._piece(lexeme))
        return "".join(pieces)

    def _next(self) -> str:
        self._position += 1
        lexeme: str = self._lexemes[self._position - 1]
        return lexeme

    def _piece(self, lexeme: str) -> str:
        if lexeme == "{":
            return self._group()
        if lexeme[:1] == "\\":
            return self._command(lexeme)
        if lexeme == "$":
            return "" if self._position - 1 in self._delimiters else lexeme
        if self._mode is Mode.ADDRESS:
            return lexeme.strip("{}")
        return " " if lexeme == "~" else _LIGATURES.get(lexeme, lexeme.strip("{}"))

    def _group(self) -> str:
        following = "".join(self._lexemes[self._position : self._position + 1])
        is_command = following.startswith("\\")
        text = self._inside()
        # BibTeX takes a command in braces for one letter.
        is_letter = is_command and len(text) <= 2
        return text if self._mode is not Mode.NAMES or is_letter else f"{{{text}}}"

    def _inside(self) -> str:
        self._depth += 1
        text = self.sequence()
        self._depth -= 1
        return text

    def _command(self, lexeme: str) -> str:
        name = lexeme[1:].rstrip().rstrip("*") or lexeme[1:2]
        if self._mode is Mode.ADDRESS and not name.isalpha():
            return name
        if (known := self._known(name, is_followed_by_space=lexeme[-1:].isspace())) is not None:
            return known
        self.unread.append(f"\\{name}")
        arguments = []
        while self._lexemes[self._position : self._position + 1] == ["{"]:
            self._next()
            arguments.append(self._inside())
        return " ".join(filter(None, arguments)) or lexeme

    def _known(self, name: str, *, is_followed_by_space: bool) -> str | None:
        if name in _LOOKS:
            return ""
        if name.isspace():
            return " "
        character = _characters().get(name)
        if character is not None:
            if name.isalpha() and is_followed_by_space and character in _BEFORE_SPACE:
                character += " "
            return character.translate(_AS_TEXT) if self._mode is Mode.NAMES else character
        if name in _ACCENTS:
            return self._accented(name)
        if name in _ADDRESSES:
            return self._address()
        if name == "href":
            return self._link()
        if name in _ALPHABETS and (letters := self._argument()):
            styled: str = fmt_math_text_style(letters, _ALPHABETS[name])
            return styled
        return self._with_arguments(name) if name in _COMMANDS else None

    def _accented(self, name: str) -> str | None:
        letters = (self._argument() or "").strip()
        if not letters:
            return None if name.isalpha() else name
        first = letters[0].translate(_DOTTED)
        return unicodedata.normalize("NFC", first + _ACCENTS[name]) + letters[1:]

    def _address(self) -> str | None:
        mode, self._mode = self._mode, Mode.ADDRESS
        text = self._braced()
        self._mode = mode
        return text

    def _link(self) -> str | None:
        address, text = self._address(), self._braced()
        if address is None or text is None or self._mode is Mode.ADDRESS:
            return address
        self.links.append(address)
        return text

    def _with_arguments(self, name: str) -> str | None:
        count, text = _COMMANDS[name]
        read = self._argument if name in _UNBRACED else self._braced
        arguments = [argument for _ in range(count) if (argument := read()) is not None]
        if len(arguments) < count:
            self.unread += [f"\\{name}"] if arguments else []
            return " ".join(arguments) or None
        return text.format(*arguments)

    def _braced(self) -> str | None:
        """The next group; None if no group follows."""
        position = self._position
        while position < len(self._lexemes) and self._lexemes[position].isspace():
            position += 1
        if self._lexemes[position : position + 1] != ["{"]:
            return None
        self._position = position + 1
        return self._inside()

    def _argument(self) -> str | None:
        """The next group, command or character; None if the group or the text ends."""
        while self._position < len(self._lexemes):
            lexeme = self._next()
            if not lexeme.strip():
                continue
            if lexeme == "{":
                return self._inside()
            if lexeme in {"}", "$"} or (lexeme[0] == "\\" and self._depth > _MAX_DEPTH):
                self._position -= 1
                return None
            if lexeme[0] == "\\":
                self._depth += 1
                text = self._command(lexeme)
                self._depth -= 1
                return text
            # The rest of the text is not part of the argument.
            self._position -= 1
            self._lexemes[self._position] = lexeme.lstrip()[1:]
            return lexeme.lstrip()[0]
        return None


def _formulas(lexemes: list[str]) -> Iterator[int]:
    """The positions of the dollars that begin or end a formula."""
    opening: int | None = None
    for position in [number for number, lexeme in enumerate(lexemes) if lexeme == "$"]:
        if opening is not None:
            before = lexemes[opening - 1][-1:] if opening else ""
            after = "".join(lexemes[position + 1 : position + 2])[:1]
            if _is_formula(before, "".join(lexemes[opening + 1 : position]), after):
                yield from (opening, position)
                opening = None
                continue
        opening = position


def _is_formula(before: str, text: str, after: str) -> bool:
    braces = depths(text)
    is_whole = not braces or (min(braces) == 0 and braces[-1] == 0)
    if text != text.strip() or not is_whole or _MONEY.fullmatch(text):
        return False
    if _FORMULA.search(text):
        return True
    # "US$/HK$" is no formula, but "H$_2$O" has one.
    is_short = not before.isupper() and _SHORT_FORMULA.fullmatch(text)
    return bool((is_short or _RELATION.search(text)) and not after.isdecimal())


@cache
def _characters() -> dict[str, str]:
    """What commands without arguments stand for."""
    context = get_default_latex_context_db()
    texts = {spec.macroname: spec.simplify_repl for spec in context.iter_macro_specs()}
    found = {
        name: context.get_macro_spec(name).simplify_repl
        for name, text in texts.items()
        # Others have arguments, are references, or format documents.
        if isinstance(text, str) and len(text) == 1 and name not in _COMMANDS
    }
    return {**found, **_CHARACTERS}
