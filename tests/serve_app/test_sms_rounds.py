"""The background work of a replica for text messages, on a virtual clock."""

import asyncio
from datetime import datetime

from serve_app.rounds import AGAIN_S
from serve_app.sms_rounds import GIVE_UP_S, LOOK_S, TELL_S, SmsRounds
from tests.documents import NOW
from tests.virtual_time import virtual


class Work:
    """Plays the runner and the events; counts what it is asked, and fails where told to."""

    def __init__(self, failures: int = 0) -> None:
        self.asked: list[str] = []
        self.failures = failures

    async def fill(self) -> int:
        self.asked.append("fill")
        if self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        return 0

    async def landed(self, within_s: float) -> None:
        await asyncio.sleep(within_s)

    async def give_up_unanswered(self) -> int:
        self.asked.append("give up")
        return 0

    async def aclose(self) -> None:
        self.asked.append("aclose")

    async def sweep_messages(self, now: datetime) -> int:
        self.asked.append("tell")
        return 0


def rounds(work: Work) -> SmsRounds:
    return SmsRounds(work, work, lambda: NOW)


@virtual
async def test_it_sends_tells_and_gives_up_and_lets_go_at_the_end() -> None:
    work = Work()
    async with rounds(work).running():
        await asyncio.sleep(2 * GIVE_UP_S - 0.1)
    assert work.asked.count("fill") == round(2 * GIVE_UP_S / LOOK_S)
    assert work.asked.count("tell") == round(2 * GIVE_UP_S / TELL_S)
    assert work.asked.count("give up") == 2
    assert work.asked[-1] == "aclose"


@virtual
async def test_a_round_that_broke_off_is_followed_by_another() -> None:
    work = Work(failures=2)
    async with rounds(work).running():
        await asyncio.sleep(2 * AGAIN_S + LOOK_S / 2)
    assert (work.asked.count("fill"), work.failures) == (3, 0)
