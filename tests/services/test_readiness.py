"""Whether a process is ready: what its parts say, asked together, at most once a second."""

import asyncio
from dataclasses import dataclass

import pytest

from models.settings import Settings
from services.readiness import ANSWER_S, KEEP_S, Readiness, Report
from stores.mongo import connect, database
from stores.pulse import ask_mongodb, ask_redis


@dataclass
class Part:
    """Something that answers, fails, or says nothing."""

    problem: Exception | None = None
    is_silent: bool = False
    asked: int = 0

    async def __call__(self) -> None:
        """One question."""
        self.asked += 1
        if self.is_silent:
            await asyncio.Event().wait()
        if self.problem is not None:
            raise self.problem


@dataclass
class Clock:
    """Seconds that pass when told to."""

    now: float = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.now


async def test_ready_is_when_every_part_answers() -> None:
    assert (await Readiness({"mongodb": Part(), "redis": Part()}).report()).is_ready
    report = await Readiness({"mongodb": Part(OSError("db:27017 refused")), "redis": Part()}).report()
    assert report == Report({"mongodb": "failing", "redis": "ok"})
    assert not report.is_ready


async def test_a_part_that_is_not_needed_is_told_and_nothing_more() -> None:
    parts = {"mongodb": Part(), "redis": Part(OSError("refused"))}
    report = await Readiness(parts, spared=frozenset({"redis"})).report()
    assert (report.is_ready, report.checks["redis"]) == (True, "failing")


async def test_a_silent_part_keeps_nobody_waiting_and_the_others_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.readiness.ANSWER_S", 0.01)
    parts = {"mongodb": Part(is_silent=True), "redis": Part(is_silent=True), "calls": Part()}
    async with asyncio.timeout(ANSWER_S):
        report = await Readiness(parts).report()
    assert report.checks == {"mongodb": "silent", "redis": "silent", "calls": "ok"}


async def test_however_many_ask_the_parts_are_asked_once_a_second() -> None:
    part, clock = Part(), Clock()
    readiness = Readiness({"mongodb": part}, clock)
    await asyncio.gather(*(readiness.report() for _ in range(50)))
    clock.now = KEEP_S - 0.01
    await readiness.report()
    assert part.asked == 1
    clock.now, part.problem = KEEP_S, OSError()
    assert not (await readiness.report()).is_ready
    assert part.asked == 2


async def test_who_leaves_does_not_take_the_answer_away_from_the_others() -> None:
    readiness = Readiness({"mongodb": Part()})
    leaving, staying = (asyncio.create_task(readiness.report()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).is_ready


async def test_a_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    part, clock = Part(OSError("db:27017 refused")), Clock()
    readiness = Readiness({"mongodb": part}, clock)
    for second in range(5):
        clock.now = float(second)
        part.problem = part.problem if second < 3 else None
        await readiness.report()
    assert [record.message for record in caplog.records] == ["what this process stands on has changed"] * 2
    assert "27017" not in caplog.text


@pytest.mark.integration
async def test_the_real_parts_answer_and_are_missed(settings: Settings) -> None:
    async with connect(settings) as client:
        await ask_mongodb(database(client, settings))
    await ask_redis(settings.redis_url or "")
    nowhere = settings.model_copy(update={"mongodb_url": "mongodb://127.0.0.1:1"})
    async with connect(nowhere) as client:
        checks = {
            "mongodb": lambda: ask_mongodb(database(client, nowhere)),
            "redis": lambda: ask_redis("redis://127.0.0.1:1"),
        }
        async with asyncio.timeout(2 * ANSWER_S):
            report = await Readiness(checks).report()
    assert report.checks == {"mongodb": "silent", "redis": "failing"}
