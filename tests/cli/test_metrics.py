"""Where Prometheus finds the embedded Ray's numbers."""

import json
from pathlib import Path

from cli.checks import State
from cli.doctor import metrics
from cli.embedded.metrics import metrics_url, targets_file, write_targets
from models.settings import Settings


def test_the_file_is_what_prometheus_follows_and_names_the_last_start(tmp_path: Path) -> None:
    for port in (4001, 4002):
        write_targets(tmp_path, f"127.0.0.1:{port}")
    assert json.loads(targets_file(tmp_path).read_text()) == [{"targets": ["127.0.0.1:4002"], "labels": {}}]
    assert metrics_url(tmp_path) == "http://127.0.0.1:4002/metrics"
    assert list(tmp_path.iterdir()) == [targets_file(tmp_path)]


def test_before_the_first_start_there_is_no_address(tmp_path: Path) -> None:
    assert metrics_url(tmp_path) is None
    targets_file(tmp_path).write_text("[]")
    assert metrics_url(tmp_path) is None


def test_doctor_says_that_nothing_runs_and_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    write_targets(tmp_path, "127.0.0.1:1")
    found = metrics(Settings(_env_file=None, callboard_data_dir=tmp_path))
    assert (found.state, found.text) == (State.OK, "embedded, not running")


def test_doctor_points_to_the_nodes_of_a_cluster(tmp_path: Path) -> None:
    found = metrics(Settings(_env_file=None, callboard_data_dir=tmp_path, ray_address="10.0.0.1:6379"))
    assert "each node" in found.text
