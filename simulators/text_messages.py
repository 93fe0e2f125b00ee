"""The carrier's text messages: books what it is sent, or refuses it, and reports what becomes of each."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from simulators.behaviour import Series
from simulators.exotel_calls import BadRequest, Refusal
from simulators.exotel_sms import SmsState, check_registration, report_form, sms_of

_CALLBACK_S = 15.0
"""Exotel waits that long for an answer."""


@dataclass(frozen=True, slots=True)
class SmsPlan:
    """What becomes of one message. It is answered after `answer_s`, refused where told so, else reported on."""

    refusal: Refusal | None = None
    requires_registration: bool = False
    """Numbers in India get registered texts only, as in life."""
    answer_s: float = 0.0
    reports: tuple[str, ...] = ("sent", "delivered")
    each_s: float = 0.05
    """Between the answer, or the report before, and a report."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A report and the platform's HTTP status; None: it could not be reached."""

    sms: SmsState
    status: str
    answered: int | None


class TextMessages:
    """One account's. `plans` are used up message by message."""

    def __init__(self, client: httpx.AsyncClient, account_sid: str) -> None:
        self.plans = Series(SmsPlan())
        self.booked: list[SmsState] = []
        self.reported: list[Reported] = []
        self.refused = 0
        self._client = client
        self._account_sid = account_sid
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, form: Mapping[str, str]) -> SmsState | Refusal:
        """Book the message in a send form, or refuse it."""
        plan = self.plans.next()
        await asyncio.sleep(plan.answer_s)
        taken = plan.refusal or self._book(form, plan)
        if isinstance(taken, Refusal):
            self.refused += 1
            return taken
        self.booked.append(taken)
        if taken.callback_url:
            task = asyncio.create_task(self._report(taken, taken.callback_url, plan))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return taken

    async def aclose(self) -> None:
        """Report no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _book(self, form: Mapping[str, str], plan: SmsPlan) -> SmsState | Refusal:
        sid, now = secrets.token_hex(16), datetime.now(UTC)
        try:
            sms = sms_of(form, sid=sid, account_sid=self._account_sid, now=now)
            if plan.requires_registration:
                check_registration(sms)
        except BadRequest as problem:
            return Refusal(400, str(problem), "BAD_REQUEST")
        return sms

    async def _report(self, sms: SmsState, url: str, plan: SmsPlan) -> None:
        for status in plan.reports:
            await asyncio.sleep(plan.each_s)
            form = report_form(sms, status, now=datetime.now(UTC))
            try:
                answer: int | None = (await self._client.post(url, data=form, timeout=_CALLBACK_S)).status_code
            except httpx.HTTPError:
                answer = None
            self.reported.append(Reported(sms, status, answer))
