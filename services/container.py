"""All services of one process, built once from what they need; the composition root passes the vendors in."""

from dataclasses import dataclass

from models.settings import Settings
from models.versioned import Prompt, SessionSettings, SmsTemplate
from providers import registry
from providers.roles import Telephony
from providers.tools.http import guard_of
from providers.webhooks import Post, webhook_guard, webhook_post
from services.agent_versions import AgentVersions
from services.agents import AgentService
from services.api_keys import ApiKeyService
from services.audit import AuditService
from services.auth import AuthService
from services.billing import BillingService
from services.call_addresses import CallAddresses
from services.call_log import CallLog
from services.call_reports import CallReports
from services.calls import CallService
from services.campaign_checks import CampaignChecks
from services.campaign_imports import CampaignImports
from services.campaign_webhooks import CampaignWebhooks
from services.campaigns import CampaignService, LeftToTheRounds
from services.carriage import Carriage
from services.contacts import ContactService
from services.control import Actors, CampaignActors
from services.credit import Credit
from services.dashboard import DashboardService
from services.dnc import DncService
from services.idempotency import Idempotency
from services.leftovers import Leftovers
from services.passwords import Passwords
from services.phones import PhoneService
from services.prompt_writer import PromptWriter, unhurried
from services.rate_limits import RateLimits
from services.readiness import Readiness
from services.reconciler import Reconciler
from services.recordings import RecordingService
from services.reservations import Reservations
from services.schedules import ScheduleService
from services.sms_messages import SmsMessageService
from services.sweeper import Sweeper
from services.transfers import Transfers
from services.users import UserService
from services.versioned import VersionedService
from services.versioned_kinds import PROMPT, SESSION_SETTINGS, SMS_TEMPLATE
from services.webhook_events import WebhookEvents
from services.webhook_sending import WebhookSending
from services.webhooks import WebhookService
from stores.contact_gaps import ContactGaps
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
    prompts: VersionedService[Prompt]
    session_settings: VersionedService[SessionSettings]
    sms_templates: VersionedService[SmsTemplate]
    sms_messages: SmsMessageService
    prompt_writer: PromptWriter
    phones: PhoneService
    calls: CallService
    schedules: ScheduleService
    carriage: Carriage
    reports: CallReports
    transfers: Transfers
    recordings: RecordingService
    dashboard: DashboardService
    sweeper: Sweeper
    audit: AuditService
    webhooks: WebhookService
    webhook_events: WebhookEvents
    campaigns: CampaignService
    campaign_imports: CampaignImports
    campaign_webhooks: CampaignWebhooks
    contacts: ContactService
    dnc: DncService
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
    post: Post | None = None,
    campaigns: CampaignActors | None = None,
) -> Services:
    """The services over one database; touches neither database nor network.

    `post` sends tests of webhooks; None: one of its own, which keeps no connection for long. `campaigns`: whoever can
    reach the actors of campaigns at once.
    """
    repositories = Repositories.over(database)
    secrets = Secrets(settings.encryption_key)
    addresses = CallAddresses(settings)
    webhook_events = WebhookEvents(repositories)
    call_log = CallLog(repositories.calls, credit, events, webhook_events)
    audit = AuditService(repositories.audit)
    passwords = Passwords()
    contacts = ContactService(repositories.contacts, audit)
    checks = CampaignChecks(repositories, ContactGaps(database))
    campaign_webhooks = CampaignWebhooks(repositories.campaigns, webhook_events)
    actors = campaigns or LeftToTheRounds()
    campaign_service = CampaignService(repositories, audit, checks=checks, events=events, actors=actors)
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
        agents=AgentService(
            repositories, audit, secrets=secrets, guard=guard_of(settings), versions=AgentVersions(repositories)
        ),
        prompts=VersionedService(PROMPT, repositories.prompts, repositories.agents, audit),
        session_settings=VersionedService(SESSION_SETTINGS, repositories.session_settings, repositories.agents, audit),
        sms_templates=VersionedService(SMS_TEMPLATE, repositories.sms_templates, repositories.agents, audit),
        sms_messages=SmsMessageService(repositories.sms_messages, addresses, webhook_events),
        prompt_writer=PromptWriter(lambda: registry.llm(unhurried(settings))),
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
        schedules=ScheduleService(repositories, audit),
        carriage=Carriage(settings, repositories.calls, addresses),
        reports=CallReports(repositories.calls, addresses, call_log, reservations),
        transfers=Transfers(repositories, addresses),
        recordings=RecordingService(settings.callboard_data_dir, repositories.calls, addresses),
        dashboard=DashboardService(repositories),
        sweeper=Sweeper(settings, repositories, call_log, reconciler, leftovers, control),
        audit=audit,
        webhooks=WebhookService(
            repositories,
            audit,
            secrets=secrets,
            guard=webhook_guard(settings),
            sending=WebhookSending(secrets, post or webhook_post(settings)),
        ),
        webhook_events=webhook_events,
        campaigns=campaign_service,
        campaign_imports=CampaignImports(
            campaign_service, contacts, repositories.contacts, checks=checks, webhooks=campaign_webhooks
        ),
        campaign_webhooks=campaign_webhooks,
        contacts=contacts,
        dnc=DncService(repositories.dnc, audit),
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
