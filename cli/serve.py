"""The process that deploys the Serve application and takes it down on SIGTERM. Reads its settings from standard input.

Started by `callboard up` as `python -m cli.serve`; the replicas themselves are Ray's.
"""

import signal
import sys

from cli import handover
from serve_app import app

ENDINGS = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Deploy, wait to be told, shut down."""
    settings = handover.load(sys.stdin)
    app.deploy(settings)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    print("deployed", flush=True)
    signal.sigwait(ENDINGS)
    app.shutdown()


if __name__ == "__main__":
    main()
