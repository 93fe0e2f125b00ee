"""Every repository of one database, and their indexes."""

from dataclasses import dataclass, fields
from typing import Self

from stores.agents import Agents
from stores.api_keys import ApiKeys
from stores.audit import Audit
from stores.calls import Calls
from stores.holds import Holds
from stores.idempotency import IdempotentRequests
from stores.ledger import Ledger
from stores.mongo import Database
from stores.organizations import Organizations
from stores.phones import Phones
from stores.sessions import Sessions
from stores.users import Users


@dataclass(frozen=True, slots=True)
class Repositories:
    """One aggregate, one repository."""

    users: Users
    sessions: Sessions
    api_keys: ApiKeys
    organizations: Organizations
    agents: Agents
    phones: Phones
    calls: Calls
    audit: Audit
    idempotency: IdempotentRequests
    ledger: Ledger
    holds: Holds

    @classmethod
    def over(cls, database: Database) -> Self:
        """All of them over `database`; touches nothing."""
        return cls(
            users=Users(database),
            sessions=Sessions(database),
            api_keys=ApiKeys(database),
            organizations=Organizations(database),
            agents=Agents(database),
            phones=Phones(database),
            calls=Calls(database),
            audit=Audit(database),
            idempotency=IdempotentRequests(database),
            ledger=Ledger(database),
            holds=Holds(database),
        )

    async def create_indexes(self) -> None:
        """Run once at start, before the first request: unique constraints are indexes."""
        for repository in fields(self):
            await getattr(self, repository.name).create_indexes()
