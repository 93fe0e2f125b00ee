"""Campaigns on a virtual clock, watched at every step by a referee who knows their rules in other words.

    python -m bench.campaign_rules [--campaigns 1000] [--contacts 10000]

First campaigns drawn at random, of 10 to 50 contacts and three days each: windows, holidays, time zones whose clocks
change, retries, pauses, a carrier that fails, an actor that dies over what it is doing. Then one with many contacts all
over the world. Whatever breaks a rule ends the run and names the number that draws that campaign. Needs no product.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time as clock

from bench.table import Column, Table
from models.campaign import WEEKDAYS, Breaker, CampaignRules, Outcome, Pacing, Refusal, Window
from tests.campaign.scenarios import drawn, people
from tests.campaign.simulation import Scenario, World, played

FIRST_DAY = date(2026, 3, 6)  # a Friday; on the Sunday clocks go forward in North America
OUTCOMES = {
    Outcome.ANSWERED: 0.45,
    Outcome.NO_ANSWER: 0.25,
    Outcome.MACHINE: 0.15,
    Outcome.BUSY: 0.1,
    Outcome.FAILED: 0.05,
}
RULES = CampaignRules(
    time_zone="America/New_York",
    starts_on=FIRST_DAY,
    ends_on=date(2026, 3, 8),
    windows=(
        Window(days=WEEKDAYS[:5], opens=clock(9), closes=clock(20)),
        Window(days=WEEKDAYS[5:], opens=clock(10), closes=clock(18)),
    ),
    holidays=(date(2026, 3, 7),),
    pacing=Pacing(max_concurrency=60, calls_per_minute=60, batch_size=30, daily_cap=9000),
    breaker=Breaker(failure_share=0.5),
)


def worldwide(contacts: int) -> Scenario:
    """One campaign of three days with everything in it."""
    chance = random.Random(1)
    begins = datetime(2026, 3, 6, 5, tzinfo=UTC)
    everybody = people(chance, contacts, begins, spread=0.05)
    return Scenario(
        seed=1,
        rules=RULES,
        begins=begins,
        contacts=everybody,
        do_not_call=frozenset(each.number for each in everybody if chance.random() < 0.03),
        outcomes=OUTCOMES,
        not_placed=0.001,
        unsure=0.01,
        crashes=0.0002,
    )


def main() -> None:
    """Play them and print how long it took and what became of everybody."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--campaigns", type=int, default=1000)
    parser.add_argument("--contacts", type=int, default=10_000)
    asked = parser.parse_args()
    table = Table(
        [Column("played", 22, is_text=True), *(Column(each, 9) for each in ("contacts", "dials", "refusals", "events")),
         Column("died", 5), Column("seconds", 8), Column("events/s", 9)]
    )  # fmt: skip
    began = time.perf_counter()
    worlds = [played(drawn(seed)) for seed in range(asked.campaigns)]
    table.row(f"{asked.campaigns} campaigns", *_sums(worlds, time.perf_counter() - began))
    began = time.perf_counter()
    big = played(worldwide(asked.contacts))
    table.row("3 days, many contacts", *_sums([big], time.perf_counter() - began))
    _tell_more(big)


def _sums(worlds: Iterable[World], took_s: float) -> tuple[object, ...]:
    each = list(worlds)
    events = sum(world.steps for world in each)
    return (
        sum(len(world.people.all) for world in each),
        sum(len(world.rulebook.dials) for world in each),
        sum(len(world.people.refusals) for world in each),
        events,
        sum(world.life for world in each),
        took_s,
        round(events / took_s),
    )


def _tell_more(world: World) -> None:
    finals = Counter(contact.final for contact in world.people.all)
    reasons: Counter[Refusal] = Counter(reason for _, reason in world.people.refusals)
    print()
    print("ended:   ", ", ".join(f"{final} {count}" for final, count in finals.most_common()))
    print("refused: ", ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()))
    print("dials:   ", ", ".join(f"{day} {count}" for day, count in sorted(world.rulebook.days.items())))
    print("at once: ", world.rulebook.most_at_once, "of", world.rules.pacing.max_concurrency)
    longest = max(len(contact.attempts) for contact in world.people.all)
    print("attempts:", longest, "at most, those never placed included")


if __name__ == "__main__":
    main()
