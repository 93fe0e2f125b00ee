"""The journal while the database is away: order, repetition, limits. Time is virtual, the log a list."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, ExecutionTimeout, OperationFailure, ServerSelectionTimeoutError, WTimeoutError

from actors.billing.rating import Prices, hold_step, rate
from actors.call_session.commands import Finish, SaveProgress, SaveTurn, SaveUsage, TellPartial
from actors.call_session.journal import FINISH_S, LONGEST_PAUSE_S, Journal
from models.call import Call, CallStatus, FunctionCall, Lease, Progress, Turn, TurnTimings, Usage
from models.document import new_id
from models.errors import Conflict, CreditUnavailable
from models.metrics import Metric
from models.settings import Settings
from services import meters
from services.call_log import CallLog
from tests.documents import NOW, a_call, a_turn

PRICES = Prices.of(Settings(_env_file=None))
STEP = hold_step(PRICES)
DEAR = Usage(tts_chars=100 * STEP)
"""Beyond any hold."""
END = Finish(CallStatus.COMPLETED, "caller")
AWAY = AutoReconnect("gone")


class Log(CallLog):
    """Keeps what is written; as long as there are `faults`, each attempt fails with the next of them."""

    def __init__(self, faults: list[Exception]) -> None:
        self.faults = faults
        self.attempts = 0
        self.written: list[Any] = []
        self.has_ledger = True
        self.asked = 0

    async def record_turn(self, call: Call, turn: Turn, *rest: Any) -> None:
        await self._answer(turn)

    async def save_progress(self, call: Call, progress: Progress, now: datetime) -> None:
        await self._answer(progress)

    async def save_usage(self, call: Call, usage: Usage, *rest: Any) -> None:
        await self._answer(usage)

    async def tell_partial(self, call: Call, text: str, revision: int, now: datetime) -> None:
        self.written.append(text)

    async def cover(self, call: Call, total_micros: int, now: datetime) -> bool:
        self.asked += 1
        if not self.has_ledger:
            raise CreditUnavailable("The ledger is away")
        return True

    async def finish(self, call: Call, **closing: Any) -> None:
        await self._answer(closing["reason"])

    async def _answer(self, entry: Any) -> None:
        self.attempts += 1
        await asyncio.sleep(0)
        if self.faults:
            raise self.faults.pop(0)
        self.written.append(entry)


class World:
    """A journal, its log, and time."""

    def __init__(self, *faults: Exception, buffer: int = 10, call: Call | None = None) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.usage = Usage()
        self.ends: list[str] = []
        self.during_pause: Callable[[], None] = lambda: None
        self.log = Log(list(faults))
        self.journal = Journal(
            call or a_call(new_id(), lease=Lease(actor="a", leased_at=NOW)),
            self.log,
            prices=PRICES,
            usage=lambda: self.usage,
            recording_path=Path("nowhere"),
            on_empty_account=lambda: self.ends.append("empty"),
            on_stuck=lambda: self.ends.append("stuck"),
            buffer=buffer,
            clock=lambda: self.now,
            pause=self._pause,
        )

    def say(self, *texts: str, role: str = "user") -> None:
        for text in texts:
            self.journal.add(SaveTurn(role, text, interrupted=False, timings=TurnTimings()))

    async def end(self) -> list[Any]:
        """The call is over; what is written, turns by their index and text."""
        self.journal.add(END)
        await self.journal.run()
        return [(each.index, each.content) if isinstance(each, Turn) else each for each in self.log.written]

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        self.during_pause()
        await asyncio.sleep(0)


class Counted:
    """The numbers of this process."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float]] = []

    def record(self, metric: Metric, value: float, tags: Any) -> None:
        self.seen.append((metric.name, value))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    sink = Counted()
    monkeypatch.setattr(meters, "_sink", sink)
    return sink


@pytest.mark.parametrize(
    "fault",
    [AWAY, ServerSelectionTimeoutError("none"), ExecutionTimeout("late", 50), WTimeoutError("late", 64)],
    ids=lambda fault: type(fault).__name__,
)
async def test_what_cannot_be_written_is_written_later_in_order(fault: Exception) -> None:
    world = World(*[fault] * 8)
    world.say("one", "two")
    assert await world.end() == [(0, "one"), (1, "two"), "caller"]
    assert world.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, *[LONGEST_PAUSE_S] * 3]
    assert world.ends == []


async def test_repetitions_and_what_waits_are_counted(counted: Counted) -> None:
    world = World(AWAY, AWAY)
    world.say("one", "two")
    await world.end()
    assert sum(value for name, value in counted.seen if name == "log_retries_total") == 2
    behind = [value for name, value in counted.seen if name == "log_behind"]
    assert (max(behind), behind[-1]) == (3, 0)


async def test_a_bug_of_ours_is_not_repeated() -> None:
    world = World(OperationFailure("$no such operator"))
    world.say("one")
    with pytest.raises(OperationFailure):
        await world.end()
    assert world.log.attempts == 1


async def test_partial_texts_are_not_told_late_and_usage_is_written_once() -> None:
    world = World(*[AWAY] * 5)
    world.say("one")
    world.journal.add(TellPartial("tw", 1))

    def go_on() -> None:
        world.usage = Usage(stt_ms=world.usage.stt_ms + 1)
        world.journal.add(TellPartial("two", 2))
        world.journal.add(SaveUsage())

    world.during_pause = go_on
    running = asyncio.create_task(world.journal.run())
    while len(world.log.written) < 2:  # noqa: ASYNC110 - the log is a list
        await asyncio.sleep(0)
    world.journal.add(END)
    await running
    assert world.log.written[1:] == [Usage(stt_ms=5), "caller"]


async def test_a_full_buffer_ends_the_call_and_keeps_its_end() -> None:
    world = World(*[AWAY] * 4, buffer=10)
    spoken = [str(index) for index in range(10)]
    world.say(*spoken)
    assert world.ends == ["stuck"]
    world.say("We have to end this call.", role="assistant")
    assert world.ends == ["stuck"]
    written = await world.end()
    assert written == [*enumerate(spoken), (10, "We have to end this call."), "caller"]


async def test_after_the_end_a_database_that_stays_away_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    world = World(*[AWAY] * 10_000)
    world.say("one", "two")
    with caplog.at_level(logging.ERROR):
        assert await world.end() == []
    assert FINISH_S <= world.now < FINISH_S + 2 * LONGEST_PAUSE_S
    (record,) = caplog.records
    assert (record.message, record.__dict__["entries"]) == ("a call's log is given up", 3)
    assert not world.journal.is_behind


async def test_a_live_call_is_never_given_up() -> None:
    world = World(*[AWAY] * 1_000)
    world.say("one")
    running = asyncio.create_task(world.journal.run())
    while not world.log.written:  # noqa: ASYNC110 - the log is a list
        await asyncio.sleep(0)
    assert world.now > FINISH_S
    world.journal.add(END)
    await running
    assert world.ends == []


async def test_an_actor_that_lost_its_call_writes_no_more(caplog: pytest.LogCaptureFixture) -> None:
    world = World(Conflict("Call is carried by another actor"))
    world.say("one", "two")
    with caplog.at_level(logging.WARNING):
        assert await world.end() == []
    assert [record.message for record in caplog.records] == ["another actor has the call"]
    world.say("three")
    await world.journal.run()
    assert (world.log.written, world.log.attempts) == ([], 1)


async def test_it_is_behind_while_a_turn_of_the_caller_waits() -> None:
    world = World(AWAY, AWAY)
    world.say("Hello!", role="assistant")
    assert not world.journal.is_behind
    world.say("Hello?")
    assert world.journal.is_behind
    seen: list[bool] = []
    world.during_pause = lambda: seen.append(world.journal.is_behind)
    await world.end()
    assert seen == [True, True]
    assert not world.journal.is_behind


async def test_a_hold_used_up_while_nobody_can_be_asked_ends_the_call_as_stuck() -> None:
    world = World(AWAY)
    world.say("one")
    world.usage = DEAR
    running = asyncio.create_task(world.journal.run())
    while not world.log.written:  # noqa: ASYNC110 - the log is a list
        await asyncio.sleep(0)
    world.journal.add(END)
    await running
    assert world.ends == ["stuck"]


@pytest.mark.parametrize(("usage", "ends"), [(DEAR, ["stuck"]), (Usage(tts_chars=2_000), [])])
async def test_a_ledger_that_is_away_has_until_the_hold_is_used_up(usage: Usage, ends: list[str]) -> None:
    world = World()
    world.log.has_ledger = False
    world.usage = usage
    world.journal.add(SaveUsage())
    running = asyncio.create_task(world.journal.run())
    while not world.log.written:  # noqa: ASYNC110 - the log is a list
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    world.journal.add(SaveUsage())
    world.journal.add(END)
    await running
    assert (world.ends, world.log.asked) == (ends, 1)


async def test_a_call_taken_up_again_goes_on_where_its_log_ends() -> None:
    used = Usage(tts_chars=100 * STEP)
    stored = a_call(new_id(), turns=[a_turn(0), a_turn(1)], usage=used, cost=rate(used, PRICES))
    world = World(AWAY, call=stored)
    world.usage = used
    world.say("three")
    assert await world.end() == [(2, "three"), "caller"]
    assert world.ends == []


async def test_progress_and_functions_are_written_as_they_were_when_they_happened() -> None:
    world = World(AWAY)
    called = (FunctionCall(id="1", name="book", arguments="{}", result=None),)
    world.journal.add(SaveProgress("Yes.", "I book it.", 0.5, 1.25, called))
    world.journal.add(SaveTurn("assistant", "Yes.", interrupted=True, timings=TurnTimings(), functions=called))
    await world.end()
    progress, turn, _ = world.log.written
    assert (progress.text, progress.clause, progress.clause_ms) == ("Yes.", "I book it.", 1250)
    assert timedelta(seconds=0.4) < progress.clause_at - turn.timestamp <= timedelta(seconds=0.5)
    assert (progress.functions, turn.functions) == (called, called)


async def test_an_entry_that_waited_does_not_pay_for_the_wait() -> None:
    world = World(AWAY)
    world.usage = Usage(telephony_ms=1_000)
    world.journal.add(SaveUsage())
    world.usage = Usage(telephony_ms=60_000)
    await world.end()
    assert world.log.written[0] == Usage(telephony_ms=1_000)
