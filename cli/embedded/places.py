"""Where embedded services keep things: data below the data directory, sockets in a short directory of their own.

A Unix socket's path may hold 107 bytes and HAProxy's is built of 70 more than its directory, so sockets can't live in a
data directory of any length. The short one is named after the data directory: addresses stay the same from run to run.
"""

import hashlib
import os
import stat
from pathlib import Path

from cli.errors import StartFailed

SHORT = Path("/tmp")


def runtime_path(data_dir: Path) -> Path:
    """The directory for the sockets of one data directory, whether it is there or not."""
    digest = hashlib.sha256(f"{os.getuid()}:{data_dir.resolve()}".encode()).hexdigest()[:8]
    return SHORT / f"callboard-{digest}"


def make_runtime_dir(data_dir: Path) -> Path:
    """That directory, made and private: others may put nothing of theirs where sockets are expected."""
    path = runtime_path(data_dir)
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise StartFailed(f"{path} belongs to somebody else; remove it or choose another CALLBOARD_DATA_DIR")
    path.chmod(0o700)
    return path
