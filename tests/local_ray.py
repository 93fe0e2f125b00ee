"""A Ray of this process's own, for tests that talk to one actor."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import ray

OBJECT_STORE_BYTES = 80_000_000


@contextmanager
def local_ray(namespace: str, *, call_slots: int = 0) -> Iterator[None]:
    """Until the context is left; its node offers so many `call_slots`.

    A driver cannot move to a loopback cluster once ray is imported, hence its own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", raising=False)
        patch.setenv("RAY_AUTH_MODE", "disabled")  # as this process has it since it imported ray
        patch.setenv("RAY_worker_niceness", "0")  # by default 15: an actor would wait for whatever else is running
        ray.init(
            address="local",
            namespace=namespace,
            num_cpus=2,
            resources={"call_slots": call_slots} if call_slots else None,
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
        )
        try:
            yield
        finally:
            ray.shutdown()
