"""Bands: an index of claims with similar statements.

MinHash (Broder, "On the resemblance and containment of documents", 1997) with locality-sensitive
hashing. A band is a hash of two words of the statement: the least and the greatest under one of ten
permutations of all words. If two statements share s of m words, a band is equal with a probability
of s(s-1) / m(m-1). If they share half of their words, at least one of the ten bands is equal in 92
of 100 cases. Numbers are not words. A statement with numbers has two more bands, each a hash of all
its numbers and a pair of words, so that a claim is found among thousands that differ only in their
numbers.

This is a table rather than an array with a GIN index: words that most claims share make some bands
frequent, and only a B-tree gives the newest claims of a band without reading all of it.
"""

from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base, HistoryMixin


class ClaimBand(HistoryMixin, Base):
    """A band of the statement of a claim that is not deleted; maintained by a trigger on claims.

    A foreign key would lock and look up the claim once for each of its bands.
    """

    __tablename__ = "claim_bands"
    logged = False

    band: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    claim_id: Mapped[UUID] = mapped_column(primary_key=True)
