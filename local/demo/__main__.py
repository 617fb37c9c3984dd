"""Run the demo: `python -m local.demo`."""

import sys

from local.demo import missing_package


def main() -> int:
    """Run the demo on standard output; 0 when both sides' books agree, else 1."""
    try:
        from local.demo.run import demo
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"demo: {missing_package(missing.name)}\n")
        return 1
    return demo(sys.stdout, sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
