"""Imports of contacts into campaigns: before them what the agent needs is known, after them the campaign goes on."""

import logging
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO

from models.campaign import Campaign, CampaignStatus, Unreached
from models.errors import Conflict
from services.campaign_checks import CampaignChecks
from services.campaign_webhooks import CampaignWebhooks
from services.campaigns import CampaignService
from services.contact_import.columns import Wanted
from services.contact_import.limits import Kind
from services.contacts import ContactService, ImportReport
from services.principal import Principal
from stores.contacts import Contacts

logger = logging.getLogger(__name__)

TOO_LATE = "The campaign was over before all contacts had come: those that wait are not called"
UNREACHED = {CampaignStatus.COMPLETED: Unreached.EXPIRED, CampaignStatus.STOPPED: Unreached.STOPPED}


class CampaignImports:
    """Brings contacts to campaigns."""

    def __init__(
        self,
        campaigns: CampaignService,
        contacts: ContactService,
        rows: Contacts,
        *,
        checks: CampaignChecks,
        webhooks: CampaignWebhooks,
    ) -> None:
        self._campaigns = campaigns
        self._contacts = contacts
        self._rows = rows
        self._checks = checks
        self._webhooks = webhooks

    async def open(self, principal: Principal, campaign_id: str) -> Campaign:
        """The campaign, if it may get contacts; raises NotFound, and Conflict when it is over."""
        campaign = await self._campaigns.get(principal, campaign_id)
        if campaign.status.is_final:
            raise Conflict(f"A campaign that is {campaign.status} gets no more contacts")
        return campaign

    async def import_(
        self, principal: Principal, campaign_id: str, file: BinaryIO, kind: Kind, wanted: Wanted, now: datetime
    ) -> ImportReport:
        """Add a file's contacts to a campaign; once it has begun, those only who have all that its agent needs.

        As `ContactService.import_`, which says what may be repeated, and raises Invalid. Besides NotFound, and Conflict
        when it is over. What PyMongo raises after the import is raised too: whoever repeats it repeats what follows.
        """
        campaign = await self.open(principal, campaign_id)
        needed = await self._checks.needed(campaign.organization_id, campaign.agent_id)
        has_begun = campaign.status is not CampaignStatus.DRAFT
        wanted = replace(wanted, asked=needed, required=needed if has_begun else ())
        report = await self._contacts.import_(principal, campaign.id, file, kind, wanted, now)
        after = await self._campaigns.has_more(campaign, now)
        if after.status.is_final:
            report = await self._too_late(after, report, now)
        await self._webhooks.imported(after, report, now)
        return report

    async def _too_late(self, campaign: Campaign, report: ImportReport, now: datetime) -> ImportReport:
        """Nobody looks after the campaign any more, and so nobody else would end these contacts."""
        logger.info("contacts came to a campaign that is over", extra={"campaign": campaign.id})
        await self._rows.finish_waiting(campaign.id, UNREACHED[campaign.status], now)
        return replace(report, stopped=report.stopped or TOO_LATE)
