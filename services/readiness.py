"""Whether this process can do its work: what it stands on, asked at the same time, and not more than once a second."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

logger = logging.getLogger(__name__)

ANSWER_S = 1.0
"""What does not answer within this is taken for away."""
KEEP_S = 1.0
"""So long an answer serves everybody who asks."""

Check = Callable[[], Awaitable[None]]
"""Returns when its part answers and raises when it does not."""

Finding = Literal["ok", "failing", "silent"]


@dataclass(frozen=True, slots=True)
class Report:
    """What each part said; work goes on without those in `spared`."""

    checks: Mapping[str, Finding]
    spared: frozenset[str] = frozenset()

    @property
    def is_ready(self) -> bool:
        """Every part answers that is needed."""
        return all(finding == "ok" or name in self.spared for name, finding in self.checks.items())


class Readiness:
    """`checks` by the names people read; those in `spared` are told, not needed. `clock` gives monotonic seconds."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        clock: Callable[[], float] = time.monotonic,
        *,
        spared: frozenset[str] = frozenset(),
    ) -> None:
        self._checks = checks
        self._spared = spared
        self._clock = clock
        self._asking: asyncio.Task[Report] | None = None
        self._good_until = 0.0
        self._was_ready = True

    async def report(self) -> Report:
        """As of now, or of less than a second ago. Raises nothing."""
        if self._asking is None or (self._asking.done() and self._clock() >= self._good_until):
            self._asking = asyncio.create_task(self._ask())
        # Whoever leaves must not take the answer away from the others who wait for it.
        return await asyncio.shield(self._asking)

    async def _ask(self) -> Report:
        findings = await asyncio.gather(*(_finding(check) for check in self._checks.values()))
        report = Report(dict(zip(self._checks, findings, strict=True)), self._spared)
        if report.is_ready != self._was_ready:
            logger.warning("what this process stands on has changed", extra={"checks": report.checks})
        self._was_ready = report.is_ready
        self._good_until = self._clock() + KEEP_S
        return report


async def _finding(check: Check) -> Finding:
    try:
        async with asyncio.timeout(ANSWER_S):
            await check()
    except TimeoutError:
        return "silent"
    except Exception:  # whatever its driver raises, the part does not answer
        return "failing"
    return "ok"
