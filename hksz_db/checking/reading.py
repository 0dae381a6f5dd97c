"""What a sentence says, as far as rules can read it: names, times, figures, and how it is meant."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from hksz_db.checking.figures import FoundFigure, figures_of
from hksz_db.checking.folding import comparable
from hksz_db.checking.likeness import Wording
from hksz_db.checking.measures import Words
from hksz_db.checking.names import Mention
from hksz_db.checking.sentences import Span
from hksz_db.checking.times import StatedTime, times_of
from hksz_db.domain.chronology import Period
from hksz_db.domain.vocabulary import Modality

_DENIED = re.compile(
    r"\b(?:no|not|nor|none|never|neither|cannot|false|untrue|den(?:y|ies|ied)"
    r"|incorrect(?:ly)?|wrongly|wrong that|myths?|hoax|debunk(?:s|ed)|refut(?:es|ed))\b|n't\b"
    r"|不(?![少断同仅但论管过足到超多])|没(?!收)|未(?![来满])|无(?![论线])|非(?![洲常])|否|错误|谣言|失实"
)
_QUESTION = re.compile(r"[?？]\W*$")
_PLANNED = re.compile(
    r"\b(?:will|shall|plans? to|planned to|aims? (?:to|at)|aimed|targets?|intend(?:s|ed)?"
    r"|wants? to|hopes? to|is to|are to|goals?)\b"
    r"|将(?!近)|拟|目标|打算|计划(?:于|到|新增|兴建|增设)"
)
_FORECAST = re.compile(
    r"\b(?:expect(?:s|ed)?|forecasts?|project(?:s|ed)|predict(?:s|ed)?|likely|may|might|could)\b"
    r"|预计|预料|预期|料将|有望|估计将"
)


@dataclass(frozen=True)
class ReadSentence:
    """A sentence of a text with what was read in it."""

    text: str
    span: Span
    mentions: Sequence[Mention]
    times: Sequence[StatedTime]
    figures: Sequence[FoundFigure]

    @classmethod
    def of(
        cls, text: str, span: Span, mentions: Sequence[Mention], published: Period | None
    ) -> "ReadSentence":
        """Read a sentence at a place of a text."""
        times = times_of(text[slice(*span)], span.start, published)
        taken = [*(time.span for time in times), *(mention.span for mention in mentions)]
        return cls(text[slice(*span)], span, mentions, times, figures_of(text, span, taken))

    @cached_property
    def wording(self) -> Wording:
        """The sentence as it is compared with statements."""
        return Wording(self.text)

    @cached_property
    def form(self) -> str:
        """The sentence without its names, times and figures, in a form for patterns."""
        return Words(comparable(self.text), map(self.within, self._read), {}).form

    @property
    def _read(self) -> list[Span]:
        read: tuple[Mention | StatedTime | FoundFigure, ...] = (
            *self.mentions,
            *self.times,
            *self.figures,
        )
        return [part.span for part in read]

    def within(self, span: Span) -> Span:
        """A place of the text as one of the sentence."""
        return Span(span.start - self.span.start, span.end - self.span.start)

    @property
    def is_denied(self) -> bool:
        """Whether a word reverses what the sentence says, or it is a question."""
        return bool(_DENIED.search(self.form) or _QUESTION.search(self.text))

    @property
    def modality(self) -> Modality:
        """Whether it states what is, what is planned, or what is expected."""
        if _FORECAST.search(self.form):
            return Modality.FORECAST
        return Modality.PLANNED if _PLANNED.search(self.form) else Modality.ACTUAL

    @cached_property
    def entity_ids(self) -> list[UUID]:
        """The entities that are named, in the order of their names."""
        return [*dict.fromkeys(id for mention in self.mentions for id in mention.entity_ids)]

    def time_of(self, figure: FoundFigure) -> StatedTime | None:
        """The time that stands nearest to a figure."""
        return min(self.times, key=lambda time: _distance(time.span, figure.span), default=None)

    def distance_of(self, entity_id: UUID, figure: FoundFigure) -> tuple[bool, int]:
        """How far the name of an entity stands from a figure; names before it come first."""
        return min(
            (mention.span.start > figure.span.start, _distance(mention.span, figure.span))
            for mention in self.mentions
            if entity_id in mention.entity_ids
        )


def _distance(one: Span, other: Span) -> int:
    return max(one.start - other.end, other.start - one.end, 0)
