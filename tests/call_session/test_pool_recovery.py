"""What a pool does about actors that die, freeze or cling to their calls, and about its own death."""

import asyncio

from actors.call_session.pool import CallPool, Refusal
from actors.call_session.pool_policy import FULL, Rules
from tests.call_session.fleet import Fleet
from tests.call_session.test_pool import an_open_pool, leased, refused
from tests.virtual_time import jump, virtual


@virtual
async def test_a_dead_actor_is_passed_over_and_replaced() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet) as pool:
        fleet.dead = {"a1"}
        assert (await leased(pool, "s1")).actor == "a2"
        await asyncio.sleep(0.1)
        assert set(fleet.calls) == {"a2", "a3"}


@virtual
async def test_a_frozen_one_keeps_a_caller_waiting_for_a_second_only() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet) as pool:
        fleet.frozen = {"a1"}
        began = asyncio.get_running_loop().time()
        assert (await leased(pool, "s1")).actor == "a2"
        assert asyncio.get_running_loop().time() - began <= 1.1


@virtual
async def test_looking_around_replaces_the_dead_and_frees_the_forgotten() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet) as pool:
        lease = await leased(pool, "s1")
        fleet.calls[lease.actor] = None  # its call ended, and nobody released it
        fleet.dead = set(fleet.calls) - {lease.actor}
        await asyncio.sleep(3.0)
        stats = await pool.stats()
        assert (stats.idle, stats.leased) == (2, 0)
        assert not fleet.dead & set(fleet.calls)


@virtual
async def test_an_actor_that_freezes_in_a_call_is_killed_and_replaced_within_five_seconds() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet, slots=1) as pool:
        lease = await leased(pool, "s1")
        await asyncio.sleep(2.05)  # just after it was looked at
        fleet.frozen = {lease.actor}
        await asyncio.sleep(5.0)
        assert lease.actor in fleet.stopped
        await leased(pool, "s2")


@virtual
async def test_one_that_freezes_while_another_answer_is_awaited_is_found_as_soon() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet) as pool:
        fleet.frozen = {"a1"}
        await asyncio.sleep(2.2)
        fleet.frozen = {"a1", "a2"}
        await asyncio.sleep(5.0)
        assert {"a1", "a2"} <= set(fleet.stopped)
        assert (await pool.stats()).idle == 2


@virtual
async def test_actors_that_the_pool_before_was_starting_when_it_died_are_found_later() -> None:
    fleet = Fleet(old={"late"})
    async with an_open_pool(fleet, slots=1) as pool:
        fleet.calls["late"] = None
        await asyncio.sleep(6.0)
        assert "late" in fleet.stopped
        assert (await pool.stats()).idle == 1


@virtual
async def test_on_a_starved_machine_nobody_is_killed() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet) as pool:
        await leased(pool, "s1")
        fleet.frozen = set(fleet.calls)
        for _ in range(30):  # the pool itself gets to run every other second
            await asyncio.sleep(0.0)
            jump(2.0)
            await asyncio.sleep(0.05)
        assert fleet.stopped == []
        fleet.frozen = set()
        await asyncio.sleep(6.0)
        assert (await pool.stats()).leased == 1


@virtual
async def test_an_actor_whose_connection_broke_is_lent_again_once_it_has_let_go() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet, slots=1) as pool:
        lease = await leased(pool, "s1")
        await pool.lost(lease.actor, "s1")
        await asyncio.sleep(0.1)
        assert (fleet.stopped, (await leased(pool, "s1")).actor) == ([], "a1")


@virtual
async def test_the_call_of_a_broken_connection_goes_on_at_another_actor_at_once() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet) as pool:
        lease = await leased(pool, "s1")
        fleet.dead = {lease.actor}
        await pool.lost(lease.actor, "s1")
        assert (await leased(pool, "s1")).actor != lease.actor
        await asyncio.sleep(0.1)
        assert lease.actor in fleet.stopped
        assert (await pool.stats()).size == 2


@virtual
async def test_one_that_clings_to_a_call_that_went_on_elsewhere_is_killed() -> None:
    for trouble in ("clinging", "frozen"):
        fleet = Fleet()
        async with an_open_pool(fleet) as pool:
            lease = await leased(pool, "s1")
            setattr(fleet, trouble, {lease.actor})
            await pool.lost(lease.actor, "s1")
            await asyncio.sleep(2.1)
            assert fleet.stopped == [lease.actor]


@virtual
async def test_a_loss_reported_late_does_not_touch_the_next_call() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet, slots=1) as pool:
        lease = await leased(pool, "s1")
        await pool.release(lease.actor, "s1")
        await asyncio.sleep(0.1)
        await leased(pool, "s2")
        await pool.lost(lease.actor, "s1")
        await asyncio.sleep(3.0)
        assert fleet.calls == {"a1": "s2"}


# --- the pool itself --------------------------------------------------------------------------------------
@virtual
async def test_a_restarted_pool_finds_its_actors_and_their_calls() -> None:
    fleet = Fleet(calls={"b1": "s1", "b2": None})
    async with an_open_pool(fleet) as pool:
        assert fleet.made == 0
        assert (await leased(pool, "s2")).actor == "b2"
        assert await refused(pool, "s3") == FULL


@virtual
async def test_it_is_at_work_again_before_anybody_asks_it_for_an_actor() -> None:
    fleet = Fleet()
    pool = CallPool(fleet, Rules(2, 2))
    assert (await pool.stats()).size == 0
    await asyncio.sleep(0.1)
    assert (await pool.stats()).idle == 2
    await pool.close()


@virtual
async def test_an_actor_whose_start_was_cut_short_is_not_taken_in() -> None:
    fleet = Fleet(calls={"b1": None}, shut={"b1"})
    async with an_open_pool(fleet, slots=1) as pool:
        assert (await leased(pool, "s1")).actor == "a1"
        assert fleet.stopped == ["b1"]


@virtual
async def test_a_silent_one_is_taken_in_and_judged_later() -> None:
    fleet = Fleet(calls={"b1": "s1", "b2": None}, frozen={"b1", "b2"})
    pool = CallPool(fleet, Rules(3, 1))
    await pool.open()
    assert fleet.stopped == []
    fleet.frozen = {"b1"}
    await asyncio.sleep(5.0)
    assert fleet.stopped == ["b1"]
    assert (await pool.stats()).idle == 2  # and the other one serves
    await pool.close()


@virtual
async def test_actors_of_another_revision_end_with_their_calls() -> None:
    fleet = Fleet(calls={"old1": "s1", "old2": None}, old={"old1", "old2"})
    async with an_open_pool(fleet, slots=2) as pool:
        assert fleet.calls == {"old1": "s1", "a1": None}
        assert (await leased(pool, "s2")).actor == "a1"
        assert isinstance(await pool.lease("s3"), Refusal)
        fleet.calls["old1"] = None
        await asyncio.sleep(3.0)
        assert fleet.calls == {"a1": "s2", "a2": None}


@virtual
async def test_a_pool_that_cannot_see_its_actors_asks_again() -> None:
    class Blind(Fleet):
        asked = 0

        async def existing(self) -> list[str]:
            self.asked += 1
            if self.asked == 1:
                raise TimeoutError
            return await super().existing()

    pool = CallPool(Blind(), Rules(1, 1))
    await asyncio.gather(pool.open(), return_exceptions=True)
    await leased(pool, "s1")
    await pool.close()
