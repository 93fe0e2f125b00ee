"""The Idempotency-Key header: an endpoint that takes an `Idempotent` does its work once per key.

    async def place_call(body: OutboundCall, once: Idempotent, ...) -> Response:
        return await once(place)    # place(id) makes something with this id and returns the endpoint's answer

Answers are kept for `settings.idempotency_keep_s`, so what `place` returns must hold no secret.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from models.document import Id, new_id
from models.errors import ProviderError
from models.idempotency import KeptAnswer
from serve_app.authentication import Caller, Now, Provided
from serve_app.envelope import Failure
from serve_app.errors import answer_to
from services.idempotency import Asked, Idempotency, fingerprint

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]([ -~]*[!-~])?$",
        description="Up to 255 printable characters of your choice, new for every new request. The same request sent "
        "again under its key within 24 hours is done once, and answered the same with `Idempotency-Replayed: true`.",
    ),
]
Work = Callable[[Id], Awaitable[BaseModel]]


@dataclass(frozen=True, slots=True)
class Once:
    """One request, with or without a key (`asked`)."""

    idempotency: Idempotency
    asked: Asked | None
    status: int
    now: datetime

    async def __call__(self, work: Work) -> Response:
        """The answer of `work`, or that of its first run; raises what `work` and `Idempotency.once` raise."""

        async def attempt(reserved: Id) -> KeptAnswer:
            return KeptAnswer(status=self.status, body=(await work(reserved)).model_dump_json(by_alias=True))

        if self.asked is None:
            return _response(await attempt(new_id()))
        answered = await self.idempotency.once(self.asked, attempt, refusal=_refusal, now=self.now)
        return _response(answered.answer, **({"Idempotency-Replayed": "true"} if answered.is_replay else {}))


async def _once(request: Request, services: Provided, caller: Caller, now: Now, key: Key = None) -> Once:
    asked = None
    if key is not None:
        printed = fingerprint(request.method, request.url.path, await request.body())
        asked = Asked(caller.organization_id, key, printed)
    return Once(services.idempotency, asked, request.scope["route"].status_code or 200, now)


Idempotent = Annotated[Once, Depends(_once)]
"""The endpoint's argument that makes it take the header; call it with the work and return what it returns."""


def _refusal(error: ProviderError) -> KeptAnswer:
    answer = answer_to(error)
    return KeptAnswer(status=answer.status, body=Failure(error=answer.problem).model_dump_json(by_alias=True))


def _response(answer: KeptAnswer, **headers: str) -> Response:
    return Response(answer.body, answer.status, headers, media_type="application/json")
