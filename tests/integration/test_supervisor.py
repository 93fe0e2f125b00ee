"""The supervisor and its guards with real processes: restarts, giving up, and nothing left behind."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from cli.child import Child, Restart
from cli.errors import StartFailed
from cli.supervisor import Supervisor

pytestmark = pytest.mark.integration

SLEEPER = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {ready}; time.sleep(600)"
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({file!r}, "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
time.sleep({lives_s})
"""


class Heard:
    """A teller that remembers, and says when something happened."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.changed = asyncio.Event()

    def started(self, child: Child, *, took_s: float) -> None:
        self._add(f"{child.name} started")

    def ended(self, child: Child, *, status: str) -> None:
        self._add(f"{child.name} {status}")

    async def wait_for(self, line: str, *, times: int = 1) -> None:
        """Wait until `line` was told that often."""
        async with asyncio.timeout(20):
            while self.lines.count(line) < times:
                self.changed.clear()
                await self.changed.wait()

    def _add(self, line: str) -> None:
        self.lines.append(line)
        self.changed.set()


def python(
    code: str, *, name: str = "child", ready: Callable[[], Awaitable[bool]] | None = None, **more: object
) -> Child:
    """A child that runs `code`."""
    options = {"setting": "SETTING", **more} | ({"ready": ready} if ready else {})
    return Child(name=name, command=(sys.executable, "-I", "-S", "-c", code), **options)  # type: ignore[arg-type]


def exists(path: Path) -> Callable[[], Awaitable[bool]]:
    """A ready check on a file with something in it."""

    def has_text() -> bool:
        return path.exists() and path.stat().st_size > 0

    async def ready() -> bool:
        return await asyncio.to_thread(has_text)

    return ready


async def pid_of(supervisor: Supervisor, name: str) -> int:
    """The process of a child, which its guard may not have started yet."""
    async with asyncio.timeout(10):
        while (pid := supervisor.pid(name)) is None:  # noqa: ASYNC110 - nothing tells of a fork elsewhere
            await asyncio.sleep(0.01)
        return pid


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_leaving_the_context_stops_every_child(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, Heard()) as supervisor:
        await supervisor.start(python(SLEEPER, name="one"))
        await supervisor.start(python(SLEEPER, name="two"))
        pids = [await pid_of(supervisor, name) for name in ("one", "two")]
    assert not any(alive(pid) for pid in pids)


async def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = STUBBORN.format(ready=f"import os; open({str(file)!r}, 'w').write(str(os.getpid()))")
    async with Supervisor(tmp_path, Heard()) as supervisor:
        await supervisor.start(python(code, ready=exists(file), stop_grace_s=0.3))
        pid = int(file.read_text())
        assert alive(pid)
    assert not alive(pid)


@pytest.mark.parametrize("lives_s", [600, 0.5])
async def test_daemons_a_child_started_end_with_it(tmp_path: Path, lives_s: float) -> None:
    file = tmp_path / "pid"
    code = DAEMON.format(file=str(file), lives_s=lives_s)
    async with Supervisor(tmp_path, Heard()) as supervisor:
        await supervisor.start(python(code, ready=exists(file), restart=Restart.DONE))
    assert not alive(int(file.read_text()))


async def test_a_child_that_ends_is_started_again(tmp_path: Path) -> None:
    heard = Heard()
    async with Supervisor(tmp_path, heard) as supervisor:
        await supervisor.start(python(SLEEPER))
        os.kill(await pid_of(supervisor, "child"), signal.SIGKILL)
        await heard.wait_for("child started", times=2)
        assert alive(await pid_of(supervisor, "child"))
    assert heard.lines == ["child started", "child was killed by SIGKILL", "child started"]


async def test_one_that_keeps_ending_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.supervisor.PAUSES_S", (0.0, 0.0))
    heard = Heard()
    async with Supervisor(tmp_path, heard) as supervisor:
        await supervisor.start(python("import time; time.sleep(0.2); raise SystemExit(3)"))
        with pytest.raises(StartFailed, match=r"child ended with status 3; see .*child\.log or set SETTING"):
            await supervisor.wait()
    assert heard.lines.count("child ended with status 3") == 3


async def test_one_that_may_not_be_started_again_ends_the_run(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, Heard()) as supervisor:
        await supervisor.start(python(SLEEPER, restart=Restart.NEVER))
        os.kill(await pid_of(supervisor, "child"), signal.SIGKILL)
        with pytest.raises(StartFailed, match="child was killed by SIGKILL"):
            await supervisor.wait()


async def test_one_that_may_finish_ends_nothing(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, Heard()) as supervisor:
        await supervisor.start(python("pass", name="task", restart=Restart.DONE))
        await supervisor.start(python(SLEEPER))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await supervisor.wait()


async def test_a_failed_start_tells_the_last_line_of_the_log(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    async with Supervisor(tmp_path, Heard()) as supervisor:
        with pytest.raises(StartFailed, match=r"child ended with status 1 at its start: out of cheese .*SETTING"):
            await supervisor.start(python("raise SystemExit('out of cheese')", ready=never))


async def test_a_child_that_never_gets_ready_is_stopped(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    async with Supervisor(tmp_path, Heard()) as supervisor:
        with pytest.raises(StartFailed, match=r"child was not ready in 0\.3 s"):
            await supervisor.start(python(SLEEPER, ready=never, ready_timeout_s=0.3))
        assert supervisor.pid("child") is None


async def test_a_missing_program_is_told(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    async with Supervisor(tmp_path, Heard()) as supervisor:
        with pytest.raises(StartFailed, match="/no/such/program: No such file"):
            await supervisor.start(Child(name="child", command=("/no/such/program",), setting="S", ready=never))


async def test_what_is_handed_over_arrives_on_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "got"
    code = f"import sys, time; open({str(file)!r}, 'w').write(sys.stdin.read()); time.sleep(600)"
    async with Supervisor(tmp_path, Heard()) as supervisor:
        await supervisor.start(python(code, stdin="a secret", ready=exists(file)))
    assert file.read_text() == "a secret"
