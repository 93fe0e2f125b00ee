"""kuberay.yaml, a RayService: a new version is a new Ray cluster beside the old one, which outlives its calls."""

import json
from importlib.metadata import version

import yaml

from deploy import kubernetes as k8s
from deploy.numbers import CallNodes, Machine, Numbers, SpeechToText

NAME = "callboard"
SECRET = "callboard-settings"
"""The Secret, made by you, with MONGODB_URL, REDIS_URL, SECRET_KEY, ENCRYPTION_KEY, PUBLIC_URL and vendors' keys."""
METRICS_PORT = 8080
GRACE_MARGIN_S = 60
APPLICATION = "serve_app.app:from_environment"
STOPPING_HEAD = "callboard drain --wait {wait_s}"
STOPPING_CALLS = 'callboard drain --node "$POD_IP" --leave --wait {wait_s}'


def service(numbers: Numbers) -> k8s.RayService:
    """The whole object."""
    return k8s.RayService(
        metadata=k8s.Metadata(name=NAME),
        spec=k8s.RayServiceSpec(
            upgrade_strategy=k8s.UpgradeStrategy(type="NewCluster"),
            ray_cluster_deletion_delay_seconds=numbers.drain_s,
            exclude_head_pod_from_serve_svc=True,
            serve_service=_serve_service(numbers),
            serve_config_v2=_serve_config(numbers),
            ray_cluster_config=_cluster(numbers),
        ),
    )


def _serve_service(numbers: Numbers) -> k8s.Service:
    # The operator keeps the port of this name and no other.
    ports = [k8s.ServicePort(name="serve", port=80, target_port=numbers.calls.port)]
    return k8s.Service(metadata=k8s.Metadata(name=NAME), spec=k8s.ServiceSpec(type="LoadBalancer", ports=ports))


def _serve_config(numbers: Numbers) -> str:
    config = {
        "proxy_location": "EveryNode",
        "http_options": {"host": "0.0.0.0", "port": numbers.calls.port},
        "applications": [{"name": NAME, "import_path": APPLICATION, "route_prefix": "/"}],
    }
    text: str = yaml.safe_dump(config, sort_keys=False)
    return text


def _cluster(numbers: Numbers) -> k8s.RayClusterSpec:
    groups = [_call_group(numbers, numbers.call_nodes)]
    if numbers.has_gpu_nodes:
        groups.append(_speech_group(numbers, numbers.speech_to_text))
    return k8s.RayClusterSpec(
        ray_version=version("ray"),
        enable_in_tree_autoscaling=True,
        autoscaler_options=k8s.AutoscalerOptions(idle_timeout_seconds=numbers.drain_s, upscaling_mode="Default"),
        head_group_spec=k8s.HeadGroup(
            ray_start_params=_start({"autoscaled": 1}) | {"num-cpus": "0", "dashboard-host": "0.0.0.0"},
            template=_pod(numbers, "ray-head", numbers.head, stopping=STOPPING_HEAD),
        ),
        worker_group_specs=groups,
    )


def _call_group(numbers: Numbers, calls: CallNodes) -> k8s.WorkerGroup:
    template = _pod(numbers, "ray-worker", calls, stopping=STOPPING_CALLS)
    container = template.spec.containers[0]
    container.ports.append(k8s.Port(name="serve", container_port=numbers.calls.port))
    # Only for who gets new requests: a pod without a replica has nobody to answer, and is well.
    container.readiness_probe = k8s.Probe(
        http_get=k8s.HttpGet(path="/ready", port=numbers.calls.port),
        period_seconds=5,
        timeout_seconds=5,
        failure_threshold=3,
    )
    return k8s.WorkerGroup(
        group_name="calls",
        replicas=calls.fewest,
        min_replicas=calls.fewest,
        max_replicas=calls.most,
        ray_start_params=_start({"call_slots": calls.slots}) | {"num-cpus": str(calls.cores)},
        template=template,
    )


def _speech_group(numbers: Numbers, speech: SpeechToText) -> k8s.WorkerGroup:
    template = _pod(numbers, "ray-worker", speech)
    resources = template.spec.containers[0].resources
    for part in (resources.requests, resources.limits):
        part["nvidia.com/gpu"] = 1
    template.spec.tolerations = [k8s.Toleration(key="nvidia.com/gpu", operator="Exists", effect="NoSchedule")]
    return k8s.WorkerGroup(
        group_name="speech-to-text",
        replicas=speech.workers,
        min_replicas=speech.workers,
        max_replicas=speech.workers,
        ray_start_params=_start({}) | {"num-cpus": "0", "num-gpus": "1"},
        template=template,
    )


def _start(resources: dict[str, int]) -> dict[str, str]:
    """What `ray start` is told; custom resources are JSON in quotes, because the operator puts them into a shell."""
    offered = {"resources": f"'{json.dumps(resources)}'"} if resources else {}
    return {"metrics-export-port": str(METRICS_PORT), **offered}


def _pod(numbers: Numbers, name: str, machine: Machine, *, stopping: str | None = None) -> k8s.PodTemplate:
    """A pod of one Ray node. `stopping` runs before it ends, and has time for the longest call."""
    size: dict[str, str | int] = {"cpu": machine.cores, "memory": f"{machine.memory_gb}Gi"}
    command = ["/bin/sh", "-c", stopping.format(wait_s=numbers.drain_s)] if stopping else None
    container = k8s.Container(
        name=name,
        image=numbers.tagged_image,
        ports=[k8s.Port(name="metrics", container_port=METRICS_PORT)],
        env=_variables(numbers),
        env_from=[k8s.EnvironmentFrom(secret_ref=k8s.Named(name=SECRET))],
        resources=k8s.Resources(requests=dict(size), limits=dict(size)),
        volume_mounts=[
            k8s.Mount(name="shared-memory", mount_path="/dev/shm"),
            k8s.Mount(name="ray-logs", mount_path="/tmp/ray"),
        ],
        lifecycle=k8s.Lifecycle(pre_stop=k8s.Hook(exec=k8s.Exec(command=command))) if command else None,
    )
    return k8s.PodTemplate(
        spec=k8s.PodSpec(
            termination_grace_period_seconds=numbers.drain_s + GRACE_MARGIN_S if stopping else GRACE_MARGIN_S,
            containers=[container],
            volumes=[
                k8s.Volume(name="shared-memory", empty_dir=k8s.EmptyDir(medium="Memory", size_limit="2Gi")),
                k8s.Volume(name="ray-logs", empty_dir=k8s.EmptyDir()),
            ],
        )
    )


def _variables(numbers: Numbers) -> list[k8s.Variable]:
    address = k8s.ValueFrom(field_ref=k8s.FieldRef(field_path="status.podIP"))
    plain = [k8s.Variable(name=name, value=value) for name, value in numbers.environment().items()]
    return [*plain, k8s.Variable(name="POD_IP", value_from=address)]
