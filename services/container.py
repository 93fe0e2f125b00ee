"""All services of one process, built once from what they need; the composition root passes the vendors in."""

from dataclasses import dataclass

from models.settings import Settings
from providers.roles import Telephony
from providers.tools.http import guard_of
from services.agents import AgentService
from services.api_keys import ApiKeyService
from services.audit import AuditService
from services.auth import AuthService
from services.billing import BillingService
from services.call_addresses import CallAddresses
from services.call_log import CallLog
from services.call_reports import CallReports
from services.calls import CallService
from services.carriage import Carriage
from services.control import Actors
from services.credit import Credit
from services.dashboard import DashboardService
from services.idempotency import Idempotency
from services.leftovers import Leftovers
from services.passwords import Passwords
from services.phones import PhoneService
from services.rate_limits import RateLimits
from services.readiness import Readiness
from services.reconciler import Reconciler
from services.recordings import RecordingService
from services.reservations import Reservations
from services.sweeper import Sweeper
from services.transfers import Transfers
from services.users import UserService
from stores.events import Events
from stores.limits import Limits
from stores.mongo import Database
from stores.pulse import ask_mongodb, ask_redis
from stores.repositories import Repositories
from stores.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Services:
    """What the edge calls."""

    settings: Settings
    auth: AuthService
    users: UserService
    keys: ApiKeyService
    agents: AgentService
    phones: PhoneService
    calls: CallService
    carriage: Carriage
    reports: CallReports
    transfers: Transfers
    recordings: RecordingService
    dashboard: DashboardService
    sweeper: Sweeper
    audit: AuditService
    billing: BillingService
    limits: RateLimits
    idempotency: Idempotency
    readiness: Readiness
    telephony: Telephony
    """Reads the carrier's webhooks."""


def build_services(
    settings: Settings,
    database: Database,
    *,
    control: Actors,
    credit: Credit,
    telephony: Telephony,
    events: Events,
    limits: Limits,
) -> Services:
    """The services over one database; touches neither database nor network."""
    repositories = Repositories.over(database)
    secrets = Secrets(settings.encryption_key)
    addresses = CallAddresses(settings)
    call_log = CallLog(repositories.calls, credit, events)
    audit = AuditService(repositories.audit)
    passwords = Passwords()
    keys = ApiKeyService(repositories, audit, highest_limit=settings.limit_api_per_key)
    reservations = Reservations(settings, control, repositories.calls, events)
    reconciler = Reconciler(settings, repositories, secrets=secrets, call_log=call_log, telephony=telephony)
    leftovers = Leftovers(repositories.holds, repositories.calls, call_log, credit)
    return Services(
        settings=settings,
        auth=AuthService(
            settings, repositories, secrets=secrets, passwords=passwords, keys=keys, credit=credit, audit=audit
        ),
        users=UserService(repositories, passwords=passwords, audit=audit),
        keys=keys,
        agents=AgentService(repositories, audit, secrets=secrets, guard=guard_of(settings)),
        phones=PhoneService(repositories, secrets=secrets, addresses=addresses, telephony=telephony, audit=audit),
        calls=CallService(
            settings,
            repositories,
            secrets=secrets,
            addresses=addresses,
            call_log=call_log,
            credit=credit,
            control=control,
            reservations=reservations,
            telephony=telephony,
        ),
        carriage=Carriage(settings, repositories.calls, addresses),
        reports=CallReports(repositories.calls, addresses, call_log, reservations),
        transfers=Transfers(repositories, addresses),
        recordings=RecordingService(settings.callboard_data_dir, repositories.calls, addresses),
        dashboard=DashboardService(repositories),
        sweeper=Sweeper(settings, repositories, call_log, reconciler, leftovers, control),
        audit=audit,
        billing=BillingService(repositories, credit, audit),
        limits=RateLimits(settings, limits),
        idempotency=Idempotency(repositories.idempotency),
        readiness=Readiness(
            {
                "mongodb": lambda: ask_mongodb(database),
                "calls": control.check,
                "redis": lambda: ask_redis(settings.redis_url or ""),
            },
            spared=frozenset({"redis"}),  # calls go on and requests are answered; only watching live calls has to wait
        ),
        telephony=telephony,
    )
