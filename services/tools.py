"""The functions of one call's agent: what the model is offered, and the carrying out of those that are not speech."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from models.errors import CallboardError
from models.tool import HttpTool, Tools
from providers.roles import ToolCall, ToolSpec
from providers.tools.http import HttpTools
from services.built_in_tools import built_in_specs, disposition_spec
from services.tool_arguments import Problem, digits_of, parse

SMS_PER_CALL = 5
"""A model that repeats itself must not flood a phone, nor cost a fortune."""

SendText = Callable[[str], Awaitable[None]]
"""Sends a text message to the other party of the call; raises CallboardError."""

log = logging.getLogger(__name__)


class ToolRunner:
    """One per call. `tools` have their headers in the clear, see `tool_secrets.opened`.

    Without `sms`, or with `can_transfer` false (the carrier's flow has no next step, as for calls it was ordered to
    make), the model is not offered what cannot be done. `dispositions`: the words for what the call came to.
    """

    def __init__(
        self,
        tools: Tools,
        *,
        http: HttpTools,
        sms: SendText | None,
        can_transfer: bool = True,
        dispositions: Sequence[str] = (),
    ) -> None:
        self._functions = {function.name: function for function in tools.functions}
        self._http = http
        self._sms = sms
        self._messages = 0
        can = {"send_sms": sms is not None, "transfer_call": can_transfer}
        functions = tuple(
            ToolSpec(function.name, function.description, function.parameters) for function in tools.functions
        )
        built_in = built_in_specs(tools, without=[name for name in can if not can[name]])
        noting = (disposition_spec(dispositions),) if dispositions else ()
        self.specs: tuple[ToolSpec, ...] = (*functions, *built_in, *noting)

    def check(self, call: ToolCall) -> str | None:
        """What is wrong with a call, in a sentence for the model; None: it can be carried out."""
        arguments = parse(call, self.specs)
        if isinstance(arguments, Problem):
            return arguments.text
        if call.name == "send_dtmf" and not digits_of(arguments):
            return "There is no digit among the digits."
        return None

    def filler(self, call: ToolCall) -> str:
        """What the caller is told while the function is at work; empty: nothing."""
        function = self._functions.get(call.name)
        return function.filler if function else ""

    async def run(self, call: ToolCall) -> str:
        """The function's answer as text for the model; every failure is told in words.

        Only for the owner's functions and `send_sms`: the other built-in ones are the call's own business.
        """
        arguments = parse(call, self.specs)
        if isinstance(arguments, Problem):
            return arguments.text
        try:
            return await self._run(call.name, arguments)
        except CallboardError as error:
            return f"{error.message}."
        except Exception:  # the caller is still there, and can be told that it did not work
            log.exception("a function failed", extra={"tool": call.name})
            return "The function failed for a reason on our side."

    async def _run(self, name: str, arguments: dict[str, Any]) -> str:
        function = self._functions.get(name)
        if isinstance(function, HttpTool):
            return await self._http.call(function, arguments)
        if name == "send_sms" and self._sms is not None:
            return await self._send(self._sms, str(arguments["text"]))
        return f"{name} cannot be called now."

    async def _send(self, sms: SendText, text: str) -> str:
        if self._messages >= SMS_PER_CALL:
            return f"No more than {SMS_PER_CALL} text messages are sent in one call."
        self._messages += 1
        await sms(text)
        return "The text message is on its way."
