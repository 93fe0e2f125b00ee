"""The calls repository against the real database."""

import asyncio
import itertools
from datetime import timedelta

import pytest

from models.call import BargeIn, CallStatus, CostBreakdown, Lease, Recording, SessionId, TurnTimings, Usage
from models.conversation import AnsweredBy
from models.document import Id, new_id
from models.errors import Conflict, NotFound
from stores.calls import Still
from stores.repositories import Repositories
from tests.documents import NOW, a_call, a_turn

pytestmark = pytest.mark.integration

UNCARRIED = Still(uncarried=True)
USAGE = Usage(stt_ms=1000, llm_tokens=10, tts_chars=20, telephony_ms=3000)
COST = CostBreakdown(stt=1, llm=2, tts=3, telephony=4)


def lease(actor: str) -> Lease:
    return Lease(actor=actor, leased_at=NOW)


async def test_a_call_comes_back_as_it_was_stored(stores: Repositories, organization_id: Id) -> None:
    call = a_call(organization_id, metadata={"orderId": "ORD-1", "a.b": {"$c": None}}, turns=[a_turn(0)])
    await stores.calls.insert(call)
    assert await stores.calls.get(organization_id, call.id) == call
    assert await stores.calls.session(call.session_id) == call


async def test_storing_the_same_document_again_is_one_document(stores: Repositories, organization_id: Id) -> None:
    call = a_call(organization_id)
    await stores.calls.insert(call)
    await stores.calls.insert(call)
    assert (await stores.calls.search(organization_id, page=1, limit=10)).total == 1


async def test_another_call_with_the_id_of_one_that_is_there_is_refused(
    stores: Repositories, organization_id: Id
) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    with pytest.raises(Conflict):
        await stores.calls.insert(a_call(organization_id, id=call.id))
    assert await stores.calls.by_id(call.id) == call


async def test_a_call_that_has_moved_on_is_still_the_one_that_was_stored(
    stores: Repositories, organization_id: Id
) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    await stores.calls.all_told(call)
    await stores.calls.finish(call.id, status=CallStatus.FAILED, reason="carrier", now=NOW)
    await stores.calls.insert(call)
    assert (await stores.calls.by_id(call.id)).status is CallStatus.FAILED


async def test_two_calls_never_share_a_session_or_a_carrier_id(stores: Repositories, organization_id: Id) -> None:
    call = a_call(organization_id, carrier_call_id=new_id())
    await stores.calls.insert(call)
    for taken in ({"session_id": call.session_id}, {"carrier_call_id": call.carrier_call_id}):
        with pytest.raises(Conflict):
            await stores.calls.insert(a_call(organization_id, **taken))


async def test_many_calls_may_wait_for_their_carrier_id(stores: Repositories, organization_id: Id) -> None:
    first, second = [await stores.calls.insert(a_call(organization_id)) for _ in range(2)]
    carrier_id = new_id()
    await stores.calls.bind_carrier(first.id, carrier_id, NOW)
    assert (await stores.calls.bind_carrier(first.id, carrier_id, NOW)).carrier_call_id == carrier_id
    with pytest.raises(Conflict):
        await stores.calls.bind_carrier(second.id, carrier_id, NOW)
    with pytest.raises(NotFound):
        await stores.calls.bind_carrier(first.id, new_id(), NOW)


async def test_one_of_twenty_claimants_gets_the_call(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    claims = (stores.calls.claim(call.session_id, lease(f"actor-{n}"), NOW) for n in range(20))
    won = [claimed for claimed in await asyncio.gather(*claims) if claimed is not None]
    assert len(won) == 1
    stored = (await stores.calls.get(organization_id, call.id)).lease
    assert stored == won[0].lease


async def test_the_same_actor_may_ask_twice(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    assert await stores.calls.claim(call.session_id, lease("a"), NOW)
    assert await stores.calls.claim(call.session_id, lease("a"), NOW)
    assert await stores.calls.claim(call.session_id, lease("b"), NOW) is None


async def test_nobody_claims_a_call_that_is_over_or_unknown(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id, status=CallStatus.COMPLETED))
    assert await stores.calls.claim(call.session_id, lease("a"), NOW) is None
    assert await stores.calls.claim(SessionId("sess_unknown"), lease("a"), NOW) is None


async def test_a_status_only_moves_forward_in_any_order_of_news(stores: Repositories, organization_id: Id) -> None:
    for order in itertools.permutations([CallStatus.INITIATED, CallStatus.RINGING, CallStatus.IN_PROGRESS, None]):
        call = await stores.calls.insert(a_call(organization_id))
        ranks = [0]
        for news in order:
            if news is None:
                await stores.calls.finish(call.id, status=CallStatus.BUSY, reason="carrier", now=NOW)
            else:
                await stores.calls.advance(call.id, news, NOW)
            ranks.append((await stores.calls.by_id(call.id)).status.rank)
        assert ranks == sorted(ranks)
        assert (await stores.calls.by_id(call.id)).status is CallStatus.BUSY


async def test_the_first_answer_starts_the_clock(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    answered = await stores.calls.advance(call.id, CallStatus.IN_PROGRESS, NOW)
    assert answered is not None
    assert answered.started_at == NOW
    assert await stores.calls.advance(call.id, CallStatus.IN_PROGRESS, NOW + timedelta(seconds=5)) is None
    assert (await stores.calls.by_id(call.id)).started_at == NOW


async def test_a_turn_is_kept_once_however_often_it_is_appended(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    turns = [a_turn(index, f"turn {index}") for index in range(5)]
    appends = (stores.calls.append_turn(call.id, turn, USAGE, COST, NOW) for turn in turns * 4)
    added = await asyncio.gather(*appends)
    assert sum(added) == 5
    stored = await stores.calls.by_id(call.id)
    assert stored.turns == turns
    assert (stored.usage, stored.cost) == (USAGE, COST)


async def test_who_picked_up_is_kept_and_uncertainty_does_not_replace_it(
    stores: Repositories, organization_id: Id
) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    assert call.answered_by is None
    words: list[tuple[AnsweredBy, AnsweredBy]] = [
        ("uncertain", "uncertain"),
        ("uncertain", "uncertain"),
        ("human", "human"),
        ("uncertain", "human"),
        ("machine-ivr", "machine-ivr"),
    ]
    for said, kept in words:
        assert await stores.calls.save_answered_by(call.id, said, NOW) is (said == kept)
        assert (await stores.calls.by_id(call.id)).answered_by == kept
    await stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="caller", now=NOW)
    assert await stores.calls.save_answered_by(call.id, "machine-voicemail", NOW)


async def test_a_turns_timings_and_revision_come_back_as_they_were_stored(
    stores: Repositories, organization_id: Id
) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    barge_in = BargeIn(at_ms=7000, decision="duck", reason="speech")
    timings = TurnTimings(speech_end_ms=5200, speculative_text_ms=5330, barge_ins=(barge_in,))
    turn = a_turn(0).model_copy(update={"timings": timings, "revision": 4})
    await stores.calls.append_turn(call.id, turn, USAGE, COST, NOW)
    assert (await stores.calls.by_id(call.id)).turns == [turn]


async def test_smaller_figures_are_late_and_change_nothing(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    await stores.calls.save_usage(call.id, USAGE, COST, NOW)
    await stores.calls.save_usage(call.id, Usage(stt_ms=5), CostBreakdown(stt=0), NOW)
    stored = await stores.calls.by_id(call.id)
    assert (stored.usage, stored.cost) == (USAGE, COST)


async def test_a_turn_after_the_end_is_kept_but_costs_nothing_more(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    await stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="caller", now=NOW, consumed=(USAGE, COST))
    assert await stores.calls.append_turn(call.id, a_turn(0), Usage(stt_ms=9999), CostBreakdown(stt=9999), NOW)
    stored = await stores.calls.by_id(call.id)
    assert len(stored.turns) == 1
    assert (stored.usage, stored.cost, stored.charged_micros) == (USAGE, COST, COST.total)


async def test_what_a_call_was_charged_is_known_when_it_is_over(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    await stores.calls.save_usage(call.id, USAGE, COST, NOW)
    assert (await stores.calls.by_id(call.id)).charged_micros is None
    await stores.calls.finish(call.id, status=CallStatus.FAILED, reason="lost", now=NOW)
    assert (await stores.calls.by_id(call.id)).charged_micros == COST.total


async def test_the_first_to_finish_wins(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    await stores.calls.claim(call.session_id, lease("a"), NOW)
    await stores.calls.advance(call.id, CallStatus.IN_PROGRESS, NOW)
    end = NOW + timedelta(seconds=329.6)
    first, *others = await asyncio.gather(
        stores.calls.finish(
            call.id,
            status=CallStatus.COMPLETED,
            reason="$caller",
            now=end,
            consumed=(USAGE, COST),
            recording=Recording(path="$recordings/call.wav"),
        ),
        *(stores.calls.finish(call.id, status=CallStatus.FAILED, reason=f"{n}", now=end) for n in range(9)),
    )
    winners = [call for call in (first, *others) if call is not None]
    assert len(winners) == 1
    assert (await stores.calls.by_id(call.id)) == winners[0]


async def test_a_finished_log_is_complete(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    await stores.calls.claim(call.session_id, lease("a"), NOW)
    await stores.calls.advance(call.id, CallStatus.IN_PROGRESS, NOW)
    end = NOW + timedelta(seconds=329.6)

    async def finish() -> object:
        return await stores.calls.finish(
            call.id,
            status=CallStatus.COMPLETED,
            reason="$caller",
            now=end,
            consumed=(USAGE, COST),
            recording=Recording(path="$recordings/call.wav"),
        )

    assert await finish() == await finish()
    stored = await stores.calls.by_id(call.id)
    assert (stored.status, stored.end_reason, stored.ended_at) == (CallStatus.COMPLETED, "$caller", end)
    assert (stored.duration_sec, stored.lease, stored.usage, stored.cost) == (330, None, USAGE, COST)
    await stores.calls.keep_recording(call.id, Recording(url="https://exotel.com/call.mp3"), end)
    stored = await stores.calls.by_id(call.id)
    assert stored.recording == Recording(path="$recordings/call.wav", url="https://exotel.com/call.mp3")


async def test_a_call_that_was_never_answered_has_no_duration_but_the_carriers(
    stores: Repositories, organization_id: Id
) -> None:
    for word, seconds in ((None, 0), (12, 12)):
        call = await stores.calls.insert(a_call(organization_id))
        finished = await stores.calls.finish(
            call.id, status=CallStatus.FAILED, reason="carrier", now=NOW, duration_s=word
        )
        assert finished is not None
        assert (finished.started_at, finished.duration_sec) == (None, seconds)


async def test_a_carried_call_is_not_closed_behind_its_actor(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    await stores.calls.claim(call.session_id, lease("a"), NOW)
    done = await stores.calls.finish(call.id, status=CallStatus.BUSY, reason="carrier", now=NOW, still=UNCARRIED)
    assert done is None
    assert (await stores.calls.by_id(call.id)).status is CallStatus.INITIATED


async def test_pages_filter_sort_and_count(stores: Repositories, organization_id: Id) -> None:
    agent = new_id()
    for minute in range(7):
        at = NOW + timedelta(minutes=minute)
        fields = {"created_at": at, "direction": "inbound" if minute % 2 else "outbound"}
        fields |= {"agent_id": agent} if minute < 3 else {}
        await stores.calls.insert(a_call(organization_id, turns=[a_turn(0)], **fields))
    first = await stores.calls.search(organization_id, page=1, limit=3)
    assert (first.total, [call.created_at.minute for call in first.items]) == (7, [36, 35, 34])
    assert all(call.turns == [] for call in first.items)
    last = await stores.calls.search(organization_id, page=3, limit=3)
    assert [call.created_at.minute for call in last.items] == [30]
    inbound = await stores.calls.search(organization_id, direction="inbound", page=1, limit=9)
    assert inbound.total == 3
    assert (await stores.calls.search(organization_id, agent_id=agent, page=1, limit=9)).total == 3
    assert (await stores.calls.search(organization_id, status=CallStatus.COMPLETED, page=1, limit=9)).total == 0
    window = await stores.calls.search(
        organization_id, since=NOW + timedelta(minutes=1), before=NOW + timedelta(minutes=3), page=1, limit=9
    )
    assert [call.created_at.minute for call in window.items] == [32, 31]


async def test_another_organization_sees_nothing_of_a_call(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    stranger = new_id()
    with pytest.raises(NotFound):
        await stores.calls.get(stranger, call.id)
    with pytest.raises(NotFound):
        await stores.calls.by_session(stranger, call.session_id)
    with pytest.raises(NotFound):
        await stores.calls.change(stranger, call.id, {"organizationId": stranger}, NOW)
    with pytest.raises(NotFound):
        await stores.calls.get(stranger, call.id)
    assert (await stores.calls.search(stranger, page=1, limit=9)).total == 0
    assert not await stores.calls.is_agent_busy(stranger, call.agent_id)
    assert (await stores.calls.figures(stranger, call.agent_id)).calls == 0
