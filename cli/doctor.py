"""`callboard doctor`: line by line what is there, what is missing and what to do about it. Starts nothing."""

from collections.abc import Callable, Iterable

from cli.checks import CHECKS, Finding, State
from cli.embedded.metrics import metrics_answer, metrics_url, targets_file
from cli.errors import StartFailed
from cli.terminal import Terminal
from models.settings import Settings

COLOURS = {State.OK: "32", State.MISSING: "31", State.NOTE: "33"}


def doctor(settings: Settings) -> int:
    """Print every finding; 1 when something needed is missing."""
    terminal = Terminal()
    findings = list(examine(settings))
    for finding in findings:
        terminal.row(COLOURS[finding.state], finding.name, finding.state.value, finding.text)
    missing = [finding.name for finding in findings if finding.state is State.MISSING]
    terminal.note("")
    terminal.note(
        f"Missing: {', '.join(missing)}." if missing else "Everything needed is there: `callboard up` can start."
    )
    return 1 if missing else 0


def examine(settings: Settings) -> Iterable[Finding]:
    """Every finding, one by one; a check that says StartFailed becomes its finding."""
    for name, check in (*CHECKS, ("metrics", metrics)):
        yield _examine(name, check, settings)


def metrics(settings: Settings) -> Finding:
    """Where Prometheus reads the numbers."""
    if settings.ray_address:
        return Finding("metrics", State.OK, "on each node of the Ray cluster, at its metrics export port")
    url = metrics_url(settings.callboard_data_dir)
    if url is None or not metrics_answer(url):
        return Finding("metrics", State.OK, "embedded, not running")
    return Finding("metrics", State.OK, f"{url}, named in {targets_file(settings.callboard_data_dir)}")


def _examine(name: str, check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return check(settings)
    except StartFailed as failure:
        return Finding(name, State.MISSING, str(failure))
