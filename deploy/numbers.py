"""The numbers a cluster is made of, read from numbers.toml, and what follows from them for every node."""

import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cli.embedded.ray import ray_environment
from models.settings import Settings

FOLDER = Path(__file__).resolve().parent
DRAIN_MARGIN_S = 120
"""On top of the longest call: what a call takes to write its end, and Serve to notice."""
NODE_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # by default 15: calls would stutter beside anything else on the machine
    "RAY_task_events_report_interval_ms": "0",  # nobody reads of single tasks, and their list grows to 100 MB and more
}


class Part(BaseModel):
    """A table of the file; a name it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Calls(Part):
    """What all nodes are told about calls."""

    longest_s: int = Field(ge=10)
    idle_min: int = Field(ge=1)
    port: int = Field(ge=1, le=65535)
    replicas: int = Field(ge=1)


class Machine(Part):
    """One kind of node; `instance` is what a cloud calls it."""

    cores: int = Field(ge=1)
    memory_gb: int = Field(ge=1)
    instance: str


class CallNodes(Machine):
    """The nodes that take calls."""

    slots: int = Field(ge=1)
    fewest: int = Field(ge=1)
    most: int = Field(ge=1)


class SpeechToText(Machine):
    """The speech-to-text workers and, on `cuda`, the nodes they have to themselves."""

    device: Literal["cpu", "cuda"]
    model: str
    workers: int = Field(ge=1)


class Cloud(Part):
    """Where Ray's launcher gets machines from."""

    provider: str
    region: str
    user: str


class Numbers(Part):
    """The whole file."""

    image: str
    calls: Calls
    head: Machine
    call_nodes: CallNodes
    speech_to_text: SpeechToText
    cloud: Cloud

    @property
    def tagged_image(self) -> str:
        """The image of this version."""
        return f"{self.image}:{version('callboard')}"

    @property
    def drain_s(self) -> int:
        """How long a node may need until its last call is over."""
        return self.calls.longest_s + DRAIN_MARGIN_S

    @property
    def has_gpu_nodes(self) -> bool:
        """Whether speech to text has nodes of its own."""
        return self.speech_to_text.device == "cuda"

    def settings(self) -> dict[str, str]:
        """The settings that follow from the numbers, as environment variables."""
        return {
            "PORT": str(self.calls.port),
            "MAX_CALL_S": str(self.calls.longest_s),
            "CALL_SLOTS": str(self.call_nodes.slots),
            "CALL_IDLE_MIN": str(self.calls.idle_min),
            "SERVE_REPLICAS": str(self.calls.replicas),
            "STT_DEVICE": self.speech_to_text.device,
            "STT_MODEL": self.speech_to_text.model,
            "STT_WORKERS": str(self.speech_to_text.workers),
        }

    def environment(self) -> dict[str, str]:
        """What every node's processes have to find: Ray's and Serve's variables, and the settings; no secrets."""
        settings = Settings(_env_file=None, max_call_s=self.calls.longest_s)
        return NODE_ENVIRONMENT | ray_environment(settings, local=False) | self.settings()


def read(path: Path = FOLDER / "numbers.toml") -> Numbers:
    """The numbers, or pydantic's ValidationError."""
    return Numbers.model_validate(tomllib.loads(path.read_text()))
