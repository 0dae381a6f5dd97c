"""What keeps a figure from being one of a metric and a subject although their words are there."""

import re

from hksz_db.checking.measures import GENERAL, Metric, Words, concepts_of
from hksz_db.checking.sentences import Span
from hksz_db.domain.vocabulary import Dimension, MetricMeasure, NothingFound

MAX_OTHER_WORDS = 3
"""How many English words that neither the metric nor most reports use a sentence may have."""

_LEVELS = (MetricMeasure.LEVEL, MetricMeasure.CHANGE)
_NEAR = 40
_COUNTED_WORDS = 3
_COUNTED_HAN = 14
_HAN = re.compile("[\u3400-\u9fff]")
_PART_BEFORE = re.compile(
    r"\bof (?:the|those|these|all|its|their|them)\b[^,;]*, *$|\bof (?:which|whom)\b[^,;]*$"
    r"|\bamong [^,;]*, *$|(?:其中|当中)[^,，]*$"
)
_PART_AFTER = re.compile(r"\s*(?:of|among) (?:them|whom|which|these|those)\b")
_RATE = re.compile(
    r"\b(?:a|an|per|each|every) (?:hour|day|week|month|quarter|person|head|team|firm|company)\b"
    r"|\b(?:daily|weekly|monthly|quarterly|average|averaged|apiece)\b"
    r"|每[天日周月季人家]|平均|[日月人]均"
)
_OTHER_VALUE = re.compile(
    r"(?:\b(?:from|than|against|compared (?:with|to)|instead of|versus|vs\.?)|[由从比较]) *$"
)
_ORIGIN = re.compile(r"\bfrom (?:the )?(?!start|beginning|end|launch|its)[a-z]|来自")
_GROUP = re.compile(
    r"\b(?:for|by|among|aged|with) (?:the )?(?:[a-z]+ )?"
    r"(?:applicants?|people|persons?|those|women|men|girls|boys|students?|graduates?|children|adults?)\b"
    r"|\b(?:aged?|under|over) (?:of )?\d{2}\b(?! (?:per|days|km|m2))|岁"
)
_CONDITION = re.compile(r"\b(?:if|unless|would have)\b|如果|假如|倘若")
_FROM = re.compile(r"\bfrom (?:the )?$")
_STATES = re.compile(
    r"(?:\b(?:was|were|is|are|be|been|had|has|have|numbered|numbering|reached|reaching|hit|total|"
    r"totalled|totaled|totalling|to|at|of)|[为達达是有共至]) *$"
)
_STATING = re.compile(
    r"(?:was|were|is|are|had|has|have|numbered|reached|total|totalled|totaled|rose to|stood at|came"
    r" to|amounted to)\b|[为達达是有共至]"
)
_PLACE = re.compile(r"\b(?:in|within|inside|near|at|on|into|by|around|beside|of) (?:the )?$")
_WHOLE = re.compile(r"\b(?:area|size|side|extent|whole|all) of (?:the )?$")
_INSIDE = re.compile("[内里裡裏哩附旁边邊中其]")


def doubt(
    words: Words, figure: Span, subject: Span | None, metric: Metric, *, is_known_part: bool
) -> NothingFound | None:
    """Why a figure may be about something else; ``None`` if nothing says so.

    The places are those of the sentence. ``subject`` is that of the name of the subject.
    """
    label = frozenset(concepts_of(f"{metric.label} {metric.key.replace('-', ' ')}"))
    if not is_known_part and _is_part(words, figure, label):
        return NothingFound.A_PART
    if (
        (metric.measure in _LEVELS and _RATE.search(words.form))
        or _OTHER_VALUE.search(words.form[max(0, figure.start - _NEAR) : figure.start])
        or (not is_known_part and _has_other_origin(words, metric))
        or _GROUP.search(words.form, figure.end)
        or _CONDITION.search(words.form)
        or (metric.dimension is Dimension.COUNT and not _is_counted(words, figure, metric, label))
        or (subject is not None and _is_of_another(words, subject, metric, label))
        or len(words.unknown(label)) > MAX_OTHER_WORDS
    ):
        return NothingFound.OTHER_WORDS
    return None


def _is_part(words: Words, figure: Span, label: frozenset[str]) -> bool:
    """Whether the figure is about some of those that the words beside it name.

    Of those approved, 30,810 arrived: the metric may be about what they did.
    """
    if _PART_AFTER.match(words.form, figure.end):
        return True
    before = words.form[max(0, figure.start - 200) : figure.start]
    return bool(_PART_BEFORE.search(before)) and not (
        words.own(figure.end, len(words.form)) & label
    )


def _has_other_origin(words: Words, metric: Metric) -> bool:
    """Whether it says where those come from that are counted, and the metric does not."""
    if " from " in metric.label:
        return False
    named = (words.form[max(0, name.start - _NEAR) : name.start] for name in words.names)
    return bool(_ORIGIN.search(words.form)) or any(map(_FROM.search, named))


def _is_counted(words: Words, figure: Span, metric: Metric, label: frozenset[str]) -> bool:
    """Whether what stands after a number is what the metric counts."""
    if metric.measure is MetricMeasure.RANK:
        return True
    end = words.end_of_clause(figure.end)
    following = words.form[figure.end : end]
    if _HAN.search(following[:2].lstrip()):
        return bool(words.own(figure.end, figure.end + _COUNTED_HAN) & label)
    counted = [concept for _, concept in words.placed(figure.end, end)][:_COUNTED_WORDS]
    if counted:
        return bool(label & frozenset(counted))
    before = words.form[max(0, figure.start - _NEAR) : figure.start]
    stated = words.form[slice(*figure)].lstrip()
    return bool(_STATES.search(before) or _STATING.match(stated))


def _is_of_another(words: Words, subject: Span, metric: Metric, label: frozenset[str]) -> bool:
    """Whether the name is only where something else is, or is part of a longer name."""
    before = words.form[max(0, subject.start - _NEAR) : subject.start]
    if metric.is_implied:
        # Only the unit tells the metric.
        is_place = _PLACE.search(before) and not _WHOLE.search(before)
        return bool(is_place or _INSIDE.match(words.form, subject.end))
    following = words.placed(subject.end, words.end_of_clause(subject.end))
    at, concept = next(following, (subject.end, ""))
    between = words.form[subject.end : at]
    is_next = len(between.split()) <= 1 and len(between) <= 4
    return bool(concept) and is_next and concept not in label and concept not in GENERAL
