"""The files a cluster is started from: what the numbers give, and what Ray and KubeRay can read."""

import importlib
import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import ray
import yaml
from pydantic import ValidationError
from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr

from actors.cluster.pool import AUTOSCALED
from actors.handles import CALL_SLOTS
from deploy import kuberay, launcher, numbers, render
from deploy.kubernetes import RayService
from models.settings import Settings

NUMBERS = numbers.read()
ON_CPU = NUMBERS.model_copy(
    update={"speech_to_text": NUMBERS.speech_to_text.model_copy(update={"device": "cpu", "workers": 1})}
)
SCHEMA = Path(ray.__file__).parent / "autoscaler" / "ray-schema.json"
BOTH = pytest.mark.parametrize("given", [NUMBERS, ON_CPU], ids=["gpu", "cpu"])


def service(given: numbers.Numbers) -> dict[str, Any]:
    return kuberay.service(given).document()


def pods(given: numbers.Numbers) -> dict[str, dict[str, Any]]:
    cluster = service(given)["spec"]["rayClusterConfig"]
    workers = {group["groupName"]: group["template"]["spec"] for group in cluster["workerGroupSpecs"]}
    return {"head": cluster["headGroupSpec"]["template"]["spec"], **workers}


@pytest.mark.parametrize(("path", "text"), render.files(NUMBERS).items(), ids=lambda each: getattr(each, "name", ""))
def test_what_is_committed_is_what_the_numbers_give(path: Path, text: str) -> None:
    assert path.read_text() == text, "run python -m deploy.render"


# --- Ray's launcher --------------------------------------------------------------------------------------
@BOTH
def test_the_launchers_file_satisfies_rays_own_schema(given: numbers.Numbers) -> None:
    jsonschema_rs.validate(json.loads(SCHEMA.read_text()), launcher.cluster(given))


def test_only_call_nodes_take_calls_and_the_head_says_that_nodes_can_be_added() -> None:
    offered = {name: kind["resources"] for name, kind in launcher.cluster(NUMBERS)["available_node_types"].items()}
    assert [name for name, resources in offered.items() if CALL_SLOTS in resources] == ["calls"]
    assert [name for name, resources in offered.items() if resources["CPU"]] == ["calls"]
    assert [name for name, resources in offered.items() if AUTOSCALED in resources] == ["head"]


def test_the_shell_reads_the_environment_as_it_was_meant() -> None:
    script = f"env -i sh -c 'set -a; . {render.ROOT}/deploy/node.env; env -0'"
    printed = subprocess.run(script, shell=True, capture_output=True, text=True, check=True).stdout
    found = dict(line.partition("=")[::2] for line in printed.split("\0") if line)
    assert found.items() >= NUMBERS.environment().items()


# --- KubeRay ---------------------------------------------------------------------------------------------
@BOTH
def test_rays_autoscaler_understands_the_ray_service(given: numbers.Numbers) -> None:
    resource = {
        "metadata": {"name": "callboard", "namespace": "calls"},
        "spec": service(given)["spec"]["rayClusterConfig"],
    }
    config = _derive_autoscaling_config_from_ray_cr(resource)
    kinds = config["available_node_types"]
    assert config["idle_timeout_minutes"] * 60 == given.drain_s
    assert kinds["calls"]["resources"][CALL_SLOTS] == given.call_nodes.slots
    assert kinds["calls"]["max_workers"] == given.call_nodes.most
    assert kinds[config["head_node_type"]]["resources"][AUTOSCALED] == 1
    assert ("speech-to-text" in kinds) is given.has_gpu_nodes


def test_gpus_are_asked_for_where_speech_to_text_runs_on_them() -> None:
    (container,) = pods(NUMBERS)["speech-to-text"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert "speech-to-text" not in pods(ON_CPU)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Serve's own, when it is imported
def test_serve_reads_its_part_and_finds_the_application() -> None:
    from ray.serve.schema import ServeDeploySchema

    config = ServeDeploySchema.model_validate(yaml.safe_load(service(NUMBERS)["spec"]["serveConfigV2"]))
    (application,) = config.applications
    module, _, name = application.import_path.partition(":")
    assert callable(getattr(importlib.import_module(module), name))


@BOTH
def test_nothing_of_kubernetes_is_more_hurried_than_the_longest_call(given: numbers.Numbers) -> None:
    longest = given.calls.longest_s
    assert service(given)["spec"]["rayClusterDeletionDelaySeconds"] > longest
    for name in ("head", "calls"):
        assert pods(given)[name]["terminationGracePeriodSeconds"] > given.drain_s > longest


def test_a_call_node_drains_before_it_stops_and_says_when_it_is_ready() -> None:
    (container,) = pods(NUMBERS)["calls"]["containers"]
    assert container["lifecycle"]["preStop"]["exec"]["command"][-1].startswith('callboard drain --node "$POD_IP"')
    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": NUMBERS.calls.port}
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pods(NUMBERS)["calls"]["volumes"]
    }


def test_a_field_kubernetes_does_not_know_is_refused() -> None:
    document = service(NUMBERS)
    document["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]["maxReplica"] = 3
    with pytest.raises(ValidationError, match="maxReplica"):
        RayService.model_validate(document)


# --- both ------------------------------------------------------------------------------------------------
def test_every_setting_of_a_node_is_one_of_ours() -> None:
    given = NUMBERS.settings()
    settings = Settings(_env_file=None, **{name.lower(): value for name, value in given.items()})  # type: ignore[arg-type]
    assert {str(getattr(settings, name.lower())) for name in given} == set(given.values())


def test_no_secret_is_in_a_file_everybody_can_read() -> None:
    secret = {name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    assert not secret & {name.lower() for name in NUMBERS.environment()}


def test_an_unknown_number_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "numbers.toml"
    path.write_text((numbers.FOLDER / "numbers.toml").read_text() + "\n[nodes]\n")
    with pytest.raises(ValidationError, match="nodes"):
        numbers.read(path)
