"""The closed vocabularies.

Each term is also in a CHECK constraint of the database, so a new term needs a migration; a test
compares the two. The exceptions are ``Finding`` and ``CallTerm``, which are not stored.
"""

from enum import StrEnum


class Comparator(StrEnum):
    """How the stated amount bounds the value."""

    EQ = "eq"
    APPROX = "approx"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"
    BETWEEN = "between"


class Dimension(StrEnum):
    """The kind of quantity that a metric or a unit measures."""

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
    """How the values of a metric add up over time (SDMX: flow and stock series)."""

    FLOW = "flow"
    STOCK = "stock"
    RATIO = "ratio"
    EVENT = "event"


class TimeModifier(StrEnum):
    """The precision of a relative time (TimeML: the ``mod`` of a TIMEX3), or a day of the week."""

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
    """Whether a claim states a fact, a plan, a forecast or an opinion."""

    ACTUAL = "actual"
    PLANNED = "planned"
    FORECAST = "forecast"
    OPINION = "opinion"


class ClaimStatus(StrEnum):
    """The review status of a claim."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RETRACTED = "retracted"


class EvidenceStatus(StrEnum):
    """The review status of a piece of evidence."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class ClaimEntityRole(StrEnum):
    """The role of an entity in a claim."""

    SUBJECT = "subject"
    OBJECT = "object"
    LOCATION = "location"
    SPEAKER = "speaker"
    PARTNER = "partner"
    BENEFICIARY = "beneficiary"
    AUDIENCE = "audience"
    OCCASION = "occasion"


class ClaimRelationKind(StrEnum):
    """How one claim relates to another."""

    CONTRADICTS = "contradicts"
    SUPERSEDES = "supersedes"
    DUPLICATE_OF = "duplicate_of"
    REFINES = "refines"
    PART_OF = "part_of"


class EntityKind(StrEnum):
    """The kind of an entity."""

    PERSON = "person"
    ORGANISATION = "organisation"
    PLACE = "place"
    ZONE = "zone"
    PROGRAMME = "programme"
    FACILITY = "facility"
    EVENT = "event"


class EntityNameKind(StrEnum):
    """The kind of a name."""

    PREFERRED = "preferred"
    ALIAS = "alias"
    ABBREVIATION = "abbreviation"


class EntityRelationKind(StrEnum):
    """How one entity relates to another."""

    PART_OF = "part_of"
    LOCATED_IN = "located_in"
    WORKS_FOR = "works_for"
    HOLDS_POST = "holds_post"
    FOUNDED = "founded"
    OPERATES = "operates"
    PARTNER_OF = "partner_of"
    PARTICIPATED_IN = "participated_in"


class MergeChange(StrEnum):
    """What a merge does to a row that referred to the entity that was merged into another."""

    MOVED = "moved"
    COPIED = "copied"
    DROPPED = "dropped"


class IdentifierScheme(StrEnum):
    """The register that an identifier of an entity comes from."""

    WIKIDATA = "wikidata"
    ROR = "ror"
    ISNI = "isni"
    ORCID = "orcid"
    VIAF = "viaf"
    GEONAMES = "geonames"
    LEI = "lei"


class ContributorRole(StrEnum):
    """The role of an entity in making a source."""

    AUTHOR = "author"
    EDITOR = "editor"
    PUBLISHER = "publisher"
    TRANSLATOR = "translator"


class SourceRelationKind(StrEnum):
    """How one source relates to another; the first four kinds mean that it is not a new origin."""

    COPY_OF = "copy_of"
    SYNDICATED_FROM = "syndicated_from"
    TRANSLATION_OF = "translation_of"
    REWRITE_OF = "rewrite_of"
    QUOTES = "quotes"
    CITES = "cites"


class Normalization(StrEnum):
    """How a captured text is normalised before it is measured and hashed."""

    NFC_WS1 = "nfc-ws1"


class Stance(StrEnum):
    """The position of a source towards a claim."""

    ASSERTS = "asserts"
    SUPPORTS = "supports"
    DISPUTES = "disputes"
    MENTIONS = "mentions"


class CorroborationVerdict(StrEnum):
    """The verdict on the independent origins for and against a claim."""

    UNSUPPORTED = "unsupported"
    SINGLE_ORIGIN = "single_origin"
    CORROBORATED = "corroborated"
    DISPUTED = "disputed"
    REFUTED = "refuted"


class Directness(StrEnum):
    """Whether a source has first-hand knowledge."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class Interest(StrEnum):
    """Whether a source makes a statement about itself or about a third party."""

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
    """A term for the result of a comparison; it is computed when it is read, and not stored."""


class ComparisonVerdict(Finding):
    """How two figures of one metric and subject compare, the most serious verdict first."""

    CONTRADICTS = "contradicts"
    PART_EXCEEDS_WHOLE = "part_exceeds_whole"
    TENSION = "tension"
    AGREES = "agrees"


class WordsFound(Finding):
    """How the words of two statements compare.

    ``reordered``: the same words in another order. ``contained``: one statement has all words of
    the other.
    """

    SAME = "same"
    REORDERED = "reordered"
    CONTAINED = "contained"
    DIFFERENT = "different"


class AmountsFound(Finding):
    """How the numbers or the figures of two claims compare.

    ``none``: there are no numbers, or one of the claims has no figures.
    """

    SAME = "same"
    DIFFERENT = "different"
    NONE = "none"


class PeriodFound(Finding):
    """How the times of two claims compare; ``unknown`` if one of them has no time."""

    SAME = "same"
    OVERLAPS = "overlaps"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class CallTerm(StrEnum):
    """A term in a request or an answer that is not stored."""


class BulkMode(CallTerm):
    """Whether an item is refused, updates the row or is ignored if its external id exists."""

    CREATE = "create"
    UPSERT = "upsert"
    IGNORE = "ignore"


class BulkOutcome(CallTerm):
    """The outcome for an item."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    FAILED = "failed"


class HistoryOp(CallTerm):
    """What one transaction did to a row.

    ``begin``: the row already existed when the history began. ``remove``: the row was deleted
    directly in the database.
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
    """What happened to a document; ``due``: the last day of a planned claim has passed."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    DUE = "due"
