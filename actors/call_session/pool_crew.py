"""The call actors of a pool as they live: started ahead of demand, looked at, taken back after calls, replaced.

The rules are in `pool_policy.py` and `pool_watch.py`; this file waits, and tells the roster what became of it.
"""

import asyncio
import itertools
import logging
from collections.abc import Coroutine

from actors.call_session.door import Endpoint
from actors.call_session.pool_fleet import ActorLost, Fleet, Health
from actors.call_session.pool_policy import UNKNOWN, Member, Roster, Standing
from actors.call_session.pool_watch import SILENT_S, TICK_S, TURNS, Punctuality, is_its_turn, is_zombie
from models.errors import Conflict
from services import meters

logger = logging.getLogger(__name__)

START_S = 120.0
"""The slowest start of one actor, on a machine busy with many."""
RETRY_S = 2.0
BEGIN_S = 1.0
"""An actor that takes longer to expect a call is left alone and another one asked: a caller waits."""
SETTLE_S = 30.0
"""How long a call may take to write its end after its media is gone; later, only the look around notices."""
LET_GO_S = 1.0
"""How long an actor whose connection broke may hold on to its call, which is to go on elsewhere."""
AGAIN_S = 5.0
"""How often a new pool looks for actors of the one before whose start was under way when that died: Ray names them
late, and nobody else would ever find them."""
PROBE = "probe"
"""A session that does not exist, to see an actor's door open."""


def clock() -> float:
    """The event loop's time, seconds."""
    return asyncio.get_running_loop().time()


class Crew:
    """Does what the roster decides. Single-threaded: state changes only between awaits, through the roster."""

    def __init__(self, fleet: Fleet, roster: Roster) -> None:
        self._fleet = fleet
        self._roster = roster
        self._tasks: set[asyncio.Task[None]] = set()
        self._adoption: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._in_hand: set[str] = set()
        """Members of whom somebody is just about to know more than a look around could say."""
        self._let_go_of: set[str] = set()
        """Stopped; Ray may list them for a moment yet."""
        self._asked: set[str] = set()
        """Members whose answer a look around waits for."""
        self.failure: str | None = None
        """Why the last start did not succeed."""

    async def present(self) -> None:
        """Return once the actors that were there before the pool are in the roster."""
        await asyncio.shield(self.assembling())

    def assembling(self) -> asyncio.Task[None]:
        """Begin to take them in, unless that has been done or is under way."""
        if self._adoption is None or (self._adoption.done() and self._adoption.exception() is not None):
            self._adoption = asyncio.create_task(self._adopt())
        return self._adoption

    async def change(self) -> None:
        """Return when an actor has become free, or could not be started."""
        await self._changed.wait()

    def tell(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    def keep_up(self) -> None:
        """Start and stop as many as the roster says."""
        for name in self._roster.to_stop(clock()):
            self._stop(name)
        for _ in range(self._roster.to_start(clock())):
            name = self._fleet.new_name()
            self._roster.starting(name, clock())
            self._spawn(self._start(name))

    async def begin(self, name: str, session_id: str) -> Endpoint | None:
        """Have an actor expect its call; None: it does not answer, and the roster knows. Raises Conflict."""
        self._in_hand.add(name)
        try:
            async with asyncio.timeout(BEGIN_S):
                return await self._fleet.begin(name, session_id)
        except ActorLost:
            self._lose(name, "dead")
        except TimeoutError:
            self._roster.doubted(name)
        finally:
            self._in_hand.discard(name)
        return None

    def take_back(self, name: str, session_id: str) -> None:
        """The call is over: lend the actor again as soon as it is clean."""
        if self._roster.holds(name, session_id):
            self._spawn(self._settle(name, session_id))

    def take_away(self, name: str, session_id: str) -> None:
        """The call goes on elsewhere: its actor lets go of it at once, or is killed."""
        if self._roster.holds(name, session_id):
            self._roster.doubted(name)
            self._in_hand.add(name)
            self._spawn(self._let_go(name, session_id))

    async def disband(self) -> None:
        """Stop every actor, and what is under way with them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(self._fleet.stop(member.name) for member in self._roster.members))

    # --- taking in and starting -------------------------------------------------------------------------
    async def _adopt(self) -> None:
        names = await self._fleet.existing()
        await asyncio.gather(*(self._take_in(name) for name in names))
        self._spawn(self._look_around())
        self._spawn(self._look_for_late_ones())
        self.keep_up()
        self.tell()

    async def _look_for_late_ones(self) -> None:
        for _ in range(round(START_S / AGAIN_S)):
            await asyncio.sleep(AGAIN_S)
            known = {member.name for member in self._roster.members} | self._let_go_of
            try:
                late = set(await self._fleet.existing()) - known
            except (ActorLost, TimeoutError):
                continue
            await asyncio.gather(*(self._take_in(name) for name in late))

    async def _take_in(self, name: str) -> None:
        try:
            async with asyncio.timeout(SILENT_S):
                health = await self._fleet.health(name)
        except ActorLost:
            return
        except TimeoutError:  # the look around judges it
            self._roster.found(name, session_id=UNKNOWN, is_current=self._fleet.is_current(name))
        else:
            await self._place(name, health)

    async def _place(self, name: str, health: Health) -> None:
        """Enter what an actor of unknown standing says; one without a call has to show that it can have one."""
        is_current = self._fleet.is_current(name)
        if health.session_id is not None:
            self._roster.found(name, session_id=health.session_id, is_current=is_current)
        elif is_current and await self._opens(name):
            self._roster.found(name, session_id=None)
            self.tell()
        else:
            self._roster.lost(name)
            self._stop(name)

    async def _opens(self, name: str) -> bool:
        """Whether the actor can take a call: one whose start was cut short never will."""
        try:
            async with asyncio.timeout(SILENT_S):
                await self._fleet.begin(name, PROBE)
                return (await self._fleet.settle(name, PROBE, 0.0)).session_id is None
        except (ActorLost, Conflict, TimeoutError):
            return False

    async def _start(self, name: str) -> None:
        try:
            async with asyncio.timeout(START_S):
                await self._fleet.start(name)
        except (ActorLost, TimeoutError) as error:
            self.failure = str(error) or "it took too long"
            logger.error("a call actor did not start", extra={"problem": self.failure})
            self.tell()
            await asyncio.sleep(RETRY_S)
            self._lose(name, "start")
        else:
            self.failure = None
            meters.observe("pool_start_ms", 1000 * self._roster.warm(name, clock()))
            self.keep_up()
            self.tell()

    # --- taking back ------------------------------------------------------------------------------------
    async def _settle(self, name: str, session_id: str) -> None:
        try:
            health = await self._fleet.settle(name, session_id, SETTLE_S)
        except ActorLost:
            self._lose(name, "dead")
        except TimeoutError:
            logger.warning("a call actor is slow to settle", extra={"actor": name, "session_id": session_id})
        else:
            if health.session_id is None:
                self._returned(name, session_id, health)

    async def _let_go(self, name: str, session_id: str) -> None:
        try:
            async with asyncio.timeout(2 * LET_GO_S):
                health = await self._fleet.settle(name, session_id, LET_GO_S)
        except ActorLost:
            self._lose(name, "dead")
        except TimeoutError:
            self._lose(name, "silent")
        else:
            if health.session_id is None:
                self._returned(name, UNKNOWN, health)
            else:
                self._lose(name, "stuck")
        finally:
            self._in_hand.discard(name)

    def _returned(self, name: str, session_id: str, health: Health) -> None:
        if not self._roster.returned(name, session_id, health.rss_bytes):
            logger.info("a call actor is retired", extra={"actor": name, "rss_bytes": health.rss_bytes})
            self._stop(name)
        self.keep_up()
        self.tell()

    # --- looking around ---------------------------------------------------------------------------------
    async def _look_around(self) -> None:
        """Finds what nobody reported: dead actors, frozen ones, calls that ended after their replica had died."""
        watcher = Punctuality(clock())
        for tick in itertools.count():
            await asyncio.sleep(TICK_S)
            watcher.tick(clock())
            for member in self._roster.members:
                # One in hand may have a `begin` under way, which its answer could overtake.
                is_busy = member.standing is Standing.STARTING or member.name in self._asked | self._in_hand
                if is_its_turn(member.name, tick) and not is_busy:
                    self._asked.add(member.name)
                    self._spawn(self._look_at(member, watcher))
            if tick % TURNS == 0:
                self.keep_up()
                self._report()

    async def _look_at(self, member: Member, watcher: Punctuality) -> None:
        asked_at = clock()
        try:
            async with asyncio.timeout(SILENT_S):
                health = await self._fleet.health(member.name)
            if health.session_id != member.session_id and self._is_unchanged(member):
                await self._correct(member, health)
        except ActorLost:
            self._lose(member.name, "dead")
        except TimeoutError:
            if is_zombie(asked_at, clock(), watcher) and self._is_unchanged(member):
                self._lose(member.name, "silent")
        finally:
            self._asked.discard(member.name)

    async def _correct(self, member: Member, health: Health) -> None:
        if health.session_id is None and member.session_id not in (None, UNKNOWN):
            self._returned(member.name, member.session_id or "", health)
        else:
            await self._place(member.name, health)

    def _is_unchanged(self, member: Member) -> bool:
        return self._roster.has(member) and member.name not in self._in_hand

    def _report(self) -> None:
        for standing in Standing:
            meters.set_to("pool_actors", self._roster.count(standing), standing=standing.value)
        meters.set_to("pool_slots", self._roster.rules.slots)
        meters.set_to("pool_reserved", self._roster.reserved(clock()))

    # --- letting go -------------------------------------------------------------------------------------
    def _lose(self, name: str, reason: str) -> None:
        if self._roster.lost(name):
            logger.warning("a call actor was lost and is replaced", extra={"actor": name, "problem": reason})
            meters.count("pool_lost_total", reason=reason)
            self._stop(name)
            self.keep_up()

    def _stop(self, name: str) -> None:
        self._let_go_of.add(name)
        self._spawn(self._fleet.stop(name))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
