"""Connections of readers, which run prepared statements below the cursors of psycopg.

With a cursor, reading a document takes Python twice as long.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import count
from typing import Any

import psycopg
from psycopg import abc
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from hksz_db.database.deadlines import waiting

_Types = tuple[int, ...]


class Reader(psycopg.Connection[tuple[Any, ...]]):
    """A connection in autocommit mode for single statements, which stay prepared.

    Of more than ``most_prepared``, the least recently used are forgotten.
    """

    most_prepared = 100

    @cached_property
    def _values(self) -> abc.Transformer:
        return Transformer(self)

    @cached_property
    def _names_by_statement(self) -> OrderedDict[tuple[bytes, _Types], bytes]:
        return OrderedDict()

    @cached_property
    def _statement_numbers(self) -> Iterator[int]:
        return count()

    def fetch(self, sql: bytes, arguments: Sequence[object]) -> list[tuple[Any, ...]]:
        """All rows of a statement with ``$n`` placeholders. Raises what a cursor raises."""
        values = self._values
        sent = values.dump_sequence(arguments, [PyFormat.AUTO] * len(arguments))
        with waiting(self, sql):
            name = self._name_of(sql, values.types or ())
            result = self._checked(
                self.pgconn.exec_prepared(name, sent, values.formats)  # type: ignore[arg-type] # nulls
            )
        values.set_pgresult(result)
        rows = values.load_rows(0, result.ntuples, tuple)
        values.set_pgresult(None)  # releases it
        return rows

    def _name_of(self, sql: bytes, types: _Types) -> bytes:
        """The name of the prepared statement for arguments of these types."""
        known = self._names_by_statement
        name = known.get((sql, types))
        if name is not None:
            known.move_to_end((sql, types))
            return name
        if len(known) >= self.most_prepared:
            _, oldest = known.popitem(last=False)
            self._checked(self.pgconn.exec_(b"DEALLOCATE %b" % oldest))
        name = b"read_%d" % next(self._statement_numbers)
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
