"""What a call that another actor carried starts again with: what the store has, and what the caller is owed. Pure.

The turn the dead actor was speaking is known from `Call.progress`: what was heard of it becomes a turn of the log. Then
the caller is owed an answer, the rest of a sentence, or nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from actors.call_session import prompt
from actors.call_session.calling import is_ending
from actors.call_session.commands import SaveTurn
from models.agent import AgentConfig
from models.call import Call, CallStatus, FunctionCall, Progress, Turn, TurnTimings
from models.conversation import AnsweredBy
from providers.roles import Message


class What(Enum):
    """What the caller is owed."""

    BEGIN = auto()
    """Nothing was said yet, or a machine has the line: as at the beginning of a call."""
    SENTENCE = auto()
    """The rest of a fixed sentence."""
    ANSWER = auto()
    """What the model makes of the conversation so far: an answer, or the rest of one."""
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Ending:
    """How the call was about to end."""

    status: CallStatus
    reason: str
    transfer_to: str | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """`sentence` is to be said as it stands. With an `ending` the call ends after it, at once if there is none."""

    what: What
    sentence: str = ""
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where a call goes on. Times are seconds before now."""

    answered_ago_s: float
    """When the call was first answered."""
    settled_ago_s: float
    """The caller's sound from before this is answered in the log; infinite without a turn of theirs."""
    answered_by: AnsweredBy | None
    history: tuple[Message, ...]
    saves: tuple[SaveTurn, ...]
    """The dead actor's turn, as far as it was heard."""
    functions: tuple[FunctionCall, ...]
    """Called by it in a turn of which nothing was heard: the next turn's, in the log."""
    owed: Owed


def resumption(call: Call, now: datetime, *, was_carried: bool) -> Resumption | None:
    """How to go on with a call; None: it is a new one.

    `was_carried`: another actor had its media, but may have died before it wrote that. The carrier's own word may have
    marked the call as answered before anybody had it.
    What was heard is known by when the store gave the call to this actor: the carrier plays on until then at least.
    """
    if not (was_carried or call.turns or call.progress):
        return None
    at = call.lease.leased_at if call.lease is not None else now
    cut = _cut_turn(call, at)
    turns = _conversation(call.turns)
    under_way = _conversation([cut] if cut is not None else [])
    ago_s = (now - (call.started_at or now)).total_seconds()
    ended_ms = [turn.timings.speech_end_ms for turn in call.turns if turn.role == "user"]
    return Resumption(
        answered_ago_s=ago_s,
        settled_ago_s=ago_s - max((ms for ms in ended_ms if ms is not None), default=float("-inf")) / 1000,
        answered_by=call.answered_by,
        history=tuple(prompt.history_of([*turns, *under_way])),
        saves=(_as_save(cut),) if cut is not None and cut.content else (),
        functions=() if cut is None or cut.content else tuple(f for f in cut.functions if not is_ending(f.name)),
        owed=_owed(call, [*turns, *under_way], call.progress if under_way else None, at),
    )


def _cut_turn(call: Call, at: datetime) -> Turn | None:
    """What was heard of the dead actor's turn; without a word if only its functions had begun.

    A question hands the floor over: nothing followed it. Of anything else nobody knows.
    """
    progress, started_at = call.progress, call.started_at
    if progress is None or started_at is None:
        return None
    heard = progress.heard(at)
    if not (heard or progress.functions):
        return None
    ended_at = min(at, progress.clause_at + timedelta(milliseconds=progress.clause_ms))
    return Turn(
        index=len(call.turns),
        role="assistant",
        content=heard,
        timestamp=at,
        interrupted=not (_is_heard(progress, at) and progress.clause.endswith("?")),
        timings=TurnTimings(playback_end_ms=round((ended_at - started_at).total_seconds() * 1000)),
        functions=progress.functions,
    )


def _as_save(turn: Turn) -> SaveTurn:
    return SaveTurn("assistant", turn.content, turn.interrupted, turn.timings, functions=turn.functions)


def _is_heard(progress: Progress, at: datetime) -> bool:
    """The clause was heard to its end."""
    return bool(progress.clause) and progress.heard(at) == _announced(progress)


def _announced(progress: Progress) -> str:
    """What was heard and what began to sound."""
    return " ".join([*progress.text.split(), *progress.clause.split()])


def _conversation(turns: Sequence[Turn]) -> list[Turn]:
    """The turns without what only told of a lost line, which answers nobody."""
    return [turn for turn in map(_without_bridge, turns) if turn.content or turn.functions]


def _without_bridge(turn: Turn) -> Turn:
    if turn.role == "user":
        return turn
    is_bridge = prompt.RESUMED.startswith(turn.content)
    content = "" if is_bridge else turn.content.removeprefix(prompt.RESUMED).strip()
    return turn.model_copy(update={"content": content})


# --- what is owed -------------------------------------------------------------------------------------
def _owed(call: Call, turns: Sequence[Turn], progress: Progress | None, at: datetime) -> Owed:
    """`progress` is that of the last of the turns; None: it is one of the log's."""
    config = call.agent_config
    if _is_for_a_machine(config, call.answered_by):
        is_left = turns and turns[-1].content == (config.voicemail.message or config.first_message)
        left = Ending(CallStatus.COMPLETED, "voicemail_left")
        return Owed(What.SENTENCE, ending=left) if is_left and not turns[-1].interrupted else Owed(What.BEGIN)
    if not turns:
        return Owed(What.BEGIN)
    last = turns[-1]
    if last.role == "user":
        return Owed(What.ANSWER)
    is_over = _by_function(config, last, progress, at) or _by_sentence(config, turns, progress, at)
    if is_over is not None:
        return is_over
    return Owed(What.ANSWER if last.interrupted else What.NOTHING)


def _is_for_a_machine(config: AgentConfig, answered_by: AnsweredBy | None) -> bool:
    """The agent does not converse with who picked up."""
    action = config.voicemail.action
    if answered_by == "machine-ivr":
        return action == "hangup"
    return answered_by in ("machine-voicemail", "unavailable") and action != "ignore"


def _by_function(config: AgentConfig, last: Turn, progress: Progress | None, at: datetime) -> Owed | None:
    """The agent had decided to end the call, or to put the caller through. A caller who cut that off goes on."""
    name = next((call.name for call in last.functions if is_ending(call.name)), None)
    if name is None or (name == "transfer_call" and not config.tools.transfer_to):
        return None
    ending, sentence = Ending(CallStatus.COMPLETED, "agent_ended"), prompt.GOODBYE
    if name == "transfer_call":
        ending = Ending(CallStatus.COMPLETED, "transferred", config.tools.transfer_to)
        sentence = prompt.TRANSFERRING
    if progress is None:
        return None if last.interrupted else Owed(What.SENTENCE, ending=ending)
    return Owed(What.SENTENCE, "" if _is_heard(progress, at) else progress.clause or sentence, ending)


def _by_sentence(config: AgentConfig, turns: Sequence[Turn], progress: Progress | None, at: datetime) -> Owed | None:
    """The agent was saying something that is fixed: no model is needed to finish it."""
    has_greeted = any(turn.role == "assistant" for turn in turns[:-1])
    for fixed, ending in _fixed(config, has_greeted=has_greeted).items():
        if progress is None:
            if ending is not None and turns[-1].content == fixed:
                return Owed(What.SENTENCE, ending=ending)
        elif progress.clause and fixed.startswith(_announced(progress)):
            before = _announced(progress) if _is_heard(progress, at) else " ".join(progress.text.split())
            rest = fixed.removeprefix(before).strip()
            return Owed(What.SENTENCE if rest or ending else What.NOTHING, rest, ending)
    return None


def _fixed(config: AgentConfig, *, has_greeted: bool) -> dict[str, Ending | None]:
    """Sentences said without the model, and how the call ends after them; None: it goes on."""
    completed, failed = CallStatus.COMPLETED, CallStatus.FAILED
    endings: dict[str, Ending | None] = {
        "" if has_greeted else config.first_message: None,
        config.silence.reprompt: None,
        prompt.NOT_UNDERSTOOD: None,
        prompt.REPLY_FAILED: None,
        config.silence.goodbye: Ending(completed, "silence"),
        prompt.TIME_IS_UP: Ending(completed, "session_timeout"),
        prompt.NO_CREDITS: Ending(completed, "credits_exhausted"),
        prompt.GIVING_UP: Ending(failed, "vendor_failure"),
        prompt.LOG_STUCK: Ending(failed, "log_unavailable"),
    }
    return {" ".join(sentence.split()): ending for sentence, ending in endings.items() if sentence.strip()}
