"""Every repository of one database, and their indexes."""

from dataclasses import dataclass, fields
from typing import Self

from models.versioned import Prompt, SessionSettings, SmsTemplate
from stores.agents import Agents
from stores.api_keys import ApiKeys
from stores.audit import Audit
from stores.calls import Calls
from stores.campaigns import Campaigns
from stores.contacts import Contacts
from stores.dnc import Dnc
from stores.holds import Holds
from stores.idempotency import IdempotentRequests
from stores.ledger import Ledger
from stores.mongo import Database
from stores.organizations import Organizations
from stores.phones import Phones
from stores.schedules import Occurrences, Schedules
from stores.sessions import Sessions
from stores.sms_messages import SmsMessages
from stores.users import Users
from stores.versioned import VersionedStore
from stores.webhook_deliveries import WebhookDeliveries
from stores.webhooks import WebhookEndpoints


@dataclass(frozen=True, slots=True)
class Repositories:
    """One aggregate, one repository."""

    users: Users
    sessions: Sessions
    api_keys: ApiKeys
    organizations: Organizations
    agents: Agents
    prompts: VersionedStore[Prompt]
    session_settings: VersionedStore[SessionSettings]
    sms_templates: VersionedStore[SmsTemplate]
    sms_messages: SmsMessages
    phones: Phones
    calls: Calls
    audit: Audit
    idempotency: IdempotentRequests
    ledger: Ledger
    holds: Holds
    schedules: Schedules
    occurrences: Occurrences
    campaigns: Campaigns
    contacts: Contacts
    dnc: Dnc
    webhooks: WebhookEndpoints
    webhook_deliveries: WebhookDeliveries

    @classmethod
    def over(cls, database: Database) -> Self:
        """All of them over `database`; touches nothing."""
        return cls(
            users=Users(database),
            sessions=Sessions(database),
            api_keys=ApiKeys(database),
            organizations=Organizations(database),
            agents=Agents(database),
            prompts=VersionedStore(database, Prompt, collection="prompts", noun="Prompt"),
            session_settings=VersionedStore(
                database, SessionSettings, collection="sessionSettings", noun="Session settings"
            ),
            sms_templates=VersionedStore(database, SmsTemplate, collection="smsTemplates", noun="SMS template"),
            sms_messages=SmsMessages(database),
            phones=Phones(database),
            calls=Calls(database),
            audit=Audit(database),
            idempotency=IdempotentRequests(database),
            ledger=Ledger(database),
            holds=Holds(database),
            schedules=Schedules(database),
            occurrences=Occurrences(database),
            campaigns=Campaigns(database),
            contacts=Contacts(database),
            dnc=Dnc(database),
            webhooks=WebhookEndpoints(database),
            webhook_deliveries=WebhookDeliveries(database),
        )

    async def create_indexes(self) -> None:
        """Run once at start, before the first request: unique constraints are indexes."""
        for repository in fields(self):
            await getattr(self, repository.name).create_indexes()
