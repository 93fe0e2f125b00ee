"""A connection that breaks after a write has arrived, before its answer has."""

from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from stores.repository import Repository


def lose_one(store: Repository[Any], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The store's next change is made and its answer lost; returns the answers, as they come."""
    rows, arrived = store._rows, list[Any]()
    real = rows.find_one_and_update

    async def breaking(*args: Any, **options: Any) -> Any:
        arrived.append(await real(*args, **options))
        if len(arrived) == 1:
            raise AutoReconnect
        return arrived[-1]

    monkeypatch.setattr(rows, "find_one_and_update", breaking)
    return arrived
