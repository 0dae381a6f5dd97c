"""Ratings that fact checks give to claims, and the stance on a claim that follows from them."""

import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple

from hksz_db.domain.vocabulary import Stance

_NUMBER = r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?"
_STATED = re.compile(
    rf"(?:(?P<name>.*\S) )?\((?P<value>{_NUMBER})"
    rf"(?:; (?:worst (?P<worst>{_NUMBER}))?(?:, )?(?:best (?P<best>{_NUMBER}))?)?\)"
)
# Names in both scripts, as fact checks print them. Any other name decides nothing.
_NAMES = {
    Stance.DISPUTES: """
        false, fake, incorrect, inaccurate, not true, untrue, wrong, pants on fire, 错误, 錯誤,
        不实, 不實, 不正确, 不正確, 虚假, 虛假, 假
    """,
    Stance.SUPPORTS: """
        true, correct, accurate, 真, 真实, 真實, 正确, 正確, 属实, 屬實
    """,
    # These say more than the end of a scale at which some publishers put them.
    Stance.MENTIONS: """
        mostly false, mostly true, partly false, partly true, partially false, partially true,
        half true, mixed, mixture, misleading, out of context, missing context, lacks context,
        needs context, outdated, satire, altered, unproven, unverified, unsubstantiated,
        no evidence, 误导, 誤導, 半真半假, 部分错误, 部分錯誤, 部分属实, 部分屬實, 证据不足,
        證據不足, 缺乏脉络, 缺乏脈絡, 断章取义, 斷章取義, 有待查证, 有待查證, 讽刺, 諷刺
    """,
}
_STANCES = {
    " ".join(name.split()): stance for stance, names in _NAMES.items() for name in names.split(",")
}


class Rating(NamedTuple):
    """A rating: its name in words, and its number with the ends of its scale, as stated."""

    name: str = ""
    value: str = ""
    worst: str = ""
    best: str = ""

    @property
    def as_stated(self) -> str:
        """The rating as a text: ``Mostly false (2; worst 1, best 5)``."""
        ends = (("worst", self.worst), ("best", self.best))
        scale = ", ".join(f"{end} {number}" for end, number in ends if number)
        number = f"({'; '.join(filter(None, (self.value, scale)))})" if self.value else ""
        return " ".join(filter(None, (self.name, number)))

    @property
    def stance(self) -> Stance:
        """The stance of the fact check; ``mentions`` unless the rating is clear.

        It is clear if its name is known to mean true or false. If it is not known, the number
        decides at an end of its scale. A name and a number that differ decide nothing.
        """
        named = _STANCES.get(_folded(self.name))
        numbered = self._numbered()
        if named is None:
            return numbered or Stance.MENTIONS
        return Stance.MENTIONS if numbered not in {None, named} else named

    def _numbered(self) -> Stance | None:
        """The stance at the place of the number on its scale; None without a scale."""
        if not (self.value and self.worst and self.best):
            return None
        value, worst, best = map(Decimal, self[1:])
        if not worst < best:
            return None
        return {worst: Stance.DISPUTES, best: Stance.SUPPORTS}.get(value, Stance.MENTIONS)


def read_rating(text: str) -> Rating:
    """The rating with this text; what has another form than ``as_stated`` is a name."""
    found = _STATED.fullmatch(text)
    return Rating(**found.groupdict(default="")) if found else Rating(text)


def is_number(text: str) -> bool:
    """Whether the text can be the number of a rating."""
    return re.fullmatch(_NUMBER, text) is not None


def _folded(name: str) -> str:
    """The words in lower case, without punctuation and symbols."""
    kept = (" " if unicodedata.category(c)[0] in "PSZC" else c for c in name.casefold())
    return " ".join("".join(kept).split())
