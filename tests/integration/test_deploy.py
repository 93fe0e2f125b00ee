"""Deploying again and again on one Ray: what stays, what is replaced, what is brought back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cli import handover
from cli.embedded.ports import free_port
from cli.embedded.ray import ray_environment
from models.settings import REPOSITORY, Settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

STEP_S = 120


class Deployed:
    """The product as somebody with a command line has it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def deploy(self, **changed: object) -> None:
        """Put it there, with other settings from now on."""
        self._settings = self._settings.model_copy(update=changed)
        self._run("cli.on_ray", "deploy")

    def drain(self) -> str:
        """Drain all of it; what was printed."""
        return self._run("cli.on_ray", "drain", "", "20", "stay")

    def look(self) -> tuple[dict[str, str], set[str]]:
        """Actors by name, call actors left out, and replicas."""
        found = json.loads(self._run("tests.integration.on_ray", "look").splitlines()[-1])
        actors = {name: actor for name, actor in found["actors"].items() if not name.startswith("call:")}
        return actors, set(found["replicas"])

    def lose(self, name: str) -> None:
        """End an actor for good."""
        self._run("tests.integration.on_ray", "lose", name)

    def shut_down(self) -> None:
        """Take it off."""
        self._run("tests.integration.on_ray", "shutdown")

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            (sys.executable, "-m", *command),
            input=handover.dump(self._settings),
            env={**os.environ, **ray_environment(self._settings), "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            timeout=STEP_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def deployed(ray_cluster: Settings) -> Iterator[Deployed]:
    own = {"mongodb_database": f"{ray_cluster.mongodb_database}_deploy"}  # campaigns of other tests want actors
    small = own | {"port": free_port(), "serve_replicas": 1, "call_slots": 2, "call_idle_min": 1}
    product = Deployed(ray_cluster.model_copy(update=small))
    product.deploy()
    yield product
    product.shut_down()


def test_the_same_again_changes_nothing_and_something_else_replaces_all_of_it(deployed: Deployed) -> None:
    actors, replicas = deployed.look()
    deployed.deploy()
    assert deployed.look() == (actors, replicas)

    deployed.lose(pool(actors))
    while pool(actors) not in (brought_back := deployed.look()[0]):
        pass
    assert {name for name in actors if actors[name] != brought_back[name]} == {pool(actors)}
    actors = brought_back

    deployed.drain()
    assert "drained" in deployed.drain()
    deployed.deploy()
    reopened, still = deployed.look()
    assert {name for name in actors if actors[name] != reopened[name]} == {pool(actors), "callboard_keeper"}
    assert still == replicas

    deployed.deploy(stt_timeout_s=5.5)
    newer, new_replicas = deployed.look()
    assert newer.keys() == actors.keys()
    assert not set(newer.values()) & set(reopened.values())
    assert not new_replicas & replicas


def pool(actors: dict[str, str]) -> str:
    """The one pool's name."""
    (name,) = (name for name in actors if name.startswith("call_pool:"))
    return name
