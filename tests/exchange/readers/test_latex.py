"""LaTeX as text: nothing is lost, and nothing raises."""

import re
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latex2text import get_default_latex_context_db as texts
from pylatexenc.latexencode import get_builtin_uni2latex_dict
from pylatexenc.latexwalker import get_default_latex_context_db as arguments

from hksz_db.exchange.readers.entries import Unreadable
from hksz_db.exchange.readers.latex import Mode, decode

COMMANDS = sorted(
    {spec.macroname for database in (texts(), arguments()) for spec in database.iter_macro_specs()}
)
# Commands whose argument is no text, and those that print nothing.
NO_TEXT = {"begin", "color", "hphantom", "hspace", "label", "selectlanguage", "vphantom", "vspace"}
NOTHING = {*" !,-/:;>@()[]\n\\", "quad", "qquad", "enskip", "nolinebreak", "left", "right", "emph"}
NOTHING |= {"mbox", "ensuremath", "text", "overline", "underline", "widehat", "widetilde"}
NOTHING |= {f"text{font}" for font in ("bf", "it", "md", "rm", "sc", "sf", "sl", "tt", "up")}
NOTHING |= {f"math{font}" for font in ("bf", "it", "rm", "sf", "tt")}
FORMS = ("{}", "{}inside{{}}", "{}{{inside}}", "{}{{inside}}{{inside}}", "{}[inside]{{inside}}")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"p {\textless} 0.05 in {RMB} {\textgreater} 5", "p < 0.05 in RMB > 5"),
        (r"\pounds20 under \S 5, \copyright{} the office", "£20 under § 5, © the office"),
        (r"{\pounds}20, \P~3, \dag, \euro5, 20\textdegree C", "£20, ¶ 3, †, €5, 20°C"),
        (
            r"\'Etude, \v Cech, \c{c}\`a, \L\'od\'z, \k{a}, Erd\H os",
            "Étude, Čech, çà, Łódź, ą, Erdős",
        ),
        (r"na{\"\i}f, Stra\ss e, \O{}re, \t{oo}, \textcommabelow{s}", "naïf, Straße, Øre, o͡o, ș"),
        (r"\'{} \~{} \^{}", "' ~ ^"),
        (r"\enquote{a} \textcolor{red}{b} \footnote{c}", "“a” b  [c]"),
        (r"{\em a} \textbf{b \textit{c}} \mbox{d}", "a b c d"),
        (
            r"H$_2$O, $p<0.05$, $n$-fold, 3$\times$4, $\mathbb{R}$",
            "H_2O, p<0.05, n-fold, 3\u00d74, \u211d",
        ),
        (r"\noopsort{1973a}1973 {\relax Ch}arles", "1973 Charles"),
        (r"\begin{bf}a\end{bf}", "a"),
        (r"A & B, 50% and a_b", "A & B, 50% and a_b"),
        ("\\", "\\"),
    ],
)
def test_it_is_read_as_text(written: str, text: str) -> None:
    assert decode(written).text == text


@pytest.mark.parametrize(
    "text",
    [
        "From $5 million to $6 million",
        "US$5 to US$10",
        "US$5-HK$39 and A$/US$",
        "$5 (=HK$39)",
        "costs $5 or HK$",
        "a $ sign and a $ sign",
        "HK$",
        "$$$",
    ],
)
def test_money_is_no_formula(text: str) -> None:
    assert decode(text).text == text
    assert decode(text.replace("$", r"\$")).text == text
    assert decode(text.replace("$", "{$}")).text == text


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("form", FORMS)
def test_nothing_around_or_within_a_command_is_lost(form: str, mode: Mode) -> None:
    for command in COMMANDS:
        separator = " " if form == "{}" and command.isalpha() else ""
        middle = form.format(f"\\{command}{separator}")
        for before, after in ((b, a) for b in ("", "before ") for a in ("", " after")):
            found = decode(f"{before}{middle}{after}", mode)
            assert found.text.startswith(before)
            # If an argument is missing, TeX takes the next letter for it.
            assert found.text.endswith(after[2:])
            letters = normalize("NFKC", found.text)
            is_kept = "nside" in letters or found.unread or found.links or command in NO_TEXT
            assert is_kept or form == "{}", (command, found)


def test_a_command_alone_is_a_character_or_kept_with_its_name() -> None:
    for command in COMMANDS:
        found = decode(f"\\{command}")
        assert found.text.strip() or command in NOTHING
        if found.text == f"\\{command}":
            assert found.unread == (f"\\{command}",)


def test_letters_are_read_as_they_are_encoded() -> None:
    encoded = [(chr(code), latex) for code, latex in get_builtin_uni2latex_dict().items()]
    # pylatexenc writes these with the accents of other letters.
    others = set("\u0126\u0127\u0138\u013f\u0140\u0149\u0166\u0167\u0170\u0171")
    latin = [(text, latex) for text, latex in encoded if "\xae" <= text < "\u0180"]
    assert len(latin) > 180
    wrong = {text for text, latex in latin if decode(latex).text != text}
    assert wrong <= others


@given(st.text(alphabet="\\{}[]$~-'`\"^=a éo ßi%&#_.cv", max_size=40))
def test_any_text_is_read(latex: str) -> None:
    for mode in Mode:
        try:
            found = decode(latex, mode)
        except Unreadable:
            continue
        assert found.text.count("ß") == latex.count("ß")


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("piece", [r"\'", r"\frac", "$", "$x_", r"\href", r"\foo ", "~"])
def test_long_repetitions_are_read(piece: str, mode: Mode) -> None:
    letters = re.sub("[^a-z]", "", decode(piece * 3000 + "the end", mode).text)
    assert letters.endswith("end")


def test_deep_braces_are_refused() -> None:
    with pytest.raises(Unreadable, match="nested"):
        decode(r"\foo{" * 60 + "}" * 60)
