"""Requests that cost money happen once per key of their client's, whatever breaks in between.

The key is stored before anything is done, with the id of what will be made. A retry that finds an attempt which died
runs again with the same id, so whatever the first one made is found and not made twice.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.document import Id, new_id
from models.errors import CallboardError, Conflict, ProviderError, Unprocessable
from models.idempotency import IdempotentRequest, KeptAnswer
from stores.idempotency import IdempotentRequests

TAKE_OVER_S = 60
"""Far longer than the slowest attempt that lives: one this old has died with its process."""

Attempt = Callable[[Id], Awaitable[KeptAnswer]]
"""Does what was asked, giving what it makes this id. Done again with an id that exists, it finds what is there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request under a key."""

    organization_id: Id
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What to answer; `is_replay` when it was done before."""

    answer: KeptAnswer
    is_replay: bool


def fingerprint(method: str, path: str, body: bytes) -> str:
    """The same for the same request, however its JSON is laid out; what is no JSON counts as it came."""
    with suppress(ValueError, RecursionError):
        body = json.dumps(json.loads(body), sort_keys=True).encode()
    return hashlib.sha256(b"\n".join((method.encode(), path.encode("utf-8", "surrogatepass"), body))).hexdigest()


class Idempotency:
    """The rules of idempotency keys."""

    def __init__(self, requests: IdempotentRequests) -> None:
        self._requests = requests

    async def once(
        self, asked: Asked, attempt: Attempt, *, refusal: Callable[[ProviderError], KeptAnswer], now: datetime
    ) -> Answered:
        """The answer of the one attempt that counts, made now or earlier.

        Raises Unprocessable when the key was used for something else, Conflict while another attempt runs, and what
        the attempt raises. `refusal` is what a vendor's failure is answered with: it is kept, because the vendor may
        have done it all the same. Any other refusal frees the key: nothing was made.
        """
        request = await self._begun(asked, now)
        if request.answer is not None:
            return Answered(request.answer, is_replay=True)
        try:
            answer = await attempt(request.reserved_id)
        except ProviderError as error:
            await self._requests.keep(request, refusal(error), now)
            raise
        except CallboardError as error:
            await (self._requests.drop(request) if error.status < 500 else self._requests.release(request, now))
            raise
        except Exception:
            await self._requests.release(request, now)
            raise
        await self._requests.keep(request, answer, now)
        return Answered(answer, is_replay=False)

    async def _begun(self, asked: Asked, now: datetime) -> IdempotentRequest:
        """The request with its answer, or ours to run."""
        ours = _new_request(asked, now)
        found = await self._requests.open(ours)
        if found.attempt == ours.attempt:
            return found
        if found.fingerprint != asked.fingerprint:
            raise Unprocessable("This Idempotency-Key was used for another request")
        if found.answer is not None:
            return found
        is_running = found.attempted_at is not None and now - found.attempted_at < timedelta(seconds=TAKE_OVER_S)
        taken = None if is_running else await self._requests.take_over(found, ours.attempt, now)
        if taken is None:
            raise Conflict("A request with this Idempotency-Key is still running, try again")
        return taken


def _new_request(asked: Asked, now: datetime) -> IdempotentRequest:
    return IdempotentRequest(
        id=Id(f"{asked.organization_id}:{asked.key}"),
        created_at=now,
        updated_at=now,
        organization_id=asked.organization_id,
        fingerprint=asked.fingerprint,
        reserved_id=new_id(),
        attempt=new_id(),
        attempted_at=now,
    )
