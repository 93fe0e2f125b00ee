"""Puts the product with the echo as driver on a running Ray until SIGTERM; a process of its own, as `cli/serve.py` is.

Ray reads its environment when it is imported, so this is started as `cli.serve_child` starts `cli/serve.py`.
"""

import signal
import sys

from cli import handover

ECHO_DRIVER = "bench.echo:EchoDriver"
ENDINGS = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Deploy, wait to be told, shut down."""
    from serve_app import app

    app.deploy(handover.load(sys.stdin), driver=ECHO_DRIVER)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    signal.sigwait(ENDINGS)
    app.shutdown()


if __name__ == "__main__":
    main()
