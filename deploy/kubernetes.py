"""The parts of Kubernetes' and KubeRay's (ray.io/v1) objects that we use; a field that is not theirs is an error.

Names and types are those of KubeRay 1.5 and later, and of Kubernetes' core/v1.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Object(BaseModel):
    """Fields are written in snake case here and in camel case there."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Metadata(Object):
    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$")
    labels: dict[str, str] | None = None


class FieldRef(Object):
    field_path: Literal["status.podIP"]


class ValueFrom(Object):
    field_ref: FieldRef


class Variable(Object):
    name: str
    value: str | None = None
    value_from: ValueFrom | None = None


class Named(Object):
    name: str


class EnvironmentFrom(Object):
    secret_ref: Named


class HttpGet(Object):
    path: str = Field(pattern="^/")
    port: int = Field(ge=1, le=65535)


class Exec(Object):
    command: list[str] = Field(min_length=1)


class Probe(Object):
    http_get: HttpGet
    period_seconds: int = Field(ge=1)
    timeout_seconds: int = Field(ge=1)
    failure_threshold: int = Field(ge=1)


class Hook(Object):
    exec: Exec


class Lifecycle(Object):
    pre_stop: Hook


class Port(Object):
    name: str = Field(max_length=15)
    container_port: int = Field(ge=1, le=65535)


class Resources(Object):
    requests: dict[str, str | int]
    limits: dict[str, str | int]


class Mount(Object):
    name: str
    mount_path: str = Field(pattern="^/")


class Container(Object):
    name: str
    image: str
    ports: list[Port]
    env: list[Variable]
    env_from: list[EnvironmentFrom]
    resources: Resources
    volume_mounts: list[Mount]
    readiness_probe: Probe | None = None
    lifecycle: Lifecycle | None = None


class EmptyDir(Object):
    medium: Literal["Memory"] | None = None
    size_limit: str | None = None


class Volume(Object):
    name: str
    empty_dir: EmptyDir


class Toleration(Object):
    key: str
    operator: Literal["Exists", "Equal"]
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class PodSpec(Object):
    termination_grace_period_seconds: int = Field(ge=0)
    containers: list[Container] = Field(min_length=1)
    volumes: list[Volume]
    tolerations: list[Toleration] | None = None


class PodTemplate(Object):
    spec: PodSpec


class HeadGroup(Object):
    ray_start_params: dict[str, str]
    template: PodTemplate


class WorkerGroup(Object):
    group_name: str
    replicas: int = Field(ge=0)
    min_replicas: int = Field(ge=0)
    max_replicas: int = Field(ge=0)
    ray_start_params: dict[str, str]
    template: PodTemplate


class AutoscalerOptions(Object):
    idle_timeout_seconds: int = Field(ge=0)
    upscaling_mode: Literal["Default", "Aggressive", "Conservative"]


class RayClusterSpec(Object):
    ray_version: str
    enable_in_tree_autoscaling: bool
    autoscaler_options: AutoscalerOptions
    head_group_spec: HeadGroup
    worker_group_specs: list[WorkerGroup]


class UpgradeStrategy(Object):
    type: Literal["NewCluster", "None", "NewClusterWithIncrementalUpgrade"]


class ServicePort(Object):
    name: str
    port: int = Field(ge=1, le=65535)
    target_port: int = Field(ge=1, le=65535)


class ServiceSpec(Object):
    type: Literal["ClusterIP", "NodePort", "LoadBalancer"]
    ports: list[ServicePort]


class Service(Object):
    metadata: Metadata
    spec: ServiceSpec


class RayServiceSpec(Object):
    ray_cluster_deletion_delay_seconds: int = Field(ge=0)
    upgrade_strategy: UpgradeStrategy
    exclude_head_pod_from_serve_svc: bool
    serve_service: Service
    serve_config_v2: str = Field(alias="serveConfigV2")
    ray_cluster_config: RayClusterSpec


class RayService(Object):
    api_version: Literal["ray.io/v1"] = "ray.io/v1"
    kind: Literal["RayService"] = "RayService"
    metadata: Metadata
    spec: RayServiceSpec

    def document(self) -> dict[str, Any]:
        """As Kubernetes reads it."""
        return self.model_dump(by_alias=True, exclude_none=True)
