"""The rules of the layout, read from the source itself. They are written in tests/architecture.py and applied here."""

from pathlib import Path

import pytest

from models.settings import REPOSITORY
from tests import architecture
from tests.architecture import Module

TREE = architecture.python_modules(REPOSITORY)


@pytest.mark.parametrize("rule", architecture.RULES, ids=lambda rule: rule.__name__)
def test_no_module_breaks_the_rule(rule: architecture.Rule) -> None:
    assert [problem for module in TREE for problem in rule(module)] == []


def test_every_part_of_the_tree_was_read() -> None:
    assert {module.package for module in TREE} >= {"actors", "cli", "models", "providers", "simulators", "tests"}


def test_no_source_file_is_longer_than_300_lines() -> None:
    assert architecture.too_long(REPOSITORY) == []


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (architecture.imports_point_down, "models/x.py", "from stores import calls"),
        (architecture.imports_point_down, "stores/x.py", "import providers.llm.openai"),
        (architecture.imports_point_down, "services/x.py", "def f():\n    from actors import handles"),
        (architecture.imports_point_down, "actors/x.py", "from serve_app.media import relay"),
        (architecture.imports_point_down, "providers/x.py", "from tests import fakes"),
        (architecture.simulators_stand_alone, "simulators/x.py", "from models.settings import Settings"),
        (architecture.nobody_imports_simulators, "cli/up.py", "from simulators import llm"),
        (architecture.nobody_imports_simulators, "cli/demo.py", "from simulators import llm"),
        (architecture.nobody_imports_simulators, "serve_app/x.py", "import simulators"),
        (architecture.few_import_ray, "services/x.py", "import ray"),
        (architecture.few_import_ray, "actors/call_session/driver.py", "from ray.util import state"),
        (architecture.pure_modules_import_little, "actors/call_session/machine.py", "import logging"),
        (architecture.pure_modules_import_little, "actors/call_session/machine.py", "import time"),
        (architecture.pure_modules_import_little, "actors/call_session/turn.py", "from random import choice"),
        (architecture.pure_modules_import_little, "actors/billing/rating.py", "import httpx"),
        (architecture.pure_modules_import_little, "actors/billing/rating.py", "from actors.call_session import turn"),
        (architecture.pure_modules_never_wait, "actors/call_session/turn.py", "async def decide(): ..."),
    ],
)
def test_each_rule_finds_what_breaks_it(rule: architecture.Rule, path: str, source: str) -> None:
    assert rule(Module.parse(path, source))


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (architecture.imports_point_down, "serve_app/x.py", "from actors import handles\nfrom models import ids"),
        (
            architecture.imports_point_down,
            "services/x.py",
            "from providers import registry\nfrom services import calls",
        ),
        (architecture.nobody_imports_simulators, "bench/x.py", "from simulators import llm"),
        (architecture.nobody_imports_simulators, "tests/x.py", "import simulators.caller"),
        (architecture.few_import_ray, "actors/call_session/actor.py", "import ray"),
        (architecture.few_import_ray, "actors/handles.py", "import ray"),
        (architecture.few_import_ray, "serve_app/wiring.py", "from ray import serve"),
        (
            architecture.pure_modules_import_little,
            "actors/call_session/machine.py",
            "import dataclasses\nimport numpy as np\nfrom models import ids\nfrom actors.call_session.turn import Turn",
        ),
    ],
)
def test_each_rule_lets_pass_what_it_allows(rule: architecture.Rule, path: str, source: str) -> None:
    assert rule(Module.parse(path, source)) == []


def test_a_long_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "actors").mkdir()
    (tmp_path / "actors" / "long.py").write_text("x = 1\n" * 301)
    (tmp_path / "actors" / "short.py").write_text("x = 1\n" * 300)
    assert architecture.too_long(tmp_path) == ["actors/long.py: 301 lines"]


def test_what_a_pure_module_takes_from_beside_it_has_to_be_pure_too() -> None:
    turn = Module.parse("actors/call_session/turn.py", "from actors.call_session import pauses")
    pauses = Module.parse("actors/call_session/pauses.py", "from actors.call_session.clock import now")
    clock = Module.parse("actors/call_session/clock.py", "import time")
    elsewhere = Module.parse("actors/call_session/driver.py", "import time\nfrom actors.call_session import turn")
    tree = architecture.with_pure_parts([turn, pauses, clock, elsewhere])
    problems = [problem for module in tree for problem in architecture.pure_modules_import_little(module)]
    assert problems == ["actors/call_session/clock.py: a pure module imports time"]
