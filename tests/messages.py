"""Text messages, and the calls that owe them, for tests."""

from datetime import timedelta
from typing import Any

from models.agent import SmsAfter
from models.call import Call, CallStatus, Disposition, Versions
from models.document import Id, new_id
from models.sms import SmsMessage
from models.versioned import Head, SmsTemplate, Version
from stores.repositories import Repositories
from stores.versioned import Entry
from tests.documents import CONFIG, NOW, a_call

CONTENT = "Dear {customer_name}, your payment of {amount} is due - Acme"
FILLED = "Dear Asha, your payment of INR 500 is due - Acme"
VARIABLES = {"customer_name": "Asha", "amount": "INR 500"}
DLT = {"dlt_template_id": "1107161234567890123", "dlt_entity_id": "1101234567890123456"}
AFTER = SmsAfter(outcomes=("answered",))
ENDED = NOW - timedelta(seconds=2)


def a_version(organization_id: Id | None = None, content: str = CONTENT) -> Version[SmsTemplate]:
    """The first version of a template."""
    return Version[SmsTemplate](
        created_at=NOW,
        updated_at=NOW,
        organization_id=organization_id or new_id(),
        root_id=new_id(),
        version=1,
        name="Reminder",
        body=SmsTemplate(content=content, **DLT),
    )


async def a_template(stores: Repositories, organization_id: Id, content: str = CONTENT) -> Version[SmsTemplate]:
    """The same, stored."""
    version = a_version(organization_id, content)
    head = Head(
        id=version.root_id,
        created_at=NOW,
        updated_at=NOW,
        organization_id=organization_id,
        name=version.name,
        active_id=version.id,
        latest=1,
    )
    await stores.sms_templates.insert(Entry(head, version))
    return version


def over(organization_id: Id, version_id: Id | None, rule: SmsAfter = AFTER, **fields: Any) -> Call:
    """An answered call that is over and was made with that version of a template."""
    own: dict[str, Any] = {
        "agent_config": CONFIG.model_copy(update={"sms_after": rule}),
        "versions": Versions(sms_template_id=version_id),
        "variables": VARIABLES,
        "status": CallStatus.COMPLETED,
        "started_at": NOW - timedelta(seconds=60),
        "ended_at": ENDED,
        "end_reason": "caller",
    }
    return a_call(organization_id, **(own | fields))


def disposed(name: str) -> Disposition:
    """What a call came to."""
    return Disposition(name=name, at=NOW)


def a_message(organization_id: Id | None = None, **fields: Any) -> SmsMessage:
    """A message that is due."""
    own: dict[str, Any] = {
        "created_at": NOW,
        "updated_at": NOW,
        "call_id": new_id(),
        "phone_id": new_id(),
        "from_phone": "+919876543210",
        "to_phone": "+919123456789",
        "text": FILLED,
        "template_version_id": new_id(),
        "next_at": NOW,
    }
    return SmsMessage(organization_id=organization_id or new_id(), **(own | fields))
