"""A campaign without phones: files in, decisions out, and several runners at the same contacts.

    python -m bench.campaign [--rows 100000] [--contacts 5000] [--runners 4]

1. Imports of large files, each in a process of its own (`bench.contact_import`; target: 100,000 rows within 10 s).
2. Dial decisions through the whole of a campaign's actor and the real store: claimed, checked, put on record, ended,
   the outcome written. Only the placing is played: every call is over as soon as it is made. Target: 200 a second.
3. The same contacts with several runners: at the store alone, all at once; then as actors, each of which takes the
   campaign from the one before. Nobody may be dialled twice.

`MONGODB_URL` replaces the embedded database.
"""

import argparse
import asyncio
import os
import platform
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time as clock
from pathlib import Path
from typing import Any

from actors.campaign.around import Around
from actors.campaign.runner import CampaignRunner
from bench.contact_files import contact_file
from bench.contact_import import conflict, import_file, imports, mongodb_at, settings_of
from models.agent import AgentConfig, Llm, Voice
from models.call import Call, CallStatus, CampaignCall, SessionId
from models.campaign import WEEKDAYS, Campaign, CampaignRules, CampaignStatus, Pacing, Window
from models.contact import Contact
from models.document import Id, new_id
from models.user import User
from services.principal import Principal
from stores.calls import CallState
from stores.campaigns import Campaigns
from stores.mongo import connect, database
from stores.repositories import Repositories

RULES = CampaignRules(
    windows=(Window(days=WEEKDAYS, opens=clock(0), closes=clock(0)),),
    requires_consent=False,
    pacing=Pacing(max_concurrency=1000, batch_size=500),
)
UNPACED = RULES.model_copy(update={"pacing": RULES.pacing.model_copy(update={"calls_per_minute": 6_000_000})})
"""Faster than any campaign is allowed to be, and so never stored."""
CONFIG = AgentConfig(
    prompt="You are nobody.", voice=Voice(provider="espeak", voice_id="en"), language="en", llm=Llm(model="gpt-4")
)
FROM = "+918047491899"
APART_S = 1.0
"""Between the actors that take the campaign from each other."""


class Phones:
    """Everybody answers, and has said everything at once: `Dialler` and `CallStore`."""

    def __init__(self, made: Call) -> None:
        self.dials: Counter[tuple[Id, int]] = Counter()
        self._made = made
        self._calls: dict[Id, CallState] = {}

    async def place_outbound(
        self,
        principal: Principal,
        *,
        from_phone: str,
        to_phone: str,
        agent_id: str,
        metadata: dict[str, Any],
        now: datetime,
        call_id: Id | None = None,
        variables: Mapping[str, str] | None = None,
        campaign: CampaignCall | None = None,
    ) -> Call:
        """Counts."""
        assert campaign is not None
        assert call_id is not None
        self.dials[campaign.contact_id, campaign.attempt] += 1
        over = CallState(status=CallStatus.COMPLETED, answered_by="human", carrier_call_id=call_id, ended_at=now)
        self._calls[call_id] = over
        return self._made

    async def states(self, call_ids: Iterable[Id]) -> dict[Id, CallState]:
        """All of them are over."""
        return {each: self._calls[each] for each in call_ids if each in self._calls}


class Unhurried(Campaigns):
    """Campaigns that nothing but the store holds up."""

    async def by_id(self, campaign_id: Id) -> Campaign | None:
        """See Campaigns."""
        return _unpaced(await super().by_id(campaign_id))

    async def take(self, campaign_id: Id, runner: str, now: datetime) -> Campaign | None:
        """See Campaigns."""
        return _unpaced(await super().take(campaign_id, runner, now))


class Nobody:
    """Watches no campaign."""

    async def publish_to_campaign(self, campaign_id: Id, event: str, payload: Mapping[str, Any]) -> None:
        """Nothing."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--contacts", type=int, default=5_000, help="to be dialled")
    parser.add_argument("--runners", type=int, default=4)
    parser.add_argument("--claim", type=int, default=20, help="contacts in one claim, of runners at the store alone")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="callboard-") as name, mongodb_at(Path(name)) as url:
        imports(url, Path(name), options.rows, ("csv",))
        for runners in (1, options.runners):
            print("\n" + asyncio.run(dialled(url, options.contacts, runners)))
        campaign_id, path = new_id(), contact_file(Path(name), "csv", options.contacts)
        import_file(url, campaign_id, str(path), "csv")
        asyncio.run(conflict(url, campaign_id, options.runners, options.claim))
    print(f"load average {os.getloadavg()[0]:.1f}")


async def dialled(url: str, count: int, runners: int) -> str:
    """A campaign from its start to its rest, its actors beginning one after the other; what it came to, in words."""
    async with staged(url, count) as (campaign, around, phones):
        began = time.perf_counter()
        actors = []
        for _ in range(runners):
            actors.append(asyncio.create_task(CampaignRunner(campaign.id, around).run()))
            await asyncio.sleep(APART_S if runners > 1 else 0)
        await asyncio.gather(*actors)
        took_s = time.perf_counter() - began
        counts = await around.contacts.counts(campaign.id)
    twice = sum(times > 1 for times in phones.dials.values())
    assert counts.states == {"done": count}
    assert not twice
    rate = f"{count / took_s:.0f} decisions/s" if runners == 1 else f"{runners - 1} times taken over"
    return (
        f"{runners} actors: {count} contacts dialled in {took_s:.1f} s, {rate}\n"
        f"  dialled twice {twice}, never {count - len({contact for contact, _ in phones.dials})}, "
        f"attempts {dict(counts.outcomes)}"
    )


@asynccontextmanager
async def staged(url: str, count: int) -> AsyncIterator[tuple[Campaign, Around, Phones]]:
    """A campaign of so many contacts that has just been started, in the store."""
    settings, now = settings_of(url), datetime.now(UTC)
    dates: dict[str, Any] = {"created_at": now, "updated_at": now, "organization_id": new_id()}
    user = User(**dates, email=f"{new_id()}@example.com", password_hash="x")
    campaign = Campaign(
        **dates,
        user_id=user.id,
        name="Bench",
        status=CampaignStatus.SCHEDULED,
        agent_id=new_id(),
        from_phone=FROM,
        rules=RULES,
        needs_runner=True,
    )
    people = [
        Contact(**dates, campaign_id=campaign.id, number=f"+9198{n:08d}", time_zone="Asia/Kolkata", next_at=now, line=n)
        for n in range(1, count + 1)
    ]
    async with connect(settings) as client:
        stores = Repositories.over(database(client, settings))
        await stores.users.insert(user)
        await stores.campaigns.insert(campaign)
        for start in range(0, count, 1000):
            await stores.contacts.insert_batch(people[start : start + 1000])
        phones = Phones(_call(dates))
        around = Around(
            campaigns=Unhurried(database(client, settings)),
            contacts=stores.contacts,
            calls=phones,
            users=stores.users,
            lists=stores.dnc,
            dialler=phones,
            audience=Nobody(),
            now=lambda: datetime.now(UTC),
        )
        yield campaign, around, phones


def _unpaced(campaign: Campaign | None) -> Campaign | None:
    return None if campaign is None else campaign.model_copy(update={"rules": UNPACED})


def _call(dates: Mapping[str, Any]) -> Call:
    return Call(
        **dates,
        user_id=new_id(),
        session_id=SessionId("sess_bench"),
        agent_id=new_id(),
        agent_name="Bench",
        agent_config=CONFIG,
        phone_id=new_id(),
        direction="outbound",
        from_phone=FROM,
        to_phone=FROM,
    )


if __name__ == "__main__":
    main()
