"""The tables. Importing this package imports all of its modules, which completes the metadata."""

from importlib import import_module
from pkgutil import iter_modules

from hksz_db.models.api_keys import ApiKey as ApiKey
from hksz_db.models.base import Base as Base
from hksz_db.models.base import table_of as table_of
from hksz_db.models.claims import Claim as Claim
from hksz_db.models.claims import ClaimEntity as ClaimEntity
from hksz_db.models.claims import ClaimRelation as ClaimRelation
from hksz_db.models.claims import ClaimTopic as ClaimTopic
from hksz_db.models.claims import ClaimTranslation as ClaimTranslation
from hksz_db.models.claims import Corroboration as Corroboration
from hksz_db.models.claims import Recount as Recount
from hksz_db.models.entities import Entity as Entity
from hksz_db.models.entities import EntityIdentifier as EntityIdentifier
from hksz_db.models.entities import EntityName as EntityName
from hksz_db.models.entities import EntityRelation as EntityRelation
from hksz_db.models.evidence import Evidence as Evidence
from hksz_db.models.figures import Figure as Figure
from hksz_db.models.history import tables_with_history
from hksz_db.models.metrics import Metric as Metric
from hksz_db.models.sources import Source as Source
from hksz_db.models.sources import SourceCapture as SourceCapture
from hksz_db.models.sources import SourceContributor as SourceContributor
from hksz_db.models.sources import SourceRelation as SourceRelation
from hksz_db.models.submissions import Submission as Submission
from hksz_db.models.units import Unit as Unit

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

HISTORY_TABLES = {table.name: table for table in tables_with_history()}
"""The tables with a history, by name."""
