"""Run the fake until interrupted: `python -m local.fake_rillet --port 8081 --seed seed.json`."""

import argparse
import json
import signal
import sys
from pathlib import Path

from local.fake_rillet.server import FakeRillet

_STOPPING = {signal.SIGINT, signal.SIGTERM}


def main() -> None:
    """Parse the command line, start the fake and wait."""
    parser = argparse.ArgumentParser(prog="python -m local.fake_rillet", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on loopback; any free one by default")
    parser.add_argument("--seed", type=Path, help="JSON file with the first organisation")
    parser.add_argument("--api-key", help="make an empty organisation with this key")
    arguments = parser.parse_args()
    # Blocked before any thread starts, so that no thread but this one can take the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    fake = FakeRillet()
    if arguments.seed:
        fake.state.load(json.loads(arguments.seed.read_text(encoding="utf-8")))
    if arguments.api_key:
        fake.state.add_organisation(api_key=arguments.api_key)
    fake.start(arguments.port)
    fake.start_delivery()
    sys.stdout.write(f"Rillet fake: {fake.url}\n")
    sys.stdout.flush()
    try:
        signal.sigwait(_STOPPING)
    finally:
        fake.stop()


if __name__ == "__main__":
    main()
