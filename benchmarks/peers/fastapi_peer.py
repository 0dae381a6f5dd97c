"""FastAPI and asyncpg, which send the statements of the service."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import FastAPI, Response

_STATEMENTS = json.loads(Path(os.environ["STATEMENTS"]).read_text())
_CONNECTIONS = int(os.environ["CONNECTIONS"])


@asynccontextmanager
async def _pooled(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"],
        min_size=_CONNECTIONS,
        max_size=_CONNECTIONS,
        init=_prepare,
        max_cacheable_statement_size=0,  # no limit: some statements exceed the default
    ) as pool:
        app.state.pool = pool
        yield


async def _prepare(connection: asyncpg.Connection) -> None:
    # JSON as the bytes that PostgreSQL sends.
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary"
    )


app = FastAPI(lifespan=_pooled)


@app.get("/v1/claims/{id}")
async def read_one(id: UUID, include: str | None = None) -> Response:
    """One claim."""
    row = await _row("a0" if include is None else "a", {"id": str(id)})
    return Response(row[3], media_type="application/json")


@app.get("/v1/claims")
async def read_page(
    q: str | None = None,
    entities__id: UUID | None = None,
    time__within: str | None = None,
    per_page: int = 25,
) -> Response:
    """A page of claims, found by words or by an entity and a time."""
    given = {"q": q, "entities__id": entities__id, "time__within": time__within}
    items, cursor, *_ = await _row("b" if q is None else "c", given)
    meta = json.dumps({"next_cursor": cursor, "per_page": per_page})
    return Response(f'{{"data":[{items or ""}],"meta":{meta}}}', media_type="application/json")


async def _row(letter: str, given: dict[str, Any]) -> asyncpg.Record:
    statement = _STATEMENTS[letter]
    arguments = (_filled(argument, given) for argument in statement["arguments"])
    return await app.state.pool.fetchrow(statement["sql"], *arguments)


def _filled(argument: Any, given: dict[str, Any]) -> Any:
    """The argument with the parameters of a request in their places."""
    match argument:
        case str():
            text = argument.format_map(given)
            return _days(text) if text.startswith("[") else text
        case list():
            return [_filled(each, given) for each in argument]
        case _:
            return argument


def _days(text: str) -> asyncpg.Range:
    """``[FIRST,LAST]``, which asyncpg does not take as text."""
    first, last = map(date.fromisoformat, text.strip("[]").split(","))
    return asyncpg.Range(first, last, upper_inc=True)
