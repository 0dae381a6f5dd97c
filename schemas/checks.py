"""The schemas of the check of a text."""

from marshmallow import fields

from hksz_db.domain.vocabulary import (
    AmountsFound,
    Comparator,
    ComparisonVerdict,
    CorroborationVerdict,
    Finding,
    Modality,
    NotCompared,
    NothingFound,
    PeriodFound,
    WordsFound,
)
from schemas.base import DocumentSchema, InputSchema
from schemas.comparisons import ComparedFigureSchema
from schemas.dates import PeriodSchema
from schemas.fields import (
    Breakdown,
    Choice,
    DecimalDocument,
    Edtf,
    LanguageTag,
    StrictInteger,
    Term,
)
from schemas.summaries import EntitySummarySchema, MetricSummarySchema, ReviewedClaimSummarySchema

MAX_BYTES = 65_536
"""The length of a text in UTF-8."""


class TextToCheckSchema(InputSchema):
    """A text, of at most 65,536 bytes in UTF-8, that is to be checked.

    ``published_edtf`` is when it was or will be published: "last year" is the year before, and a
    stock without a time is that of the day. Without it, relative times are not read, and a stock
    without a time is that of today. ``language`` helps to tell where sentences end. ``lang`` is the
    language of the names in the answer.
    """

    text = fields.String(required=True, metadata={"minLength": 1})
    language = LanguageTag(allow_none=True, load_default=None)
    published_edtf = Edtf(allow_none=True, load_default=None)
    lang = LanguageTag(allow_none=True, load_default=None)


class _PlaceSchema(DocumentSchema):
    start = StrictInteger()
    end = StrictInteger(1)


class MentionSchema(_PlaceSchema):
    """A name, and the entities that have it: more than one if the name is ambiguous."""

    entities = fields.List(fields.Nested(EntitySummarySchema))


class StatedTimeSchema(_PlaceSchema):
    """A time that a sentence states; ``until`` is true if only its end is stated."""

    edtf = fields.String()
    until = fields.Boolean()


class CheckComparisonSchema(DocumentSchema):
    """How a figure of the text compares with a known one."""

    verdict = Term(ComparisonVerdict)
    explanation = fields.String()
    other = fields.Nested(ComparedFigureSchema)


class CheckNotComparedSchema(DocumentSchema):
    """How many known figures of the metric and subject are not compared for a reason."""

    reason = Term(NotCompared)
    count = StrictInteger(1)


class CheckCandidateSchema(DocumentSchema):
    """A metric and a subject that a figure may be about."""

    metric = fields.Nested(MetricSummarySchema)
    subject = fields.Nested(EntitySummarySchema)


class CheckedFigureSchema(_PlaceSchema):
    """A figure of a sentence: what was read, what it is about, and how it compares.

    ``as_read`` says in plain English what was read. ``metric`` and ``subject`` are null unless
    rules identify them (``identified_by``): the ``words`` of the metric's label are in the
    sentence, or a ``claim`` has the same words but for numbers. ``reason`` is null if something
    was found. ``period`` is the time for which it was compared. ``comparisons`` are at most ten of
    those that the finding follows from; with ``not_known``, of those that say nothing about it.
    """

    as_read = fields.String()
    comparator = Term(Comparator)
    amount = DecimalDocument(allow_none=True)
    lower_bound = DecimalDocument(allow_none=True)
    upper_bound = DecimalDocument(allow_none=True)
    unit_code = fields.String(allow_none=True)
    finding = Term(Finding)
    reason = Term(NothingFound, allow_none=True)
    why = fields.String()
    metric = fields.Nested(MetricSummarySchema, allow_none=True)
    subject = fields.Nested(EntitySummarySchema, allow_none=True)
    identified_by = Choice("IdentifiedBy", ["words", "claim"], allow_none=True)
    breakdown = Breakdown(allow_none=True)
    modality = Term(Modality)
    period = fields.Nested(PeriodSchema, allow_none=True)
    comparisons = fields.List(fields.Nested(CheckComparisonSchema))
    not_compared = fields.List(fields.Nested(CheckNotComparedSchema))
    candidates = fields.List(fields.Nested(CheckCandidateSchema))


class CheckedClaimSchema(DocumentSchema):
    """A claim that looks like a sentence, and its verdict.

    The comparison is that of similar claims. ``figures`` are ``same`` if those of the sentence
    agree with those of the claim. ``quoted``: the sentence has the words of a passage by which the
    claim rests on a source.
    """

    claim = fields.Nested(ReviewedClaimSummarySchema)
    verdict = Term(CorroborationVerdict, allow_none=True)
    similarity = DecimalDocument()
    words = Term(WordsFound)
    numbers = Term(AmountsFound)
    figures = Term(AmountsFound)
    period = Term(PeriodFound)
    likely_same = fields.Boolean()
    quoted = fields.Boolean()


class CheckedSentenceSchema(_PlaceSchema):
    """A sentence by its place, what is in it, and what is known about it.

    ``start`` and ``end`` count code points of the text as it was sent; the end is excluded.
    ``why`` says in a sentence why the finding was made. The words are not repeated.
    """

    finding = Term(Finding)
    why = fields.String()
    entities = fields.List(fields.Nested(MentionSchema))
    times = fields.List(fields.Nested(StatedTimeSchema))
    figures = fields.List(fields.Nested(CheckedFigureSchema))
    claims = fields.List(fields.Nested(CheckedClaimSchema))


class CheckedNumberSchema(DocumentSchema):
    """How many were taken into account, and whether these are all."""

    count = StrictInteger()
    all = fields.Boolean()


class FindingCountsSchema(DocumentSchema):
    """How many sentences have each finding."""

    contradicts = StrictInteger()
    in_tension = StrictInteger()
    repeats = StrictInteger()
    agrees = StrictInteger()
    not_known = StrictInteger()


class CheckMetaSchema(DocumentSchema):
    """What was checked, and how many sentences have each finding.

    ``sentences`` and ``names`` say how many were checked and looked for, and whether these are all:
    at most 2,000 sentences with 500 numbers, and 100,000 names.
    """

    char_length = StrictInteger()
    published_edtf = fields.String(allow_none=True)
    sentences = fields.Nested(CheckedNumberSchema)
    names = fields.Nested(CheckedNumberSchema)
    findings = fields.Nested(FindingCountsSchema)


class CheckSchema(DocumentSchema):
    """A text checked against what is known: nothing of it is stored or logged.

    The sentences are in the order of the text. Figures and claims are compared by rules; no
    statistical model is used.
    """

    data = fields.List(fields.Nested(CheckedSentenceSchema))
    meta = fields.Nested(CheckMetaSchema)
