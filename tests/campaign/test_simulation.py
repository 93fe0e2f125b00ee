"""Whole campaigns on a virtual clock: whatever comes in whatever order, no rule is broken and nobody is left over.

`bench/campaign_rules.py` plays more of them, and bigger ones.
"""

import pytest

from models.campaign import CampaignStatus, Outcome, Refusal, Unreached
from models.contact import Contact
from tests.campaign.scenarios import drawn
from tests.campaign.simulation import World, played

CAMPAIGNS = 100


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    """Campaigns at their end; each was watched at every step."""
    return [played(drawn(seed, (5, 20))) for seed in range(CAMPAIGNS)]


def test_everybody_ends_in_one_final_state(worlds: list[World]) -> None:
    assert [each.state for world in worlds for each in world.people.all if each.state != "done"] == []
    assert all(_ends_as_it_went(each) for world in worlds for each in world.people.all)


def test_nobody_is_on_the_phone_at_the_end(worlds: list[World]) -> None:
    assert [world.people.live() for world in worlds if world.people.live()] == []


def test_every_campaign_ends_once(worlds: list[World]) -> None:
    ends = [[status for status in world.statuses if status.is_final] for world in worlds]
    assert {len(each) for each in ends} == {1}
    assert {each[0] for each in ends} == {CampaignStatus.COMPLETED, CampaignStatus.STOPPED}


def test_everything_that_can_happen_happened_in_some_campaign(worlds: list[World]) -> None:
    finals = {contact.final for world in worlds for contact in world.people.all}
    attempts = {attempt.outcome for world in worlds for contact in world.people.all for attempt in contact.attempts}
    refusals = {reason for world in worlds for _, reason in world.people.refusals}
    assert attempts == {*Outcome}
    late = {Refusal.ATTEMPT_OPEN, Refusal.UNSUITABLE}
    assert refusals == {*Refusal} - late, "nobody claims a contact whose call goes on, or knows who is unsuitable"
    assert finals >= {*Outcome, *Unreached, Refusal.UNSUITABLE} - {Outcome.NOT_PLACED}
    assert any(world.life for world in worlds), "no actor died"
    assert any(CampaignStatus.PAUSED in world.statuses for world in worlds)


def test_the_carrier_was_asked_once_for_each_attempt_that_was_placed(worlds: list[World]) -> None:
    for world in worlds:
        written = {(contact.id, each.number) for contact in world.people.all for each in contact.attempts
                   if each.outcome != Outcome.NOT_PLACED}  # fmt: skip
        assert written == set(world.calls)
        assert len(world.rulebook.dials) == len(world.calls)


def _ends_as_it_went(contact: Contact) -> bool:
    """An outcome as the end is that of the last attempt; whoever answered has that as the end."""
    told = [each.outcome for each in contact.attempts if each.outcome != Outcome.NOT_PLACED]
    if contact.final in set(Outcome):
        return told[-1] == contact.final
    return Outcome.ANSWERED not in told
