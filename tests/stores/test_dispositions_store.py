"""What calls came to, and whose they were: written and found, on the real database."""

import pytest

from models.call import CallStatus, CampaignCall, Disposition, Lease
from models.document import Id, new_id
from stores.repositories import Repositories
from tests.documents import NOW, a_call

pytestmark = pytest.mark.integration

CARRIED = Lease(actor="a", leased_at=NOW)


async def test_what_a_call_came_to_is_news_before_and_after_its_end(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    await stores.calls.all_told(call)
    for n, name in enumerate(("interested", "sold")):
        changed = await stores.calls.save_disposition(call.id, Disposition(name=name, at=NOW, by=new_id()))
        assert changed is not None
        assert (changed.disposition and changed.disposition.name, changed.untold) == (name, True)
        assert (changed.news, changed.updated_at) == (call.news + 1 + 2 * n, call.updated_at)
        await stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="carrier", now=NOW)
        await stores.calls.all_told(await stores.calls.by_id(call.id))
    taken = await stores.calls.save_disposition(call.id, None)
    assert taken is not None
    assert (taken.disposition, taken.untold) == (None, True)
    assert await stores.calls.save_disposition(new_id(), None) is None


async def test_a_users_word_stands_against_the_agents(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id, lease=CARRIED))
    agents, users = Disposition(name="interested", at=NOW), Disposition(name="sold", at=NOW, by=new_id())
    for said, stands in ((agents, agents), (users, users), (agents, users)):
        changed = await stores.calls.save_disposition(call.id, said, actor=None if said.by else "a")
        assert (changed is None) == (stands is not said)
        assert (await stores.calls.by_id(call.id)).disposition == stands


async def test_only_the_actor_of_a_call_speaks_for_its_agent(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id, lease=CARRIED))
    word = Disposition(name="interested", at=NOW)
    assert await stores.calls.save_disposition(call.id, word, actor="b") is None
    await stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="carrier", now=NOW)
    assert await stores.calls.save_disposition(call.id, word, actor="b") is None
    assert await stores.calls.save_disposition(call.id, word, actor="a") is not None


async def test_calls_are_found_by_campaign_and_by_what_they_came_to(stores: Repositories, organization_id: Id) -> None:
    ours, theirs = new_id(), new_id()
    made = [
        await stores.calls.insert(
            a_call(
                organization_id,
                campaign=CampaignCall(campaign_id=campaign, contact_id=new_id(), attempt=1),
                disposition=word and Disposition(name=word, at=NOW),
            )
        )
        for campaign, word in ((ours, "sold"), (ours, None), (theirs, "sold"))
    ]
    await stores.calls.insert(a_call(organization_id))
    for asked, found in (
        ({"campaign_id": ours}, {0, 1}),
        ({"disposition": "sold"}, {0, 2}),
        ({"campaign_id": ours, "disposition": "sold"}, {0}),
        ({"campaign_id": ours, "status": CallStatus.BUSY}, set()),
        ({"disposition": "sold", "agent_id": made[2].agent_id, "direction": "outbound"}, {2}),
    ):
        page = await stores.calls.search(organization_id, **asked, page=1, limit=10)
        assert ({call.id for call in page.items}, page.total) == ({made[n].id for n in found}, len(found))
    assert (await stores.calls.search(new_id(), campaign_id=ours, page=1, limit=10)).total == 0
