"""The documents of rows, with the fields that code reads; they have further ones.

A list has only the fields that are asked for.
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict


class Reference(TypedDict):
    """A row of which only the id is read."""

    id: str


class Row(Reference):
    """A row, as it is documented by itself."""

    external_id: str | None
    created_at: str
    updated_at: str


class Named(Reference):
    """An entity as it is shown in other documents."""

    kind: str
    name: str
    name_language: NotRequired[str]


class Labelled(Reference):
    """A metric as it is shown in other documents."""

    label: str


class Period(TypedDict):
    """A time."""

    edtf: str | None
    earliest: str | None
    latest: str | None


class Range(TypedDict):
    """A range in base units; an end that is open is ``None``."""

    lower: str | None
    upper: str | None
    lower_inclusive: bool
    upper_inclusive: bool


class Figure(TypedDict):
    """A figure of a claim; a comparison shows neither its ``estimate`` nor ``known_at``."""

    id: str
    metric: Labelled
    subject: Named
    as_stated: str
    unit_code: str
    dimension: str
    value_range: Range
    plausible_range: Range
    period: Period
    modality: str
    breakdown: dict[str, str] | None
    definition: str | None
    estimate: NotRequired[str | None]
    known_at: NotRequired[Period]
    claim: Reference


class Comparison(TypedDict):
    """Two figures, and what their comparison shows."""

    figure: Figure
    other: Figure
    verdict: str


class Comparisons(TypedDict):
    """The first comparisons of a claim."""

    data: list[Comparison]


class FigureWords(TypedDict):
    """A figure of which only the words are read."""

    as_stated: str


class Contest(TypedDict):
    """An accepted claim whose figure contradicts one of another claim."""

    claim: Reference
    figure: FigureWords
    other: FigureWords


class Contests(TypedDict):
    """The first claims that contest a claim."""

    data: list[Contest]


class Contributor(TypedDict):
    """An entity that has to do with a source."""

    entity: Named
    role: str
    credited_as: str | None
    credited_name: str | None


class Capture(TypedDict):
    """A text that was read at a source; one that has just been added has no id here."""

    id: NotRequired[str]
    char_length: int | str
    text_sha256: str
    retrieved_at: str | None
    archive_url: NotRequired[str | None]


class SourceRelation(TypedDict):
    """How a source relates to another one."""

    kind: str
    to: Reference


class AlikeSource(TypedDict):
    """A source that may be the same as another one."""

    source: Reference


class Titled(Reference):
    """A source of which the title is read."""

    title: str


class Source(Row):
    """A source; within evidence it has ``issued_edtf`` in place of ``issued``."""

    version: int
    csl_type: str
    title: str
    title_supplied: bool
    language: str | None
    rights: str | None
    retracted_at: str | None
    container_title: str | None
    publisher_place: str | None
    issued: NotRequired[Period]
    issued_edtf: NotRequired[str | None]
    doi: str | None
    url: str | None
    contributors: list[Contributor]
    captures: list[Capture]
    relations: list[SourceRelation]
    similar: list[AlikeSource] | None


class EntityRelation(TypedDict):
    """How an entity relates to another one."""

    kind: str
    object: Named
    during: Period
    claim: Reference | None


class Name(TypedDict):
    """A name of an entity."""

    name: str
    language: str | None


class Identifier(TypedDict):
    """The identifier of an entity in a register."""

    scheme: str
    value: str


class Entity(Row):
    """An entity."""

    kind: str
    name: str
    description: str | None
    names: list[Name]
    identifiers: list[Identifier]
    relations: list[EntityRelation]


class Metric(TypedDict):
    """A metric."""

    id: str
    label: str
    measure: str
    accumulation: str
    holds_for: str | None


class Step(TypedDict):
    """A step from a source to the one that it repeats."""

    kind: str
    source_id: str
    title: str


class Via(TypedDict):
    """A piece of evidence, and the steps from its source to the origin."""

    evidence_id: str
    source_id: str
    title: str
    steps: list[Step]


class Origin(TypedDict):
    """An origin of a claim."""

    source_id: str
    title: str
    stance: str
    counted: bool
    via: list[Via]


class Weighed(TypedDict):
    """How a piece of evidence was weighed."""

    evidence_id: str


class Side(TypedDict):
    """What speaks for a claim, or against it."""

    sources: int
    origins: int
    independent: int
    pending: int


Corroboration = TypedDict(
    "Corroboration",
    {
        "verdict": str,
        "for": Side,
        "against": Side,
        "recounting": bool,
        "origins": list[Origin],
        "evidence": list[Weighed],
    },
)
"""What a claim rests on."""


class Stated(Reference):
    """A claim as its evidence shows it."""

    statement: str
    status: str


class Evidence(Row):
    """A passage of a source that has to do with a claim."""

    version: int
    status: str
    review_note: str | None
    reviewed_by: str | None
    reviewed_at: str | None
    stance: str
    note: str | None
    rating_as_stated: str | None
    source: Source
    claim: Stated
    start_char: int | None
    end_char: int | None
    exact_sha256: str | None
    page: str | None
    added_by: str


class ClaimEntity(TypedDict):
    """An entity that a claim is about."""

    role: str
    entity: Named


class Translation(TypedDict):
    """The statement of a claim in another language."""

    language: str
    text: str


class Alike(TypedDict):
    """A claim that resembles another one."""

    claim: Reference
    likely_same: bool


class ClaimRelation(TypedDict):
    """How a claim relates to another one."""

    to: Reference


class Claim(Row):
    """A claim."""

    version: int
    status: str
    review_note: str | None
    reviewed_by: str | None
    reviewed_at: str | None
    statement: str
    language: str
    statements: list[Translation]
    topics: list[str]
    claimant: Named | None
    claimant_as_stated: str | None
    time: Period
    due: Period
    entities: list[ClaimEntity]
    figures: list[Figure]
    comparisons: Comparisons
    contested_by: Contests
    relations: list[ClaimRelation]
    corroboration: Corroboration
    evidence: list[Evidence]
    sources: list[Source]
    similar: list[Alike]


class Effect(TypedDict):
    """What accepting a row of the review queue would do."""

    duplicates: list[object]


class ReviewEntry(TypedDict):
    """An entry of the review queue; ``evidence`` is ``None`` if a claim waits."""

    kind: str
    claim: Reference
    evidence: Reference | None
    effect: Effect


class Version(TypedDict):
    """A version of a row."""

    version: int
    at: str
    changed: list[str]


class ChangedVerdict(TypedDict):
    """The verdicts on a claim before and after a write, and if its evidence were accepted."""

    before: str | None
    after: str
    if_accepted: str | None


class ChangedCounts(TypedDict):
    """The origins that count in the same cases, by side and by count."""

    before: Mapping[str, Mapping[str, int]] | None
    after: Mapping[str, Mapping[str, int]]
    if_accepted: Mapping[str, Mapping[str, int]] | None


class Consequences(TypedDict):
    """What a row does to a claim."""

    verdict: ChangedVerdict
    counts: ChangedCounts


class Match(TypedDict):
    """The name that was found for what was typed."""

    name: str


class Suggestion(TypedDict):
    """What somebody who types a name may mean."""

    id: str
    name: str
    value: str
    matched: Match


class FacetFilter(TypedDict):
    """A filter that goes with the values of a facet."""

    parameter: str
    value: str


class FacetValue(TypedDict):
    """A value of a facet; years have ``certain``, and others may have what they stand for."""

    value: str
    count: int
    selected: bool
    certain: NotRequired[int]
    entity: NotRequired[Named]
    metric: NotRequired[Labelled]


class Missing(TypedDict):
    """How many claims have no value."""

    parameter: str
    count: int


class Facet(TypedDict):
    """A facet of claims."""

    parameter: str
    also: list[FacetFilter]
    without: list[str]
    values: list[FacetValue]
    more: int
    missing: Missing | None
