"""Half an hour of calls: does anything grow, get slower, go missing or complain?

    python -m bench.soak [--minutes 30] [--calls 8]

Callers talk for two to three minutes and are followed by others. Every 20 s the memory (PSS) and the open files of
every process are read; a line is fitted to those of each process that lived through the whole time, without the first
minutes (a sixth of it, while caches fill). A part is flat when its steepest process may, within two standard errors,
grow by less than 6 MB an hour. Records of level ERROR and above are counted in all logs of Ray's and the children's.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import talk
from bench.conversation import Conversation, Pace, Product, arguments, load, pace_of, product, world
from bench.first_call import SENTENCES
from bench.heard import gaps_in_log
from bench.live_calls import LiveCalls
from bench.numbers_page import Numbers, numbers
from bench.ordeal import USUAL
from bench.processes import members, usage
from bench.slope import Slope, fitted
from bench.steps import Step, heard
from bench.table import Column, Table
from cli.embedded.places import runtime_path
from simulators.steps import Script

SPARE = 2
EVERY_S = 20.0
WARM_UP = 1 / 6
FLAT_MB_PER_HOUR = 6.0
SPAN_S = 300.0
FINAL_S = 60.0
SHORTEST_S = 20.0
LEVELS = ("ERROR", "CRITICAL")
COUNTED = ("events_dropped_total", "log_retries_total", "calls_resumed_total", "calls_refused_total", "pool_lost_total")
COLUMNS = (
    Column("part", 16, is_text=True),
    *(Column(title, 7) for title in ("processes", "measured", "PSS MB", "at end", "steepest MB/h", "+-", "files")),
    Column("at end", 6),
    Column("flat", 4, is_text=True),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One process at one moment: hours since the beginning, MB, open files."""

    hours: float
    mb: float
    files: int


@dataclass(slots=True)
class Diary:
    """All readings of each process, and which part it is."""

    parts: dict[int, str] = field(default_factory=dict)
    readings: dict[int, list[Reading]] = field(default_factory=dict)

    async def keep(self, deployed: Product, began: float) -> None:
        """Read all processes again and again, until cancelled."""
        while True:
            await asyncio.to_thread(self._read, deployed, began)
            await asyncio.sleep(EVERY_S)

    def _read(self, deployed: Product, began: float) -> None:
        hours = (time.monotonic() - began) / 3600
        for member in members(deployed.children):
            if (used := usage(member.pid)) is not None:
                self.parts[member.pid] = member.part
                reading = Reading(hours, used.pss_bytes / 1e6, used.descriptors)
                self.readings.setdefault(member.pid, []).append(reading)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--calls", type=int, default=8, help="at the same time")
    options = parser.parse_args()
    with product(call_slots=options.calls + SPARE) as deployed:
        asyncio.run(_soak(deployed, pace_of(options), options.calls, options.minutes * 60))
        print(f"{options.calls} calls for {options.minutes:g} minutes, {pace_of(options)}; {load()} at the end")


async def _soak(deployed: Product, pace: Pace, calls: int, seconds: float) -> None:
    await talk.rehearse()
    async with world(deployed, pace, answer=talk.answer) as made, asyncio.TaskGroup() as group:
        agent = await made.agent()
        await made.call(agent, talk.script(0, SENTENCES[: len(talk.ANSWERS)]))
        began, diary = time.monotonic(), Diary()
        live = LiveCalls(made, agent, lambda number: _script(number, began + seconds), apart_s=0.5)
        live.wanted = calls
        placing = group.create_task(live.run())
        reading = group.create_task(diary.keep(deployed, began))
        try:
            await asyncio.sleep(seconds)
            seen = await asyncio.to_thread(numbers, deployed.settings.callboard_data_dir)
        finally:
            reading.cancel()
            live.finish()
        await placing
        found, missing = await live.conversations(FINAL_S)
    _print_parts(diary, seconds)
    _print_turns(found, began, seconds)
    problems = [f"{each.call.id}: {problem}" for each in found for problem in gaps_in_log(each, USUAL)]
    print(f"calls {len(found)}, without a log {len(missing)}, orders refused {len(live.refusals)}")
    print(f"logs that are not complete: {len(problems)}", *problems[:5], sep="\n    ")
    _print_numbers(seen)
    _print_errors(deployed)


def _script(number: int, ends_at: float) -> Script:
    """Two to three minutes, but not much beyond the end of the run."""
    left_s = max(SHORTEST_S, ends_at - time.monotonic())
    return talk.conversation(number, min(left_s, random.Random(number).uniform(120, 180)))


# --- what it came to -----------------------------------------------------------------------------------
def _print_parts(diary: Diary, seconds: float) -> None:
    table = Table(COLUMNS)
    for part in sorted(set(diary.parts.values())):
        all_of = [readings for pid, readings in diary.readings.items() if diary.parts[pid] == part]
        settled = [_settled(readings, seconds / 3600) for readings in all_of]
        lasting = [readings for readings in settled if readings]
        slopes = [slope for each in lasting if (slope := fitted([(r.hours, r.mb) for r in each])) is not None]
        steepest = max(slopes, key=lambda slope: slope.per_x - 2 * slope.error, default=None)
        first, last = ([readings[at] for readings in lasting] for at in (0, -1))
        table.row(
            part,
            len(all_of),
            len(lasting),
            round(sum(each.mb for each in first)),
            round(sum(each.mb for each in last)),
            *((steepest.per_x, steepest.error) if steepest else (None, None)),
            sum(each.files for each in first),
            sum(each.files for each in last),
            _verdict(slopes),
        )


def _settled(readings: Sequence[Reading], hours: float) -> list[Reading]:
    """Those after the warm-up, of a process that was there from then to the end; none, of any other."""
    kept = [each for each in readings if each.hours >= hours * WARM_UP]
    slack = 2 * EVERY_S / 3600
    is_lasting = kept and kept[0].hours < hours * WARM_UP + slack and kept[-1].hours > hours - slack
    return kept if is_lasting else []


def _verdict(slopes: Sequence[Slope]) -> str:
    if not slopes:
        return "-"
    return "yes" if all(slope.is_flat(FLAT_MB_PER_HOUR) for slope in slopes) else "NO"


def _print_turns(found: Sequence[Conversation], began: float, seconds: float) -> None:
    reports = [each.report for each in found]
    for index in range(max(1, round(seconds / SPAN_S))):
        span = Step(0, began + index * SPAN_S, began + (index + 1) * SPAN_S)
        what = heard(reports, span)
        worst = f"gap p99 {what.gaps.quantile(0.99):.0f} ms, unanswered {what.unanswered}, lost {what.broken}"
        print(f"minute {index * SPAN_S / 60:3.0f}: turns {what.turns}; {worst}")


def _print_numbers(seen: Numbers) -> None:
    shown = ((name, seen.total(name)) for name in COUNTED)
    print("by the product's own count: " + ", ".join(f"{name} {value or 0:g}" for name, value in shown))


def _print_errors(deployed: Product) -> None:
    data = deployed.settings.callboard_data_dir
    logs = [*(data / "logs").glob("*.log"), *(runtime_path(data) / "ray").glob("session_latest/logs/**/*.*")]
    errors = Counter(error for log in logs if log.is_file() for error in _errors(log))
    print(f"errors in {len(logs)} logs: {errors.total()}")
    for message, count in errors.most_common(10):
        print(f"    {count} x {message}")


def _errors(log: Path) -> Iterator[str]:
    """The messages of a log's errors: of JSON records their fixed text, else the line without its time."""
    for line in log.read_text(errors="replace").splitlines():
        if not any(level in line for level in LEVELS):
            continue
        try:
            record = json.loads(line)
        except ValueError:
            if any(f" {level} " in line for level in LEVELS):
                yield f"{log.stem[:20]}: {line.partition(' ')[2][-100:]}"
            continue
        if isinstance(record, dict) and record.get("levelname") in LEVELS:
            yield str(record.get("message"))


if __name__ == "__main__":
    main()
