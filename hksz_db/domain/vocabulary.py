"""The closed vocabularies.

Every term here is also in a CHECK constraint of the database; a test holds the two equal,
so a new term needs a migration. Findings are worked out when they are asked for, and the terms of
a call pass with it: they are not stored, and no CHECK holds them.
"""

from enum import StrEnum


class Comparator(StrEnum):
    """How the stated amount bounds the value it speaks of."""

    EQ = "eq"
    APPROX = "approx"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"
    BETWEEN = "between"


class Dimension(StrEnum):
    """What kind of quantity a metric or a unit measures."""

    COUNT = "count"
    RATIO = "ratio"
    LENGTH = "length"
    AREA = "area"
    VOLUME = "volume"
    MASS = "mass"
    DURATION = "duration"
    SPEED = "speed"
    ENERGY = "energy"
    POWER = "power"
    MONEY = "money"


class Accumulation(StrEnum):
    """How a metric adds up over time (SDMX: flow and stock series)."""

    FLOW = "flow"
    STOCK = "stock"
    RATIO = "ratio"
    EVENT = "event"


class TimeModifier(StrEnum):
    """How a time relative to another is meant (TimeML: the ``mod`` of a TIMEX3), or which day."""

    ABOUT = "about"
    WITHIN = "within"
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Modality(StrEnum):
    """Whether a claim speaks of what is, what is announced, expected or held."""

    ACTUAL = "actual"
    PLANNED = "planned"
    FORECAST = "forecast"
    OPINION = "opinion"


class ClaimStatus(StrEnum):
    """Where a claim stands in review."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RETRACTED = "retracted"


class EvidenceStatus(StrEnum):
    """Where a piece of evidence stands in review."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class ClaimEntityRole(StrEnum):
    """What an entity is to a claim."""

    SUBJECT = "subject"
    OBJECT = "object"
    LOCATION = "location"
    SPEAKER = "speaker"
    PARTNER = "partner"
    BENEFICIARY = "beneficiary"
    AUDIENCE = "audience"
    OCCASION = "occasion"


class ClaimRelationKind(StrEnum):
    """How one claim stands to another."""

    CONTRADICTS = "contradicts"
    SUPERSEDES = "supersedes"
    DUPLICATE_OF = "duplicate_of"
    REFINES = "refines"
    PART_OF = "part_of"


class EntityKind(StrEnum):
    """What an entity is."""

    PERSON = "person"
    ORGANISATION = "organisation"
    PLACE = "place"
    ZONE = "zone"
    PROGRAMME = "programme"
    FACILITY = "facility"
    EVENT = "event"


class EntityNameKind(StrEnum):
    """What a name is to its entity."""

    PREFERRED = "preferred"
    ALIAS = "alias"
    ABBREVIATION = "abbreviation"


class EntityRelationKind(StrEnum):
    """How one entity stands to another."""

    PART_OF = "part_of"
    LOCATED_IN = "located_in"
    WORKS_FOR = "works_for"
    HOLDS_POST = "holds_post"
    FOUNDED = "founded"
    OPERATES = "operates"
    PARTNER_OF = "partner_of"
    PARTICIPATED_IN = "participated_in"


class MergeChange(StrEnum):
    """What a merge of entities does to a row that led to the one that goes."""

    MOVED = "moved"
    COPIED = "copied"
    DROPPED = "dropped"


class IdentifierScheme(StrEnum):
    """Where an entity's identifier comes from."""

    WIKIDATA = "wikidata"
    ROR = "ror"
    ISNI = "isni"
    ORCID = "orcid"
    VIAF = "viaf"
    GEONAMES = "geonames"
    LEI = "lei"


class ContributorRole(StrEnum):
    """What an entity did for a source."""

    AUTHOR = "author"
    EDITOR = "editor"
    PUBLISHER = "publisher"
    TRANSLATOR = "translator"


class SourceRelationKind(StrEnum):
    """How one source stands to another; the first four mean that it is no new origin."""

    COPY_OF = "copy_of"
    SYNDICATED_FROM = "syndicated_from"
    TRANSLATION_OF = "translation_of"
    REWRITE_OF = "rewrite_of"
    QUOTES = "quotes"
    CITES = "cites"


class Normalization(StrEnum):
    """How a captured text was normalised before it was measured and hashed."""

    NFC_WS1 = "nfc-ws1"


class Stance(StrEnum):
    """What a source does to a claim."""

    ASSERTS = "asserts"
    SUPPORTS = "supports"
    DISPUTES = "disputes"
    MENTIONS = "mentions"


class CorroborationVerdict(StrEnum):
    """What the origins that speak for a claim and against it amount to."""

    UNSUPPORTED = "unsupported"
    SINGLE_ORIGIN = "single_origin"
    CORROBORATED = "corroborated"
    DISPUTED = "disputed"
    REFUTED = "refuted"


class Directness(StrEnum):
    """Whether a source knows at first hand."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class Interest(StrEnum):
    """Whether a source speaks of itself or of somebody else."""

    SELF = "self"
    THIRD_PARTY = "third_party"


class Scope(StrEnum):
    """What an API key may do."""

    SOURCES_WRITE = "sources:write"
    CLAIMS_WRITE = "claims:write"
    ENTITIES_WRITE = "entities:write"
    REVIEW = "review"
    ADMIN = "admin"


class CslType(StrEnum):
    """Item types of the Citation Style Language, version 1.0.2."""

    ARTICLE = "article"
    ARTICLE_JOURNAL = "article-journal"
    ARTICLE_MAGAZINE = "article-magazine"
    ARTICLE_NEWSPAPER = "article-newspaper"
    BILL = "bill"
    BOOK = "book"
    BROADCAST = "broadcast"
    CHAPTER = "chapter"
    CLASSIC = "classic"
    COLLECTION = "collection"
    DATASET = "dataset"
    DOCUMENT = "document"
    ENTRY = "entry"
    ENTRY_DICTIONARY = "entry-dictionary"
    ENTRY_ENCYCLOPEDIA = "entry-encyclopedia"
    EVENT = "event"
    FIGURE = "figure"
    GRAPHIC = "graphic"
    HEARING = "hearing"
    INTERVIEW = "interview"
    LEGAL_CASE = "legal_case"
    LEGISLATION = "legislation"
    MANUSCRIPT = "manuscript"
    MAP = "map"
    MOTION_PICTURE = "motion_picture"
    MUSICAL_SCORE = "musical_score"
    PAMPHLET = "pamphlet"
    PAPER_CONFERENCE = "paper-conference"
    PATENT = "patent"
    PERFORMANCE = "performance"
    PERIODICAL = "periodical"
    PERSONAL_COMMUNICATION = "personal_communication"
    POST = "post"
    POST_WEBLOG = "post-weblog"
    REGULATION = "regulation"
    REPORT = "report"
    REVIEW = "review"
    REVIEW_BOOK = "review-book"
    SOFTWARE = "software"
    SONG = "song"
    SPEECH = "speech"
    STANDARD = "standard"
    THESIS = "thesis"
    TREATY = "treaty"
    WEBPAGE = "webpage"


class Finding(StrEnum):
    """What comparing or counting finds."""


class ComparisonVerdict(Finding):
    """How two figures of one metric and subject stand to each other, the gravest first."""

    CONTRADICTS = "contradicts"
    PART_EXCEEDS_WHOLE = "part_exceeds_whole"
    TENSION = "tension"
    AGREES = "agrees"


class WordsFound(Finding):
    """How the words of two statements compare.

    ``reordered`` when they are the same in another order, ``contained`` when all of one are in
    the other.
    """

    SAME = "same"
    REORDERED = "reordered"
    CONTAINED = "contained"
    DIFFERENT = "different"


class AmountsFound(Finding):
    """How the numbers or the figures of two claims compare: ``none`` when there are none.

    For figures, when one of the claims has none.
    """

    SAME = "same"
    DIFFERENT = "different"
    NONE = "none"


class PeriodFound(Finding):
    """How the times of two claims compare: ``unknown`` when one has none."""

    SAME = "same"
    OVERLAPS = "overlaps"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class CallTerm(StrEnum):
    """What a call asks for, or what it answers."""


class BulkMode(CallTerm):
    """What becomes of an item whose external id is there already: refused, changed, left alone."""

    CREATE = "create"
    UPSERT = "upsert"
    IGNORE = "ignore"


class BulkOutcome(CallTerm):
    """What became of an item."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    FAILED = "failed"


class HistoryOp(CallTerm):
    """What became of a row in one transaction.

    ``begin``: it was there when the history began, and nobody knows since when; ``remove``: it
    was taken out of its table at the database itself.
    """

    BEGIN = "begin"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RESTORE = "restore"
    MERGE = "merge"
    UNMERGE = "unmerge"
    REMOVE = "remove"


class ChangeKind(CallTerm):
    """What became of a document: ``due``, the last day of a planned claim has passed."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    DUE = "due"
