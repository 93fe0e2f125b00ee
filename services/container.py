"""All services of one process, built once from what they need; the composition root passes the vendors in."""

from dataclasses import dataclass

from models.settings import Settings
from providers.roles import Telephony
from services.agents import AgentService
from services.audit import AuditService
from services.auth import AuthService
from services.call_addresses import CallAddresses
from services.call_log import CallLog
from services.call_reports import CallReports
from services.calls import CallService
from services.control import CallControl
from services.phones import PhoneService
from services.recordings import RecordingService
from services.sweeper import Sweeper
from stores.events import Events
from stores.mongo import Database
from stores.repositories import Repositories
from stores.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Services:
    """What the edge calls."""

    settings: Settings
    auth: AuthService
    agents: AgentService
    phones: PhoneService
    calls: CallService
    reports: CallReports
    recordings: RecordingService
    sweeper: Sweeper
    audit: AuditService
    telephony: Telephony
    """Reads the carrier's webhooks."""


def build_services(
    settings: Settings, database: Database, *, control: CallControl, telephony: Telephony, events: Events
) -> Services:
    """The services over one database; touches neither database nor network."""
    repositories = Repositories.over(database)
    secrets = Secrets(settings.encryption_key)
    addresses = CallAddresses(settings)
    call_log = CallLog(repositories.calls, repositories.organizations, events)
    audit = AuditService(repositories.audit)
    return Services(
        settings=settings,
        auth=AuthService(settings, repositories, secrets),
        agents=AgentService(repositories),
        phones=PhoneService(repositories, secrets=secrets, addresses=addresses),
        calls=CallService(
            settings,
            repositories,
            secrets=secrets,
            addresses=addresses,
            call_log=call_log,
            control=control,
            telephony=telephony,
        ),
        reports=CallReports(repositories.calls, addresses, call_log),
        recordings=RecordingService(settings.callboard_data_dir, repositories.calls, addresses),
        sweeper=Sweeper(settings, repositories, call_log),
        audit=audit,
        telephony=telephony,
    )
