"""The functions a reply asks for: which the call carries out itself, which are run elsewhere, and what the model sees.

A function never runs for a draft. Once begun it is not taken back by an interruption: what it gave is told to the model
with the next turn.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from actors.call_session import prompt
from actors.call_session.protocol import Command, RunTool, SaveDisposition
from actors.call_session.reply import Reply
from actors.call_session.tones import dtmf
from models.agent import NOTES_CHARS, AgentConfig
from models.call import FunctionCall
from models.tool import SET_DISPOSITION
from providers.roles import Message, ToolCall

MAX_ROUNDS = 5
"""How often the model may ask for functions within one turn."""
PENDING = "Not answered yet."
_KEYS = frozenset("0123456789*#ABCD")


class Calling:
    """Begins a reply's functions; `rate_hz` is the line's, for keys that are pressed in its sound."""

    def __init__(self, config: AgentConfig) -> None:
        self._fillers = {tool.name: tool.filler for tool in config.tools.functions}
        self._transfer_to = config.tools.transfer_to
        self._words = config.words
        self.rate_hz = 8000

    def begin(self, reply: Reply, sent_bytes: int) -> list[Command]:
        """Carry out or order what the reply has asked for; to the model every call has an answer from the start."""
        asked, reply.asked = reply.asked, []
        if sum(bool(message.tool_calls) for message in reply.exchange) >= MAX_ROUNDS:
            reply.has_failed = True
            return []
        text = reply.next_round()
        reply.exchange.append(Message("assistant", text, tool_calls=tuple(asked)))
        commands: list[Command] = []
        for call in asked:
            answer = self._own(reply, call, commands)
            reply.exchange.append(Message("tool", answer or PENDING, tool_call_id=call.id))
            if answer is None:
                reply.running.add(call.id)
                commands.append(RunTool(reply.turn, call))
        self._fill(reply, asked, text, sent_bytes)
        if reply.is_last:
            reply.is_generated = True
        elif not reply.running:
            commands.append(reply.again())
        return commands

    def _own(self, reply: Reply, call: ToolCall, commands: list[Command]) -> str | None:
        """What the call does by itself, and what the model is told of it; None: it is not ours."""
        match call.name:
            case "end_call":
                self._end(reply, "agent_ended", prompt.GOODBYE)
                return "The call ends now."
            case "transfer_call" if self._transfer_to:
                self._end(reply, "transferred", prompt.TRANSFERRING)
                reply.transfer_to = self._transfer_to
                return "The caller is being transferred."
            case "send_dtmf":
                return self._press(reply, call)
            case name if name == SET_DISPOSITION and self._words:
                return self._dispose(call, commands)
            case _:
                return None

    def _end(self, reply: Reply, reason: str, sentence: str) -> None:
        reply.is_last, reply.end_reason = True, reason
        if not reply.speech.has_answer:
            reply.add_sentence(sentence)

    def _press(self, reply: Reply, call: ToolCall) -> str:
        digits = _digits(call.arguments)
        if not digits:
            return "Give `digits`: one or more of 0-9, *, #, A-D."
        reply.speech.add("", pcm=dtmf(digits, self.rate_hz))
        return "Pressed."

    def _dispose(self, call: ToolCall, commands: list[Command]) -> str:
        given = _arguments(call.arguments)
        name, notes = given.get("name"), given.get("notes", "")
        if name not in self._words or not isinstance(notes, str):
            return f"Give `name`: one of {', '.join(self._words)}."
        storable = notes[:NOTES_CHARS].encode(errors="replace").decode()  # half a character is valid JSON
        commands.append(SaveDisposition(str(name), storable))
        return "Noted."

    def _fill(self, reply: Reply, asked: Sequence[ToolCall], text: str, sent_bytes: int) -> None:
        """Say something while a function runs, if the model has not."""
        fillers = [self._fillers.get(call.name, "") for call in asked if call.id in reply.running]
        if not text.strip() and (filler := next(filter(None, fillers), "")):
            reply.speech.add_filler(filler, after_bytes=sent_bytes)


def answered(messages: list[Message], call_id: str, content: str) -> bool:
    """Put a function's answer in place of PENDING; False: nobody asked for it."""
    for index in range(len(messages) - 1, -1, -1):  # models use an id again
        message = messages[index]
        if message.role == "tool" and message.tool_call_id == call_id and message.content == PENDING:
            messages[index] = replace(message, content=content)
            return True
    return False


def calls_of(exchange: Sequence[Message]) -> tuple[FunctionCall, ...]:
    """The functions called in an exchange and what they gave, for the log."""
    calls: list[FunctionCall] = []
    for message in exchange:
        calls += [FunctionCall(id=c.id, name=c.name, arguments=c.arguments) for c in message.tool_calls]
        if message.role == "tool" and message.content != PENDING:
            index = max(i for i, call in enumerate(calls) if call.id == message.tool_call_id)
            calls[index] = calls[index].model_copy(update={"result": message.content})
    return tuple(calls)


def is_ending(name: str) -> bool:
    """Whether the call is to end, or to go on without the agent, once a function of this name was called."""
    return name in ("end_call", "transfer_call")


def remembered(exchange: Sequence[Message]) -> list[Message]:
    """The exchange for later turns: what was said in it is remembered as it was heard, not here."""
    return [replace(message, content="") if message.tool_calls else message for message in exchange]


def _arguments(text: str) -> Mapping[str, object]:
    """What the model wrote; nothing where it is no object."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def _digits(arguments: str) -> str:
    digits = str(_arguments(arguments).get("digits", "")).upper()
    return digits if digits and set(digits) <= _KEYS and len(digits) <= 32 else ""
