"""The way into MongoDB: the client, the database and how durable a write is.

PyMongo's async API. Nothing here or in the repositories needs sessions, transactions, TTL indexes or change streams,
so any MongoDB serves, the embedded engine included: every promise stands on the atomicity of one document.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import AutoReconnect, OperationFailure, ServerSelectionTimeoutError

from models.settings import Settings

OPERATION_MS = 5_000
"""Deadline of one operation with its retries and server selection: a caller hears silence meanwhile."""

DURABLE = WriteConcern("majority", j=True)
"""Acknowledged means journaled. It costs 0.2 ms a write on the embedded engine, so no write goes without it."""

_BAD_HINT = 2
"""BadValue: what a query is answered that names an index which is not there."""

T = TypeVar("T")
Index = Sequence[tuple[str, int]]
"""An index, or an order, by its keys: 1 ascending, -1 descending."""

Client = AsyncMongoClient[dict[str, Any]]
Database = AsyncDatabase[dict[str, Any]]


def connect(settings: Settings) -> Client:
    """A client for `settings.mongodb_url`; connects on first use, in the running event loop. The caller closes it."""
    return AsyncMongoClient(settings.mongodb_url, timeoutMS=OPERATION_MS, tz_aware=True, appname="callboard")


def database(client: Client, settings: Settings) -> Database:
    """The product's database, with the write concern every repository inherits."""
    return client.get_database(settings.mongodb_database, write_concern=DURABLE)


async def repeatable(attempt: Callable[[], Awaitable[T]]) -> T:
    """The answer of an operation that may safely run twice; it does when the connection broke under it.

    The second attempt waits for a server as long as `OPERATION_MS` allows, so a restart of the database goes unnoticed.
    One that has waited so long in vain is not repeated: whoever asks is told that the database is away.
    The driver's own retries need sessions, which the embedded engine has not.
    """
    try:
        return await attempt()
    except ServerSelectionTimeoutError:
        raise
    except AutoReconnect:
        return await attempt()


async def hinted(index: Index | None, attempt: Callable[[Index | None], Awaitable[T]]) -> T:
    """The same for a query that names its index, and does without while the database has none such.

    It has none for a moment in each upgrade: the new version makes its indexes while the old one still answers.
    """
    try:
        return await repeatable(lambda: attempt(index))
    except OperationFailure as error:
        if index is None or error.code != _BAD_HINT:
            raise
        return await repeatable(lambda: attempt(None))
