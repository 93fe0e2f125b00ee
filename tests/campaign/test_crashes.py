"""A campaign whose actors die and freeze at any step, over a store and a carrier that fail at any step.

Whatever happens, nobody is dialled twice for an attempt, nobody has two calls at once, no more are called at once than
allowed, everybody comes to an end, and what is recorded is what the carrier saw.
"""

import os
import random

import pytest

from models.campaign import Outcome
from tests.campaign.phones import Luck
from tests.campaign.process import Process, Weather
from tests.campaign.stage import Stage
from tests.virtual_time import virtual

SEEDS = int(os.environ.get("CAMPAIGN_CRASHES", "60"))
FAST = 12
"""So many are played with the fast tests, the others where seconds count less."""
MIXED = {
    Outcome.ANSWERED: 5.0,
    Outcome.BUSY: 2.0,
    Outcome.NO_ANSWER: 2.0,
    Outcome.MACHINE: 1.0,
    Outcome.FAILED: 1.0,
}


class Reaper:
    """Kills and freezes processes at their steps; a frozen one is thawed at some later step of another."""

    def __init__(self, draw: random.Random, kills: float, freezes: float, most: int = 12) -> None:
        self._random = draw
        self._kills = kills
        self._freezes = freezes
        self._left = most
        self._frozen: list[Process] = []

    def strike(self, process: Process) -> None:
        """A step of a process."""
        if self._frozen and self._random.random() < 0.01:
            self._frozen.pop().thaw()
        chance = self._random.random()
        if self._left <= 0 or chance >= self._kills + self._freezes:
            return
        self._left -= 1
        if chance < self._kills:
            process.kill()
        else:
            process.freeze()
            self._frozen.append(process)


@pytest.mark.parametrize(
    "seed", [*range(FAST), *(pytest.param(seed, marks=pytest.mark.integration) for seed in range(FAST, SEEDS))]
)
def test_nobody_is_dialled_twice_and_nobody_is_lost(seed: int) -> None:
    draw = random.Random(seed)
    luck = Luck(
        no_room=draw.choice([0.0, 0.1]),
        refused=draw.choice([0.0, 0.1]),
        lost=draw.choice([0.0, 0.1]),
        slow=draw.choice([0.0, 0.05]),
        outcomes=MIXED,
    )
    weather = Weather(fails=draw.choice([0.0, 0.02, 0.1]), longest_s=draw.choice([0.001, 0.05, 1.0]))
    kills, freezes = draw.choice([0.0, 0.01, 0.05]), draw.choice([0.0, 0.01])

    @virtual
    async def play() -> None:
        stage = Stage(seed, luck=luck, weather=weather, strike=Reaper(draw, kills, freezes).strike)
        try:
            await stage.look_after()
        finally:
            await stage.close()
        stage.check()

    play()
