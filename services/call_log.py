"""The log of a live call: write first, then tell. Used by the call actor and by `services.calls`.

Everything may be repeated after a failure: the store keeps each turn once, and the ledger closes a call once.
"""

import logging
from datetime import datetime, timedelta

from models.call import Call, CallStatus, CostBreakdown, Disposition, Progress, Recording, Turn, Usage
from models.conversation import AnsweredBy
from models.errors import CreditUnavailable, NotFound
from services import call_events, meters, traces
from services.credit import Credit
from services.timeline import latency
from services.webhook_events import CallEvents, LeftToTheSweep
from stores.calls import ANY_LIVE, Calls, Still
from stores.events import Events

logger = logging.getLogger(__name__)

LIVED_ON_S = 1.0
"""What was heard after an actor's last word: the carrier has half a second of its sound, and plays it."""


class CallLog:
    """One object per process, for all its calls. Methods raise what PyMongo raises when the store cannot be reached.

    A call that comes with a lease is written in the name of that actor, and only as long as it is still its call.
    Without `webhooks` what happens is passed on by the sweep of somebody else, within about a second.
    """

    def __init__(self, calls: Calls, credit: Credit, events: Events, webhooks: CallEvents | None = None) -> None:
        self._calls = calls
        self._credit = credit
        self._events = events
        self._webhooks = webhooks or LeftToTheSweep()
        events.on_dropped = lambda count: meters.count("events_dropped_total", count)

    async def started(self, call: Call, now: datetime) -> None:
        """Tell that the call exists; it is stored already."""
        await self._events.publish(call.session_id, call_events.STARTED, call_events.status_changed(call, now))
        await self._webhooks.happened(call, now)

    async def ringing(self, call: Call, now: datetime) -> None:
        """The carrier rings the phone; dashboards are not told, the status can be read."""
        ringing = await self._calls.advance(call.id, CallStatus.RINGING, now)
        if ringing is not None:
            await self._webhooks.happened(ringing, now)

    async def connected(self, call: Call, now: datetime) -> None:
        """The call is answered. The carrier's word and the media stream both say so: the first is told, once."""
        answered = await self._calls.advance(call.id, CallStatus.IN_PROGRESS, now)
        if answered is not None:
            payload = call_events.status_changed(answered, now)
            await self._events.publish(call.session_id, call_events.CONNECTED, payload)
            await self._webhooks.happened(answered, now)

    async def record_turn(self, call: Call, turn: Turn, usage: Usage, cost: CostBreakdown, now: datetime) -> None:
        """Append a finished turn with what the call has cost so far; of an agent's, tell how long it took as well.

        Raises Conflict when another actor has the call by now.
        """
        await self._calls.append_turn(call.id, turn, usage, cost, now, writer(call))
        await self._tell_turn(call, turn)
        if turn.role == "assistant":
            payload = call_events.metrics(call.session_id, turn, latency(turn.timings))
            await self._events.publish(call.session_id, call_events.METRICS, payload)

    async def save_progress(self, call: Call, progress: Progress, now: datetime) -> None:
        """Note how far the agent's turn has come, should its actor die over it; nobody is told."""
        await self._calls.save_progress(call.id, progress, now, writer(call))

    async def tell_partial(self, call: Call, text: str, revision: int, now: datetime) -> None:
        """Tell those who asked for it what the caller has said so far of a turn; it is not stored."""
        payload = call_events.partial(call.session_id, text, revision, now)
        await self._events.publish_interim(call.session_id, call_events.TRANSCRIPT, payload)

    async def answered_by(self, call: Call, answered_by: AnsweredBy, now: datetime) -> None:
        """Note who picked up the phone; nobody is told, it can be read."""
        await self._calls.save_answered_by(call.id, answered_by, now)

    async def save_transfer(self, call: Call, number: str, now: datetime) -> bool:
        """Note whom the carrier, which asks when the media has ended, connects the caller to; False: too late."""
        return await self._calls.save_transfer(call.id, number, now)

    async def save_disposition(self, call: Call, name: str, notes: str, now: datetime) -> None:
        """Note what the call came to, in its agent's words; those of a user stay."""
        word = Disposition(name=name, notes=notes, at=now)
        changed = await self._calls.save_disposition(call.id, word, actor=writer(call))
        if changed is not None:
            await self._webhooks.happened(changed, now)

    async def dispose(self, call: Call, word: Disposition | None, now: datetime) -> Call:
        """Note what a user says the call came to, also after its end; the call with it."""
        changed = await self._calls.save_disposition(call.id, word)
        if changed is None:
            raise NotFound("Call not found")
        await self._webhooks.happened(changed, now)
        return changed

    async def save_usage(self, call: Call, usage: Usage, cost: CostBreakdown, now: datetime) -> None:
        """Note what the call has cost so far."""
        await self._calls.save_usage(call.id, usage, cost, now, writer(call))

    async def cover(self, call: Call, total_micros: int, now: datetime) -> bool:
        """Set `total_micros` aside for the call in all; False: the account cannot. Raises CreditUnavailable."""
        return await self._credit.extend(call.organization_id, call.id, total_micros, now)

    async def report_error(self, call: Call, code: str, message: str, now: datetime) -> None:
        """Tell of a fault the call survives. `message` is for people and says nothing of our insides."""
        await self._events.publish(
            call.session_id, call_events.ERROR, call_events.error(call.session_id, code, message)
        )

    async def finish(
        self,
        call: Call,
        *,
        status: CallStatus,
        reason: str,
        now: datetime,
        usage: Usage | None = None,
        cost: CostBreakdown | None = None,
        recording: Recording | None = None,
        duration_s: int | None = None,
        still: Still = ANY_LIVE,
    ) -> Call | None:
        """Close the log, settle its cost, tell. The first finisher wins; the others get None and change nothing.

        Without `usage` and `cost` it is not the call's own actor that ends it: what was saved last stands, and what
        its agent was saying becomes a turn. A recording is kept in any case. The rest is as in
        `stores.calls.Calls.finish`.
        """
        if usage is None or cost is None:
            await self._cut_short(call, now, still)
        finished = await self._calls.finish(
            call.id,
            status=status,
            reason=reason,
            now=now,
            consumed=None if usage is None or cost is None else (usage, cost),
            recording=recording,
            duration_s=duration_s,
            still=still,
        )
        if finished is None:
            if recording is not None:
                await self._calls.keep_recording(call.id, recording, now)
            return None
        await self.settle(finished, now)
        await self._events.publish(call.session_id, call_events.ENDED, call_events.ended(finished))
        await self._webhooks.happened(finished, now)
        traces.ended(finished)
        return finished

    async def settle(self, finished: Call, now: datetime) -> None:
        """Charge a closed log's total and let go of its hold; the sweeper does it where that could not be done."""
        try:
            await self._credit.close(finished.organization_id, finished.id, finished.cost.total, now)
        except CreditUnavailable:
            logger.warning("a call is settled later", extra={"call_id": finished.id})

    async def _cut_short(self, call: Call, now: datetime, still: Still) -> None:
        """Write the agent's turn that is under way as far as it can have been heard."""
        cut = await self._calls.under_way(call.id, still)
        if cut is None:
            return
        turn = cut_turn(cut, now)
        if await self._calls.cut_short(cut, turn, still) and turn is not None:
            await self._tell_turn(call, turn)

    async def _tell_turn(self, call: Call, turn: Turn) -> None:
        payload = call_events.transcript(call.session_id, turn)
        await self._events.publish(call.session_id, call_events.TRANSCRIPT, payload)


def writer(call: Call) -> str | None:
    """The actor in whose name the call is written; None: nobody carried it when it was read."""
    return None if call.lease is None else call.lease.actor


def cut_turn(call: Call, now: datetime) -> Turn | None:
    """The turn the agent was in when its actor died, as far as it can have been heard; None: nothing of it was.

    Of the actor's life is known when it last wrote; the carrier played on what it had.
    """
    progress = call.progress
    if progress is None:
        return None
    at = min(now, call.updated_at + timedelta(seconds=LIVED_ON_S))
    text = progress.heard(at)
    if not text and not progress.functions:
        return None
    return Turn(
        index=1 + max((turn.index for turn in call.turns), default=-1),
        role="assistant",
        content=text,
        timestamp=at,
        interrupted=True,
        functions=progress.functions,
    )
