"""History: the earlier versions of each row, who changed it, and the database at any moment.

A transaction gets a number when it first writes, and a time when it commits. Each row has the
number of the transaction that wrote it (``written_in``); an earlier version also has the number of
the one that ended it (``ended_in``). Rows hold numbers rather than times, because a transaction
does not know its time of commit while it writes, and because a moment shows whole transactions
only: it shows a version if the transaction that wrote it had committed by then, and the one that
ended it had not.

Three schemas have a relation with the name of each table:

===========  =====  =======================================================================
schema       kind   rows
===========  =====  =======================================================================
``past``     table  earlier versions
``as_of``    view   versions at the moment that the settings ``hksz.as_of…`` describe
``history``  view   all versions, each with the period in which it was current, ``sys_period``
===========  =====  =======================================================================

Triggers keep the history, so that every write is covered, and refuse to rewrite it. They run with
the rights of the owner and search temporary tables last, so that a temporary table named
``transactions`` cannot take the place of the real one.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Connection, Identity, Index, MetaData, Text, event, text
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base, HistoryMixin, ResourceMixin


class Transaction(Base):
    """A transaction that wrote something: by whom, for which request, and when it committed.

    ``id`` is the time at which it began to write, in microseconds, times 1024, plus the last digits
    of a sequence, so that ids are in the order of beginning. ``slow`` marks transactions that took
    more than a second; all others began at most a second before they committed. Transaction 0
    stands for everything that was there when the history began.
    """

    __tablename__ = "transactions"
    __table_args__ = (
        Index("transactions_committed_at_id_idx", "committed_at", "id"),
        Index("transactions_slow_idx", "committed_at", postgresql_where="slow"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    actor: Mapped[str]
    request_id: Mapped[str | None]
    committed_at: Mapped[datetime | None]
    slow: Mapped[bool] = mapped_column(server_default=text("false"))


class Change(Base):
    """A row of a table that a transaction inserted, updated or deleted.

    ``resource`` and ``resource_id`` identify the document that shows the row; ``changed`` lists the
    changed columns of an updated row. The operation ``due`` records that the last day of a planned
    claim has passed; its ``row_key`` is the id of the claim and that day.
    """

    __tablename__ = "changes"
    __table_args__ = (
        Index(None, "transaction_id", "resource", "resource_id"),
        Index("changes_due_idx", "row_key", unique=True, postgresql_where="operation = 'due'"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    transaction_id: Mapped[int] = mapped_column(BigInteger)
    table_name: Mapped[str]
    row_key: Mapped[str]
    operation: Mapped[str]
    resource: Mapped[str | None]
    resource_id: Mapped[UUID | None]
    changed: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


@dataclass(frozen=True)
class TableHistory:
    """How the history of a table is kept: a row of ``history.tables``.

    The rows are part of the documents of ``resource``, whose ids are in the column ``owner``. For
    ``ignored`` and ``logged``, see ``HistoryMixin``.
    """

    name: str
    resource: str | None
    owner: str | None
    ignored: list[str]
    logged: bool


def tables_with_history() -> Iterator[TableHistory]:
    """Every table with a history, from the models that have been imported."""
    models = Base.__subclasses__()
    resources = {model.__tablename__ for model in models if issubclass(model, ResourceMixin)}
    for model in models:
        if not issubclass(model, HistoryMixin):
            continue
        name = model.__tablename__
        # A part of a resource is deleted with it: one foreign key to a resource cascades.
        owners = [
            (key.column.table.name, key.parent.name)
            for key in Base.metadata.tables[name].foreign_keys
            if key.ondelete == "CASCADE" and key.column.table.name in resources
        ]
        resource, owner = owners[0] if len(owners) == 1 else (None, None)
        if name in resources:
            resource, owner = name, "id"
        yield TableHistory(name, resource, owner, list(model.ignored_columns), model.logged)


@event.listens_for(Base.metadata, "after_create")
def _keep_histories(_: MetaData, connection: Connection, **_options: object) -> None:
    keep = text("SELECT keep_history(:name, :resource, :owner, :ignored, :logged)")
    for table in tables_with_history():
        connection.execute(keep, asdict(table))
        if table.name == table.resource:
            name = f"{table.name}_feed_beginning_idx"
            connection.execute(
                text(f"CREATE INDEX {name} ON past.{table.name} (id) WHERE written_in = 0")
            )
