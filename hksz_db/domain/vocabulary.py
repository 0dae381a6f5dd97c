"""The closed vocabularies, and the form of external ids.

The value of a term is its name in lower case, unless it is given. Each term is also in a CHECK
constraint of the database, so a new term needs a migration; a test compares the two. The terms from
``ComparisonVerdict`` on are computed and not stored.
"""

from enum import StrEnum

EXTERNAL_ID_PATTERN = "^[a-z][a-z0-9.-]*:[A-Za-z0-9][A-Za-z0-9._~/-]*$"
MAX_EXTERNAL_ID_LENGTH = 200

Comparator = StrEnum("Comparator", "EQ APPROX GT GE LT LE BETWEEN")
Comparator.__doc__ = "How the stated amount bounds the value."

Dimension = StrEnum(
    "Dimension", "COUNT RATIO LENGTH AREA VOLUME MASS DURATION SPEED ENERGY POWER MONEY"
)
Dimension.__doc__ = "The kind of quantity that a metric or a unit measures."

Accumulation = StrEnum("Accumulation", "FLOW STOCK RATIO EVENT")
Accumulation.__doc__ = "How the values of a metric add up over time (SDMX: flow and stock series)."

MetricMeasure = StrEnum("MetricMeasure", "LEVEL CHANGE GROWTH_RATE RATIO_TO_BASE SHARE RANK INDEX")
MetricMeasure.__doc__ = "What the values of a metric say about what they measure."

Estimate = StrEnum("Estimate", "PROVISIONAL REVISED FINAL")
Estimate.__doc__ = "The state of a figure that its publisher may revise."

TimeModifier = StrEnum(
    "TimeModifier", "ABOUT WITHIN MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY"
)
TimeModifier.__doc__ = (
    "The precision of a relative time (TimeML: the ``mod`` of a TIMEX3), or a day of the week."
)

Modality = StrEnum("Modality", "ACTUAL PLANNED FORECAST OPINION")
Modality.__doc__ = "Whether a claim states a fact, a plan, a forecast or an opinion."

ClaimStatus = StrEnum("ClaimStatus", "DRAFT SUBMITTED ACCEPTED REJECTED RETRACTED")
ClaimStatus.__doc__ = "The review status of a claim."

EvidenceStatus = StrEnum("EvidenceStatus", "DRAFT SUBMITTED ACCEPTED REJECTED")
EvidenceStatus.__doc__ = "The review status of a piece of evidence."

ClaimEntityRole = StrEnum(
    "ClaimEntityRole", "SUBJECT OBJECT LOCATION SPEAKER PARTNER BENEFICIARY AUDIENCE OCCASION"
)
ClaimEntityRole.__doc__ = "The role of an entity in a claim."

ClaimRelationKind = StrEnum(
    "ClaimRelationKind",
    "CONTRADICTS SUPERSEDES DUPLICATE_OF REFINES PART_OF DENIES ABOUT CORRECTS",
)
ClaimRelationKind.__doc__ = """How one claim relates to another.

``denies``: its claimant says that the other is false. ``about``: it is about the other claim, such
as a report that somebody made it. ``corrects``: its claimant replaces the other, which was wrong.
A claim that ``supersedes`` or ``corrects`` another is not compared with it, and these relations may
not form a cycle.
"""
REPLACING = (ClaimRelationKind.SUPERSEDES, ClaimRelationKind.CORRECTS)
"""The relations of a claim that replaces another."""

Translator = StrEnum("Translator", "HUMAN MACHINE")
Translator.__doc__ = "Who translated a statement."

EntityKind = StrEnum(
    "EntityKind",
    "PERSON ORGANISATION PLACE ZONE PROGRAMME FACILITY EVENT GROUP PRODUCT LAW INDUSTRY WORK",
)
EntityKind.__doc__ = """The kind of an entity.

``group``: people who do not form an organisation, such as commuters or the applicants of a scheme.
``work``: something published, such as a report or a series of statistics.
"""

EntityNameKind = StrEnum("EntityNameKind", "PREFERRED ALIAS ABBREVIATION")
EntityNameKind.__doc__ = "The kind of a name."

EntityRelationKind = StrEnum(
    "EntityRelationKind",
    "PART_OF LOCATED_IN WORKS_FOR HOLDS_POST FOUNDED OPERATES PARTNER_OF PARTICIPATED_IN OWNED_BY "
    "MEMBER_OF CONTROLS",
)
EntityRelationKind.__doc__ = """How one entity relates to another.

``controls``: it can decide for the other, whether or not it owns it.
"""

MergeChange = StrEnum("MergeChange", "MOVED COPIED DROPPED DELETED")
MergeChange.__doc__ = "What a merge does to a row that referred to the one that was merged."

IdentifierScheme = StrEnum("IdentifierScheme", "WIKIDATA ROR ISNI ORCID VIAF GEONAMES LEI")
IdentifierScheme.__doc__ = "The register that an identifier of an entity comes from."

ContributorRole = StrEnum("ContributorRole", "AUTHOR EDITOR PUBLISHER TRANSLATOR")
ContributorRole.__doc__ = "The role of an entity in making a source."

SourceRelationKind = StrEnum(
    "SourceRelationKind",
    "COPY_OF SYNDICATED_FROM TRANSLATION_OF REWRITE_OF QUOTES CITES BASED_ON VERSION_OF CORRECTS "
    "RETRACTS REPLIES_TO PART_OF",
)
SourceRelationKind.__doc__ = """How one source relates to another.

With ``copy_of``, ``syndicated_from``, ``translation_of``, ``rewrite_of``, ``version_of`` and
``part_of`` it is not a new origin. ``based_on``: it is a work of its own that uses the other, such
as a paper on a data set. ``version_of``: an edition or a draft of the same work. ``corrects`` and
``retracts``: it is a notice about the other, whose ``retracted_at`` is set separately.
"""


class Normalization(StrEnum):
    """How a captured text is normalised before it is measured and hashed."""

    NFC_WS1 = "nfc-ws1"


Stance = StrEnum("Stance", "ASSERTS SUPPORTS DISPUTES MENTIONS")
Stance.__doc__ = "The position of a source towards a claim."

CorroborationVerdict = StrEnum(
    "CorroborationVerdict",
    "UNSUPPORTED SINGLE_ORIGIN CONFIRMED_BY_PARTY CORROBORATED SHARED DISPUTED REFUTED",
)
CorroborationVerdict.__doc__ = """The verdict on the origins for and against a claim.

``corroborated``: two independent origins, or an independent one beside the claimant's own.
``confirmed_by_party``: two or more otherwise, of which one is a party. ``shared``: the same for an
opinion or a forecast, which others can hold, but not confirm.
"""

Standing = StrEnum("Standing", "OWN PARTY INDEPENDENT")
Standing.__doc__ = (
    "Whose voice is behind an origin: that of the claimant, of a party or of somebody independent."
)

Uncounted = StrEnum(
    "Uncounted",
    "REJECTED MENTIONS PENDING RETRACTED BEFORE_EVENT BOTH_SIDES"
    " CITES_COUNTED SAME_VOICE SECONDARY",
)
Uncounted.__doc__ = """Why a piece of evidence does not count; the first reason that holds is given.

``before_event``: it was published or said before the earliest time of an actual claim.
``both_sides``: its origins are on both sides. ``cites_counted``: its source cites, quotes or is
based on the source of other evidence, or on the same source as evidence that counts already.
``same_voice``: its voice counts already. ``secondary``: another secondary passage without
``attributed_to`` counts already.
"""

HintKind = StrEnum("HintKind", "POSSIBLE_COPY")
HintKind.__doc__ = """What a hint says about the evidence.

``possible_copy``: two voices give the figure of the claim, their sources were certainly published
within seven days of each other, and no relation between these is known.
"""

Directness = StrEnum("Directness", "PRIMARY SECONDARY")
Directness.__doc__ = "Whether a source has first-hand knowledge."

Interest = StrEnum("Interest", "SELF THIRD_PARTY")
Interest.__doc__ = "Whether a source makes a statement about itself or about a third party."


class Scope(StrEnum):
    """What an API key may do."""

    SOURCES_WRITE = "sources:write"
    CLAIMS_WRITE = "claims:write"
    ENTITIES_WRITE = "entities:write"
    REVIEW = "review"
    ADMIN = "admin"


CslType = StrEnum(
    "CslType",
    "article article-journal article-magazine article-newspaper bill book broadcast chapter "
    "classic collection dataset document entry entry-dictionary entry-encyclopedia event figure "
    "graphic hearing interview legal_case legislation manuscript map motion_picture "
    "musical_score pamphlet paper-conference patent performance periodical "
    "personal_communication post post-weblog regulation report review review-book software song "
    "speech standard thesis treaty webpage",
)
CslType.__doc__ = "Item types of the Citation Style Language, version 1.0.2."

ComparisonVerdict = StrEnum(
    "ComparisonVerdict",
    "CONTRADICTS PART_EXCEEDS_WHOLE TENSION MISSED DID_NOT_COME_TRUE COMPATIBLE MET CAME_TRUE "
    "AGREES",
)
ComparisonVerdict.__doc__ = (
    "How two figures of one metric and subject compare, the most serious verdict first."
)

NotCompared = StrEnum(
    "NotCompared",
    "SUPERSEDED NOT_REVIEWED NO_EVIDENCE OTHER_CURRENCY OTHER_BREAKDOWN NO_PERIOD OTHER_TIME",
)
NotCompared.__doc__ = """Why two figures of one metric and subject are not compared.

``superseded``: the claim of one replaces that of the other. ``not_reviewed``: a claim is a draft.
``no_evidence``: all evidence of a claim rests on sources that have been retracted.
``other_breakdown``: they are about different parts of a whole. ``no_period``: only one of them
states a time.
"""

ReviewReason = StrEnum("ReviewReason", "CONTRADICTS LIKELY_DUPLICATE AGE")
ReviewReason.__doc__ = (
    "Why an entry has its place in the queue of reviews; the reasons are in the order of the queue."
)

WarningCode = StrEnum(
    "WarningCode",
    "DIFFERS_FROM_WORDS MEASURE_DIFFERS EXACT_WITHOUT_EFFECT YEAR_OUTSIDE_TIME ACTUAL_IN_FUTURE "
    "SOURCE_BEFORE_EVENT DUE_BEFORE_SOURCE",
)
WarningCode.__doc__ = """A doubt about a row that was written.

``differs_from_words``: a figure has another comparator, amount, bound or unit than its words.
``measure_differs``: its words state a change ("rose by 5 %"), and the metric does not measure one.
``exact_without_effect``: only the comparator ``eq`` can be exact. ``year_outside_time``: the years
in the statement are not those of the claim. ``actual_in_future``: an actual claim or figure is
about a time that has not begun. ``source_before_event``: a source was published before the event
of an actual claim. ``due_before_source``: a planned claim was due before its source was published.
"""

SourceLikeness = StrEnum("SourceLikeness", "URL DOI TEXT TITLE")
SourceLikeness.__doc__ = """Why two sources may be the same.

``url``: they have the same canonical URL. ``doi``: the DOI of one is the URL of the other.
``text``: captures of both have the same text. ``title``: their titles are the same but for letter
case, white space and punctuation, and so is their publisher or their date; neither differs.
"""

WordsFound = StrEnum("WordsFound", "SAME REORDERED CONTAINED DIFFERENT")
WordsFound.__doc__ = """How the words of two statements compare.

``reordered``: the same words in another order. ``contained``: one statement has all words of
the other.
"""

AmountsFound = StrEnum("AmountsFound", "SAME DIFFERENT NONE")
AmountsFound.__doc__ = """How the numbers or the figures of two claims compare.

``none``: there are no numbers, or one of the claims has no figures.
"""

PeriodFound = StrEnum("PeriodFound", "SAME OVERLAPS DIFFERENT UNKNOWN")
PeriodFound.__doc__ = "How the times of two claims compare; ``unknown`` if one of them has no time."

BulkMode = StrEnum("BulkMode", "CREATE UPSERT IGNORE")
BulkMode.__doc__ = (
    "Whether an item is refused, updates the row or is ignored if its external id exists."
)

BulkOutcome = StrEnum("BulkOutcome", "CREATED UPDATED UNCHANGED IGNORED FAILED")
BulkOutcome.__doc__ = "The outcome for an item."

HistoryOp = StrEnum("HistoryOp", "BEGIN CREATE UPDATE DELETE RESTORE MERGE UNMERGE REMOVE")
HistoryOp.__doc__ = """What one transaction did to a row.

``begin``: the row already existed when the history began. ``remove``: the row was deleted
directly in the database.
"""

ChangeKind = StrEnum("ChangeKind", "CREATE UPDATE DELETE DUE ERASE")
ChangeKind.__doc__ = """What happened to a document.

``due``: the last day of a planned claim has passed. ``erase``: a text was erased from the row and
its history; whoever keeps earlier versions has to erase it there.
"""

Finding = StrEnum("Finding", "CONTRADICTS IN_TENSION REPEATS AGREES NOT_KNOWN")
Finding.__doc__ = """What is known about a sentence of a text, the most serious first.

``contradicts``: a figure and a known one of the same time cannot both be true. ``in_tension``: both
can be true, but a reader would understand that they are not. ``repeats``: a known claim says it in
the same words. ``agrees``: a figure agrees with a known one.
"""

NothingFound = StrEnum(
    "NothingFound",
    "DENIED NO_SUBJECT NO_METRIC AMBIGUOUS A_PART OTHER_WORDS NOTHING_KNOWN NOT_COMPARED",
)
NothingFound.__doc__ = """Why nothing is found about a figure of a text.

``denied``: the sentence denies something. ``no_subject``: it names no known entity.
``no_metric``: its words are not those of a metric. ``ambiguous``: they are those of several.
``a_part``: the figure is about some of those that are counted. ``other_words``: other words may
narrow what is counted. ``nothing_known``: there is no figure of such a metric and subject.
``not_compared``: no known figure can be compared with it.
"""
