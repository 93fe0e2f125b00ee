"""How long a caller waits: from the end of their speech to the first byte of the agent's answer at the carrier.

    python -m bench.first_call [--turns 30] [--llm-ms 300] [--tts-ms 150]

Everything is the real thing but the vendors, whose simulators answer over loopback with the delays given: 300 ms to the
language model's first token and 150 ms to the voice's first byte. Target: p50 of 1,100 ms or less with those.
"""

import asyncio
import os
import statistics
from collections.abc import Sequence

from bench.conversation import Pace, Product, arguments, pace_of, product, world
from simulators.caller import HangUp, Say, Script, WaitForAgent
from simulators.report import CallReport

TURNS_PER_CALL = 10
SENTENCES = (
    "hello i would like to book an appointment",
    "tuesday please",
    "three in the afternoon",
    "how much does it cost",
    "my name is maria",
    "what are your opening hours",
    "i have a question",
    "yes please",
    "can i change it to thursday",
    "no thank you",
)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--turns", type=int, default=30)
    options = parser.parse_args()
    with product() as deployed:
        reports = asyncio.run(_calls(deployed, pace_of(options), options.turns))
    _print(reports, pace_of(options))


async def _calls(deployed: Product, pace: Pace, turns: int) -> list[CallReport]:
    """As many calls, one after the other, as the turns need."""
    async with world(deployed, pace) as made:
        agent_id = await made.agent()
        lengths = [min(TURNS_PER_CALL, turns - start) for start in range(0, turns, TURNS_PER_CALL)]
        calls = await made.calls([(agent_id, _script(length)) for length in lengths], at_once=1)
        return [call.report for call in calls]


def _script(turns: int) -> Script:
    said = [step for text in SENTENCES[:turns] for step in (WaitForAgent(), Say(text))]
    return Script((*said, WaitForAgent(), HangUp()))


def _print(reports: Sequence[CallReport], pace: Pace) -> None:
    replies = [reply for report in reports for reply in report.replies]
    waits = sorted(reply.arrived_s * 1000 for reply in replies if reply.arrived_s is not None)
    gaps = sum(len(report.gaps) for report in reports)
    violations = sum(len(report.violations) for report in reports)
    cuts = statistics.quantiles(waits, n=20)
    print(f"{len(waits)} of {len(replies)} turns answered; {pace}")
    print(f"  end of speech to first reply byte, ms: p50 {cuts[9]:.0f}  p95 {cuts[18]:.0f}  max {waits[-1]:.0f}")
    print(f"  gaps in the agent's speech {gaps}, chunk rule violations {violations}")
    print(f"  load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
