"""Connections that run prepared statements below the cursors of psycopg.

With a cursor, reading a document takes Python twice as long.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import count
from typing import Any

import psycopg
from psycopg import abc
from psycopg.adapt import AdaptersMap, Loader, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from hksz_db.database.deadlines import waiting

_Types = tuple[int, ...]


class _BytesLoader(Loader):
    def load(self, data: abc.Buffer) -> bytes:
        return bytes(data)


def load_as_bytes(adapters: AdaptersMap) -> None:
    """Load ``json`` and ``text`` as the bytes that PostgreSQL sends."""
    for name in ("json", "text"):
        adapters.register_loader(name, _BytesLoader)


class PreparingConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose statements stay prepared, also after a rollback.

    Of more than ``most_prepared``, the least recently used are forgotten. Psycopg itself may not
    prepare any: after a rollback it would drop what is prepared here, too.
    """

    most_prepared = 100
    settings = b""
    """Statements that each transaction begins with."""

    @cached_property
    def _values(self) -> abc.Transformer:
        return Transformer(self)

    @cached_property
    def _values_as_bytes(self) -> abc.Transformer:
        cursor = psycopg.RawCursor(self)
        load_as_bytes(cursor.adapters)
        return Transformer(cursor)

    @cached_property
    def _names_by_statement(self) -> OrderedDict[tuple[bytes, _Types], bytes]:
        return OrderedDict()

    @cached_property
    def _statement_numbers(self) -> Iterator[int]:
        return count()

    def fetch(self, sql: bytes, arguments: Sequence[object]) -> list[tuple[Any, ...]]:
        """All rows of a statement with ``$n`` placeholders. Raises what a cursor raises."""
        return self._fetch(self._values, sql, arguments)

    def fetch_as_bytes(self, sql: bytes, arguments: Sequence[object]) -> list[tuple[Any, ...]]:
        """The same, with ``json`` and ``text`` as the bytes that PostgreSQL sends."""
        return self._fetch(self._values_as_bytes, sql, arguments)

    def _fetch(
        self, values: abc.Transformer, sql: bytes, arguments: Sequence[object]
    ) -> list[tuple[Any, ...]]:
        sent = values.dump_sequence(arguments, [PyFormat.AUTO] * len(arguments))
        try:
            with waiting(self, sql):
                result = self._run(sql, values.types or (), sent, values.formats or ())
                self._checked(result)
        except psycopg.errors.FeatureNotSupported:
            # "cached plan must not change result type": others are outdated, too. A transaction
            # that has failed cannot drop them on the server.
            self._names_by_statement.clear()
            raise
        values.set_pgresult(result)
        rows = values.load_rows(0, result.ntuples, tuple)
        values.set_pgresult(None)  # releases it
        return rows

    def command(self, sql: bytes) -> None:
        """Run statements without values, whose rows nobody needs. Raises what a cursor raises."""
        with waiting(self, sql):
            self._checked(self.pgconn.exec_(sql))

    def begin(self, mode: bytes = b"") -> None:
        """Begin a transaction with a mode, such as ``READ ONLY``."""
        self.command(b"BEGIN %b; %b" % (mode, self.settings))

    def commit_reads(self) -> None:
        """End a transaction, which also a failed one is, and keep the prepared statements.

        Psycopg would drop them all after a rollback, and planning takes ten times as long as
        reading a document. A broken connection has no transaction to end.
        """
        with suppress(psycopg.OperationalError), waiting(self):
            self.pgconn.exec_(b"COMMIT")

    def _run(
        self, sql: bytes, types: _Types, sent: Sequence[abc.Buffer | None], formats: Sequence[int]
    ) -> PGresult:
        name = self._name_of(sql, types)
        return self.pgconn.exec_prepared(name, sent, formats)  # type: ignore[arg-type] # nulls

    def _name_of(self, sql: bytes, types: _Types) -> bytes:
        """The name of the prepared statement for arguments of these types."""
        known = self._names_by_statement
        name = known.get((sql, types))
        if name is not None:
            known.move_to_end((sql, types))
            return name
        if len(known) >= self.most_prepared:
            oldest = next(iter(known))
            self._checked(self.pgconn.exec_(b"DEALLOCATE %b" % known[oldest]))
            del known[oldest]
        name = b"hksz_%d" % next(self._statement_numbers)
        self._checked(self.pgconn.prepare(name, sql, types))
        known[sql, types] = name
        return name

    def _checked(self, result: PGresult) -> PGresult:
        if result.status in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
            return result
        if result.error_field(DiagnosticField.SQLSTATE) is None:
            # It comes from libpq: the server is away.
            raise psycopg.OperationalError(result.get_error_message())
        raise error_from_result(result, self.info.encoding)


class PoolerConnection(PreparingConnection):
    """A connection to a pooler, which may give each transaction another session.

    Transactions, of which each ``fetch`` is one, begin with the settings of the service, and
    nothing is prepared.
    """

    @contextmanager
    def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> Iterator[psycopg.Transaction]:
        """A transaction with the settings of the service."""
        with super().transaction(savepoint_name, force_rollback) as transaction:
            self.execute(self.settings)
            yield transaction

    def _fetch(
        self, values: abc.Transformer, sql: bytes, arguments: Sequence[object]
    ) -> list[tuple[Any, ...]]:
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            return super()._fetch(values, sql, arguments)
        self.begin(b"READ ONLY")
        try:
            return super()._fetch(values, sql, arguments)
        finally:
            self.commit_reads()

    def _run(
        self, sql: bytes, types: _Types, sent: Sequence[abc.Buffer | None], formats: Sequence[int]
    ) -> PGresult:
        return self.pgconn.exec_params(sql, sent, types, formats)
