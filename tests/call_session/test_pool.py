"""The pool against a fleet that lives in this process, on a virtual clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actors.call_session.pool import TAKEN, CallPool, Lease, Refusal
from actors.call_session.pool_policy import DRAINING, FULL, SPEECH_TO_TEXT, STARTING, Rules
from models.errors import NoCapacity
from tests.call_session.fleet import Fleet
from tests.virtual_time import virtual


@asynccontextmanager
async def an_open_pool(fleet: Fleet, slots: int = 2, idle_min: int | None = None) -> AsyncIterator[CallPool]:
    pool = CallPool(fleet, Rules(slots, slots if idle_min is None else idle_min, max_calls=3, max_rss_bytes=1000))
    await pool.open()
    yield pool
    await pool.close()


async def leased(pool: CallPool, session_id: str) -> Lease:
    lease = await pool.lease(session_id)
    assert isinstance(lease, Lease)
    return lease


async def refused(pool: CallPool, session_id: str) -> str:
    refusal = await pool.lease(session_id)
    assert isinstance(refusal, Refusal)
    return refusal.reason


# --- warm ahead -------------------------------------------------------------------------------------------
@virtual
async def test_opening_waits_until_enough_actors_are_warm() -> None:
    async with an_open_pool(Fleet(start_s=2.0), slots=10, idle_min=3) as pool:
        stats = await pool.stats()
        assert (stats.size, stats.idle, stats.slots, stats.target) == (3, 3, 10, 3)
        assert asyncio.get_running_loop().time() == pytest.approx(4.0)  # two at a time


@virtual
async def test_opening_says_why_actors_do_not_start() -> None:
    pool = CallPool(Fleet(refuse="ImportError: no such voice"), Rules(2, 2))
    with pytest.raises(NoCapacity, match="no such voice"):
        await pool.open()
    await pool.close()


@virtual
async def test_what_did_not_start_is_tried_again() -> None:
    fleet = Fleet(refuse="busy")
    pool = CallPool(fleet, Rules(1, 1))
    with pytest.raises(NoCapacity):
        await pool.open()
    fleet.refuse = None
    await asyncio.sleep(3.0)
    assert (await pool.stats()).idle == 1
    await pool.close()


@virtual
async def test_a_leased_actor_is_made_up_for_before_the_next_call() -> None:
    fleet = Fleet(start_s=2.0)
    async with an_open_pool(fleet, slots=5, idle_min=1) as pool:
        await leased(pool, "s1")
        assert await refused(pool, "s2") == STARTING
        await asyncio.sleep(2.1)
        await leased(pool, "s2")


# --- leases -----------------------------------------------------------------------------------------------
@virtual
async def test_a_lease_names_the_actor_that_expects_the_call() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet) as pool:
        lease = await leased(pool, "s1")
        assert fleet.calls[lease.actor] == "s1"
        assert lease.endpoint.token == f"token of {lease.actor}"


@virtual
async def test_a_full_pool_lends_nothing_and_starts_nobody() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet, slots=1) as pool:
        await leased(pool, "s1")
        assert await refused(pool, "s2") == FULL
        assert fleet.made == 1


@virtual
async def test_asked_again_before_the_connection_came_it_lends_the_same_actor() -> None:
    async with an_open_pool(Fleet()) as pool:
        assert (await leased(pool, "s1")).actor == (await leased(pool, "s1")).actor


@virtual
async def test_a_second_socket_of_a_call_does_not_get_the_actor_of_the_first() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet) as pool:
        assert isinstance(await pool.lease("s1", "first"), Lease)
        assert await pool.lease("s1", "second") == Refusal(TAKEN)
        assert isinstance(await pool.lease("s1", "first"), Lease)


@virtual
async def test_a_call_that_is_connected_gets_no_second_actor() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet) as pool:
        fleet.shut = {(await leased(pool, "s1")).actor}
        assert await refused(pool, "s1") == TAKEN


@virtual
async def test_a_released_actor_is_lent_again_once_its_call_is_over() -> None:
    async with an_open_pool(Fleet(), slots=1) as pool:
        lease = await leased(pool, "s1")
        await pool.release(lease.actor, "s1")
        await asyncio.sleep(0.1)
        await leased(pool, "s2")


@virtual
async def test_a_released_actor_still_writing_its_log_is_not_lent() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet, slots=1) as pool:
        lease = await leased(pool, "s1")
        fleet.clinging = {lease.actor}
        await pool.release(lease.actor, "s1")
        await asyncio.sleep(1.0)
        assert await refused(pool, "s2") == FULL


@virtual
async def test_an_actor_retires_after_its_last_call_and_is_replaced() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet, slots=1) as pool:
        for n in range(3):
            lease = await leased(pool, f"s{n}")
            await pool.release(lease.actor, f"s{n}")
            await asyncio.sleep(0.1)
        assert fleet.stopped == ["a1"]
        assert (await leased(pool, "s3")).actor == "a2"


@virtual
async def test_an_actor_that_has_grown_retires_even_if_nobody_released_it() -> None:
    fleet = Fleet(rss_bytes=2000)
    async with an_open_pool(fleet, slots=1) as pool:
        fleet.calls[(await leased(pool, "s1")).actor] = None
        await asyncio.sleep(3.0)
        assert (fleet.stopped, list(fleet.calls)) == (["a1"], ["a2"])


@virtual
async def test_an_actor_that_turns_out_busy_is_left_with_its_call() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet, slots=1) as pool:
        fleet.calls["a1"] = "somebody"
        assert await refused(pool, "s1") == FULL
        await asyncio.sleep(3.0)
        assert fleet.calls == {"a1": "somebody"}


# --- reservations -----------------------------------------------------------------------------------------
@virtual
async def test_a_phone_that_rings_has_its_actor_whoever_else_calls() -> None:
    async with an_open_pool(Fleet(), slots=1) as pool:
        assert await pool.reserve("s1", 45.0) is None
        assert await refused(pool, "s2") == FULL
        await leased(pool, "s1")


@virtual
async def test_a_phone_that_rings_too_long_loses_its_actor() -> None:
    async with an_open_pool(Fleet(), slots=1) as pool:
        await pool.reserve("s1", 45.0)
        await asyncio.sleep(46.0)
        assert (await pool.stats()).reserved == 0
        await leased(pool, "s2")


@virtual
async def test_a_call_not_yet_dialled_may_wait_for_an_actor_that_starts() -> None:
    fleet = Fleet(start_s=2.0)
    async with an_open_pool(fleet, slots=2, idle_min=1) as pool:
        await leased(pool, "s1")
        refusal = await pool.reserve("s2", 45.0)
        assert refusal is not None
        assert refusal.reason == STARTING
        assert await pool.reserve("s2", 45.0, 3.0) is None


@virtual
async def test_nor_does_it_wait_longer_than_it_may() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet, slots=2, idle_min=1) as pool:
        fleet.start_s = 60.0
        await leased(pool, "s1")
        began = asyncio.get_running_loop().time()
        assert (await pool.reserve("s2", 45.0, 3.0)) == Refusal(STARTING, 1)
        assert asyncio.get_running_loop().time() - began == pytest.approx(3.0)


@virtual
async def test_a_cancelled_reservation_serves_whoever_waits() -> None:
    async with an_open_pool(Fleet(), slots=1) as pool:
        await pool.reserve("s1", 45.0)
        await pool.cancel("s1")
        assert await pool.reserve("s2", 45.0) is None


@virtual
async def test_while_speech_to_text_is_overloaded_no_further_phone_is_answered() -> None:
    async with an_open_pool(Fleet()) as pool:
        await pool.reserve("s1", 45.0)
        await pool.admit(False)
        refusal = await pool.reserve("s2", 45.0)
        assert refusal is not None
        assert refusal.reason == SPEECH_TO_TEXT
        await leased(pool, "s1")


# --- drain ------------------------------------------------------------------------------------------------
@virtual
async def test_a_draining_pool_shrinks_to_nothing_as_its_calls_end() -> None:
    fleet = Fleet(start_s=2.0)
    async with an_open_pool(fleet, slots=4, idle_min=3) as pool:
        lease = await leased(pool, "s1")
        await pool.drain()
        assert await refused(pool, "s2") == DRAINING
        await asyncio.sleep(3.0)
        stats = await pool.stats()
        assert (stats.size, stats.leased, stats.is_draining) == (1, 1, True)
        await pool.release(lease.actor, "s1")
        await asyncio.sleep(5.0)
        assert ((await pool.stats()).size, fleet.calls) == (0, {})


@virtual
async def test_a_phone_that_rang_before_the_drain_is_answered() -> None:
    fleet = Fleet()
    async with an_open_pool(fleet, slots=3) as pool:
        await pool.reserve("rings", 45.0)
        await pool.reserve("gives up", 45.0)
        await pool.drain()
        await leased(pool, "rings")
        await pool.cancel("gives up")
        await asyncio.sleep(0.1)
        assert list(fleet.calls.values()) == ["rings"]
