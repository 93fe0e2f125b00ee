"""What the driver raises while the database, or the way to it, is away: worth repeating, and no bug of ours."""

from pymongo.errors import ConnectionFailure, ExecutionTimeout, PyMongoError, WTimeoutError

AWAY: tuple[type[PyMongoError], ...] = (ConnectionFailure, ExecutionTimeout, WTimeoutError)
"""ConnectionFailure has under it a broken connection, a server that steps down or shuts down, none found in time, and
an answer that took too long; the others are deadlines that a server ran into. Nothing is known of the write's fate.
"""
