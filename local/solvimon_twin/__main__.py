"""`python -m local.solvimon_twin`: the twin by itself, with the demo's data."""

import argparse
import sys
import threading

from local.demo_data import solvimon_seed
from local.solvimon_twin import SolvimonTwin


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m local.solvimon_twin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--api-key", default="solvimon-test-key", help="key of the first platform")
    parser.add_argument("--empty", action="store_true", help="start without the demo's data")
    options = parser.parse_args()
    twin = SolvimonTwin().start(options.port)
    twin.state.add_platform(options.api_key, {} if options.empty else solvimon_seed())
    twin.start_delivery()
    sys.stdout.write(f"Solvimon twin: {twin.url} (X-API-KEY: {options.api_key})\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        twin.stop()


if __name__ == "__main__":
    main()
