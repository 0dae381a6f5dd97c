"""The tables, one module a resource; importing this package completes the metadata."""

from hksz_db.models.api_keys import ApiKey
from hksz_db.models.base import Base
from hksz_db.models.claim_bands import ClaimBand
from hksz_db.models.claims import Claim, ClaimEntity, ClaimRelation, ClaimTopic
from hksz_db.models.corroborations import Corroboration
from hksz_db.models.due_dates import NOTE_DUE
from hksz_db.models.entities import Entity, EntityIdentifier, EntityName, EntityRelation
from hksz_db.models.evidence import Evidence
from hksz_db.models.figures import Figure
from hksz_db.models.history import Change, Transaction
from hksz_db.models.idempotency_keys import IdempotencyKey
from hksz_db.models.merges import EntityMerge, EntityMergeMove
from hksz_db.models.metrics import Metric
from hksz_db.models.seed_items import SeedItem
from hksz_db.models.sources import Source, SourceCapture, SourceContributor, SourceRelation
from hksz_db.models.units import Unit

__all__ = [
    "NOTE_DUE",
    "ApiKey",
    "Base",
    "Change",
    "Claim",
    "ClaimBand",
    "ClaimEntity",
    "ClaimRelation",
    "ClaimTopic",
    "Corroboration",
    "Entity",
    "EntityIdentifier",
    "EntityMerge",
    "EntityMergeMove",
    "EntityName",
    "EntityRelation",
    "Evidence",
    "Figure",
    "IdempotencyKey",
    "Metric",
    "SeedItem",
    "Source",
    "SourceCapture",
    "SourceContributor",
    "SourceRelation",
    "Transaction",
    "Unit",
]
