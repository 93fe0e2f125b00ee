"""Which of the ledger's writers an account belongs to. Pure."""

import zlib

from models.document import Id

LEDGER_PREFIX = "ledger:"


def writer_name(shard: int) -> str:
    """The writer's name in Ray."""
    return f"{LEDGER_PREFIX}{shard}"


def writer_of(organization_id: Id, shards: int) -> str:
    """The name of the account's writer: the same in every process."""
    return writer_name(zlib.crc32(organization_id.encode()) % shards)
