"""Campaigns drawn at random: the same number draws the same campaign."""

import random
from datetime import UTC, date, datetime, time, timedelta

from models.campaign import WEEKDAYS, Breaker, CampaignRules, Outcome, Pacing, Retries, Retry, Window, zone_of
from models.contact import Contact
from models.document import Id, new_id
from tests.campaign.simulation import Scenario

ZONES = (
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/New_York",
    "America/Los_Angeles",
    "America/Havana",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
)
NO_ZONES = (None, "", "Mars/Olympus_Mons", "IST5:30", "../../etc/passwd")
FIRST_DAYS = (
    date(2026, 3, 7),  # clocks go forward in North America on the 8th
    date(2026, 3, 27),  # ... in Europe and Beirut on the 29th
    date(2026, 4, 4),  # back on Lord Howe Island and the Chathams on the 5th
    date(2026, 6, 15),
    date(2026, 10, 24),  # back in Europe on the 25th
    date(2026, 10, 31),  # back in North America on the 1st
    date(2026, 12, 30),
    date(2028, 2, 28),
)
ORGANIZATION, CAMPAIGN = new_id(), new_id()
DAYS = 3


def people(chance: random.Random, how_many: int, now: datetime, *, spread: float = 0.2) -> list[Contact]:
    """Contacts all over the world; of `spread` of them nobody knows where they are or whether they agreed."""
    return [
        Contact.model_construct(
            id=Id(f"{number:024x}"),
            created_at=now,
            updated_at=now,
            organization_id=ORGANIZATION,
            campaign_id=CAMPAIGN,
            number=f"+1555{number:07d}",
            time_zone=chance.choice(ZONES if chance.random() >= spread / 2 else NO_ZONES),
            consent=chance.random() >= spread / 2,
            next_at=now,
        )
        for number in range(how_many)
    ]


def drawn(seed: int, contacts: tuple[int, int] = (10, 50)) -> Scenario:
    """Three days of a campaign with anything in it that can be asked for, and everything that can go wrong."""
    chance = random.Random(seed)
    first = chance.choice(FIRST_DAYS)
    rules = _rules(chance, first)
    zone = zone_of(rules.time_zone)
    begins = datetime.combine(first, time(0), zone).astimezone(UTC) - timedelta(hours=chance.choice([0, 0, 5, 30]))
    everybody = people(chance, chance.randint(*contacts), begins)
    return Scenario(
        seed=seed,
        rules=rules,
        begins=begins,
        contacts=everybody,
        do_not_call=frozenset(each.number for each in everybody if chance.random() < 0.1),
        outcomes={outcome: chance.random() for outcome in Outcome if outcome is not Outcome.NOT_PLACED},
        talk_s=(1.0, chance.choice([30.0, 180.0, 1800.0])),
        not_placed=chance.choice([0.0, 0.0, 0.1, 0.5]),
        unsure=chance.choice([0.0, 0.1, 0.3]),
        crashes=chance.choice([0.0, 0.02, 0.2]),
        pauses=tuple(timedelta(hours=chance.uniform(0, 72)) for _ in range(chance.choice([0, 0, 1, 4]))),
        stops_after=timedelta(hours=chance.uniform(0, 72)) if chance.random() < 0.1 else None,
    )


def _rules(chance: random.Random, first: date) -> CampaignRules:
    return CampaignRules(
        time_zone=chance.choice(ZONES),
        starts_on=first,
        starts_at=_clock(chance) if chance.random() < 0.3 else time(0),
        ends_on=first + timedelta(days=DAYS - 1) if chance.random() < 0.9 else None,
        windows=tuple(a_window(chance) for _ in range(chance.randint(1, 4))),
        holidays=tuple(first + timedelta(days=day) for day in range(-1, 5) if chance.random() < 0.1),
        requires_consent=chance.random() < 0.7,
        pacing=Pacing(
            max_concurrency=chance.choice([1, 2, 3, 8, 50]),
            calls_per_minute=chance.choice([1, 2, 7, 30, 600]),
            batch_size=chance.choice([1, 3, 10, 100]),
            daily_cap=chance.choice([None, None, 3, 10, 40]),
        ),
        retries=_retries(chance),
        breaker=Breaker(
            enabled=chance.random() < 0.7,
            window_s=chance.choice([10, 120, 3600]),
            min_calls=chance.choice([1, 5, 10]),
            failure_share=chance.choice([0.2, 0.5, 1.0]),
        ),
    )


def a_window(chance: random.Random) -> Window:
    """A window at odd times, half of them overnight; one in ten is the whole day."""
    days = tuple(day for day in WEEKDAYS if chance.random() < 0.8) or WEEKDAYS
    opens, closes = _clock(chance), _clock(chance)
    if opens == closes or chance.random() < 0.1:
        opens = closes = time(0)
    return Window(days=days, opens=opens, closes=closes)


def _clock(chance: random.Random) -> time:
    return time(chance.choice([0, 1, 2, 3, 8, 9, 12, 17, 20, 22, 23]), chance.choice([0, 0, 15, 30, 59]))


def _retries(chance: random.Random) -> Retries:
    return Retries(
        max_attempts=chance.randint(1, 6),
        busy=_retry(chance),
        no_answer=_retry(chance),
        failed=_retry(chance),
        machine=_retry(chance),
    )


def _retry(chance: random.Random) -> Retry:
    return Retry(
        max_attempts=chance.randint(1, 5),
        delay_s=chance.choice([30, 300, 3600, 6 * 3600]),
        backoff=chance.choice([1.0, 1.5, 3.0]),
        max_delay_s=chance.choice([60, 3600, 86_400]),
    )
