"""Stores the text messages that calls owe. Doing so twice stores nothing twice."""

from datetime import datetime

from models.call import Call
from models.document import Id
from models.errors import NotFound
from models.versioned import SmsTemplate, Version
from services import sms_rules as rules
from stores.repositories import Repositories


class OwedMessages:
    """Reads what a message is made of, and stores it."""

    def __init__(self, repositories: Repositories) -> None:
        self._messages = repositories.sms_messages
        self._templates = repositories.sms_templates
        self._phones = repositories.phones

    async def store(self, call: Call, now: datetime) -> None:
        """Store the message that the call owes, if any. Raises what PyMongo raises; then it is to be called again."""
        version_id = rules.template_owed(call)
        if version_id is None or await self._messages.is_known(rules.message_id(call.id)):
            return
        template = await self._template(call.organization_id, version_id)
        number = await self._number(call.organization_id, call.phone_id)
        await self._messages.add(rules.message(call, version_id, template, number, now))

    async def _template(self, organization_id: Id, version_id: Id) -> Version[SmsTemplate] | None:
        try:
            return (await self._templates.find(organization_id, version_id)).version
        except NotFound:
            return None

    async def _number(self, organization_id: Id, phone_id: Id) -> str | None:
        try:
            return (await self._phones.get(organization_id, phone_id)).number
        except NotFound:
            return None
