"""Titles with the markup of HTML, JATS and MathML."""

import pytest

from hksz_db.exchange.readers.markup import plain

X = "<mi>x</mi>"
MATH = "http://www.w3.org/1998/Math/MathML"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("<i>Panthera</i> &amp; H<sub>2</sub>O: a < b", "Panthera & H2O: a < b"),
        ("<span class='nocase'>x</span> <SCP>Y</scp>-19", "x Y-19"),
        ("<jats:italic>E. coli</jats:italic> grows", "E. coli grows"),
        ("<p>One<br/>two</p><p>three</p>", "One two three"),
        (f'<mml:math xmlns:mml="{MATH}"><mml:mi>N</mml:mi></mml:math>-fold', "N-fold"),
        (
            f'A <math xmlns="{MATH}">\n <msup>\n  <mi>x</mi>\n  <mn>2</mn>\n </msup>\n</math> law',
            "A x2 law",
        ),
        (f"A <math><semantics>{X}<annotation>x</annotation></semantics></math> law", "A x law"),
        (f"<alternatives><tex-math>$x$</tex-math><math>{X}</math></alternatives> law", "x law"),
        ("&lt;i&gt;Panthera&lt;/i&gt; &lt; 5", "Panthera < 5"),
        # Numbers stay what they are.
        ("10<sup>6</sup> m<sup>2</sup> CO<sub>2</sub>", "10^6 m2 CO2"),
        ("&lt;b&gt;10&lt;sup&gt;-3&lt;/sup&gt;&lt;/b&gt;", "10^-3"),
        ("<math><msup><mn>10</mn><mn>3</mn></msup></math> a", "10^3 a"),
        ("<math>\n<mfrac>\n<mn>1</mn>\n<mn>2</mn>\n</mfrac></math> a", "1/2 a"),
    ],
)
def test_tags_go_and_their_text_stays(written: str, text: str) -> None:
    assert plain(written) == text


@pytest.mark.parametrize(
    "text",
    [
        "a<b and b>c",
        "a<b>c",
        "a<i and j>k",
        "if a<b",
        "p <0.05 or >5",
        "<unknown>text</unknown>",
        "List<String> in Java",
        "<3 and <!-- a comment",
        "1<sup>2",
        "The <b> element",
        "x </ y",
    ],
)
def test_what_is_no_markup_stays(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize("piece", ["<math>", "<i>", "&lt;", "<a b='", "<tex-math>", "<annotation "])
def test_long_repetitions_end(piece: str) -> None:
    assert plain(piece * 3000 + "end").endswith("end")
