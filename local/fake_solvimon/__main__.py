"""`python -m local.fake_solvimon`: the fake alone, with the demo's data."""

import argparse
import sys
import threading

from local.fake_solvimon import FakeSolvimon
from local.sample_data import solvimon_seed


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m local.fake_solvimon", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--api-key", default="solvimon-test-key", help="key of the first platform")
    parser.add_argument("--empty", action="store_true", help="start without the demo's data")
    options = parser.parse_args()
    fake = FakeSolvimon().start(options.port)
    fake.state.add_platform(options.api_key, {} if options.empty else solvimon_seed())
    fake.start_delivery()
    sys.stdout.write(f"Solvimon fake: {fake.url} (X-API-KEY: {options.api_key})\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        fake.stop()


if __name__ == "__main__":
    main()
