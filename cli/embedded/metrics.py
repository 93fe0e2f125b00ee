"""Where the embedded Ray shows its numbers, as a file Prometheus can follow (`file_sd_configs`).

The port is another after each start; the file in the data directory always names the last one.
"""

import json
from pathlib import Path

import httpx

FILE = "prometheus.json"
TIMEOUT_S = 2.0


def targets_file(data_dir: Path) -> Path:
    """The file of one data directory, whether it is there or not."""
    return data_dir / FILE


def write_targets(data_dir: Path, address: str) -> None:
    """Name `host:port`, whole or not at all: Prometheus may read at any moment."""
    path = targets_file(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_text(json.dumps([{"targets": [address], "labels": {}}]) + "\n")
    written.replace(path)


def metrics_url(data_dir: Path) -> str | None:
    """The page with the numbers, if a start has named one."""
    try:
        targets = json.loads(targets_file(data_dir).read_text())
        return f"http://{targets[0]['targets'][0]}/metrics"
    except (OSError, ValueError, LookupError):
        return None


def metrics_answer(url: str) -> bool:
    """Whether the page is there."""
    try:
        return httpx.get(url, timeout=TIMEOUT_S, trust_env=False).is_success
    except httpx.HTTPError:
        return False
