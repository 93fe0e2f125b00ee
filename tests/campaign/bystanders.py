"""The rest of what a campaign's actor works with, in memory: calls, users, lists of numbers, and whoever watches."""

from collections.abc import Iterable
from typing import Any

from models.document import Id
from models.user import User
from stores.calls import CallState
from tests.campaign.memory import Data
from tests.campaign.process import Process


class MemoryCalls:
    """Satisfies `around.CallStore`."""

    def __init__(self, data: Data, process: Process) -> None:
        self._data = data
        self._process = process

    async def states(self, call_ids: Iterable[Id]) -> dict[Id, CallState]:
        """See the role."""
        wanted = set(call_ids)
        if not wanted:
            return {}
        async with self._process.step():
            return {each: self._data.calls[each] for each in wanted if each in self._data.calls}


class MemoryUsers:
    """Satisfies `around.UserStore`."""

    def __init__(self, data: Data, process: Process) -> None:
        self._data = data
        self._process = process

    async def by_id(self, user_id: Id) -> User | None:
        """See the role."""
        async with self._process.step():
            return self._data.user


class MemoryLists:
    """Satisfies `around.Lists`."""

    def __init__(self, data: Data, process: Process) -> None:
        self._data = data
        self._process = process

    async def blocked(self, organization_id: Id, numbers: Iterable[str]) -> set[str]:
        """See the role."""
        async with self._process.step():
            return self._data.do_not_call.intersection(numbers)


class Audience:
    """Satisfies `around.Audience`; nobody there ever fails."""

    def __init__(self, data: Data) -> None:
        self._data = data

    async def publish_to_campaign(self, campaign_id: Id, event: str, payload: Any) -> None:
        """See the role."""
        self._data.told.append(dict(payload))
