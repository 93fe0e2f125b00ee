"""`callboard up` as a person meets it: what it prints, what it restarts, and that it leaves nothing behind.

The Serve application is a stand-in (run_up.py); Ray is left out by RAY_ADDRESS=auto except where Ray is the matter.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from cli.embedded.places import runtime_path
from cli.embedded.ports import free_port
from models.settings import REPOSITORY

pytestmark = pytest.mark.integration

UP = "Callboard is up"
REFUSED = 2


class Run:
    """One `callboard up`, and every process that came of it."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self._mark = uuid.uuid4().hex
        self.output = data_dir.parent / f"output-{self._mark[:6]}.txt"
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MONGODB_", "REDIS_", "RAY_"))}
        self.port = environment.get("PORT", str(free_port()))
        env |= {"CALLBOARD_DATA_DIR": str(data_dir), **environment, "PORT": self.port, "TEST_RUN": self._mark}
        self._sockets = str(runtime_path(data_dir))
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.run_up"],
                cwd=REPOSITORY,
                env=env,
                stdout=output,
                stderr=output,
            )

    def printed(self) -> str:
        """What it has printed so far."""
        return self.output.read_text()

    def wait_for(self, text: str, *, times: int = 1, within_s: float = 30) -> None:
        """Wait until it has printed `text` that often."""
        wait_until(lambda: self.printed().count(text) >= times, within_s, lambda: self.printed())

    def end(self, number: signal.Signals = signal.SIGINT, *, within_s: float = 20) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(within_s)

    def processes(self, part: str = "") -> list[psutil.Process]:
        """Everything of this run that is alive and has `part` in its command line."""
        return [each for each in psutil.process_iter() if self._is_ours(each, part)]

    def child(self, part: str) -> psutil.Process:
        """The one process, not its guard, with `part` in its command line."""
        (found,) = [each for each in self.processes(part) if not any("guard.py" in word for word in each.cmdline())]
        return found

    def assert_nothing_left(self) -> None:
        """No process of this run is alive, or ends very soon."""
        wait_until(lambda: not self.processes(), 15, lambda: str([each.cmdline() for each in self.processes()]))

    def _is_ours(self, process: psutil.Process, part: str) -> bool:
        try:
            line = " ".join(process.cmdline())
            # Redis writes its title over its environment, but its socket is in the title.
            return part in line and (process.environ().get("TEST_RUN") == self._mark or self._sockets in line)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that only waits to be collected does not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], bool], within_s: float, explain: Callable[[], str]) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Starts runs on this test's data directory, without Ray unless asked."""
    runs: list[Run] = []

    def start(**environment: str) -> Run:
        runs.append(Run(tmp_path / "data", **({"RAY_ADDRESS": "auto"} | environment)))
        return runs[-1]

    yield start
    for run in runs:
        for process in run.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        run.process.wait(10)
    shutil.rmtree(runtime_path(tmp_path / "data"), ignore_errors=True)


def test_ctrl_c_stops_everything_within_seconds(start: Callable[..., Run]) -> None:
    run = start()
    run.wait_for(UP)
    began = time.monotonic()
    assert run.end() == 0
    assert time.monotonic() - began < 10
    assert run.printed().endswith("Stopped.\n")
    run.assert_nothing_left()


def test_ctrl_c_during_the_start_stops_everything_too(start: Callable[..., Run]) -> None:
    run = start()
    run.wait_for("mongodb")
    assert run.end() == 0
    run.assert_nothing_left()


def test_nothing_survives_when_up_itself_is_killed(start: Callable[..., Run]) -> None:
    run = start()
    run.wait_for(UP)
    run.end(signal.SIGKILL)
    run.assert_nothing_left()


def test_a_new_run_takes_over_from_a_killed_one(start: Callable[..., Run]) -> None:
    first = start()
    first.wait_for(UP)
    first.end(signal.SIGKILL)
    second = start()
    second.wait_for(UP)
    assert second.end() == 0


def test_killed_children_are_started_again(start: Callable[..., Run]) -> None:
    run = start()
    run.wait_for(UP)
    for part, name in (("server.mjs", "mongodb"), ("redis-server", "redis"), ("run_up ", "serve")):
        run.child(part).kill()
        run.wait_for(f"{name:10} was killed by SIGKILL")
        run.wait_for(f"{name:10} ready in", times=2)
    assert run.end() == 0
    run.assert_nothing_left()


def test_a_killed_guard_takes_its_child_along_and_both_come_back(start: Callable[..., Run]) -> None:
    run = start()
    run.wait_for(UP)
    redis = run.child("redis-server")
    guard = redis.parent()
    assert guard is not None
    guard.kill()
    run.wait_for(f"{'redis':10} ready in", times=2)
    assert not is_alive(redis)
    assert run.end() == 0
    run.assert_nothing_left()


def test_a_second_run_is_refused_in_one_line_by_its_port_or_its_data(start: Callable[..., Run]) -> None:
    first = start()
    first.wait_for(UP)
    same_port = start(PORT=first.port)
    same_data = start()
    assert same_port.process.wait(20) == REFUSED
    assert "set PORT" in one_line(same_port)
    assert same_data.process.wait(20) == REFUSED
    assert f"is in use by process {first.process.pid}" in one_line(same_data)
    assert first.process.poll() is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("MONGODB_URL", "mongodb://ada:hidden@127.0.0.1:1/"),
        ("REDIS_URL", "redis://:hidden@127.0.0.1:1/0"),
        ("RAY_ADDRESS", "127.0.0.1:1"),
    ],
)
def test_an_unreachable_service_is_one_line_naming_the_setting(
    start: Callable[..., Run], setting: str, value: str
) -> None:
    run = start(**{setting: value})
    assert run.process.wait(30) == REFUSED
    line = run.printed().splitlines()[-1]
    assert line.startswith("error: ")
    assert line.endswith(f"check {setting}")
    assert "hidden" not in run.printed()
    run.assert_nothing_left()


def test_a_missing_program_is_one_line_naming_the_setting(start: Callable[..., Run], tmp_path: Path) -> None:
    run = start(PATH=str(tmp_path), MONGODB_URL="")
    assert run.process.wait(20) == REFUSED
    line = run.printed().splitlines()[-1]
    assert "MONGODB_URL" in line
    assert "make setup" in line
    run.assert_nothing_left()


@pytest.mark.timeout(120)
def test_a_dead_ray_ends_the_run_with_a_message(start: Callable[..., Run]) -> None:
    run = start(RAY_ADDRESS="")
    run.wait_for(UP, within_s=90)
    run.child("raylet/raylet").kill()
    assert run.process.wait(30) == REFUSED
    assert "set RAY_ADDRESS" in run.printed().splitlines()[-1]
    run.assert_nothing_left()


def one_line(run: Run) -> str:
    """The only line it printed, an error."""
    (line,) = run.printed().splitlines()
    assert line.startswith("error: ")
    return line
