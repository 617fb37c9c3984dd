"""Run the demo: `python -m local.demo`."""

import sys


def main() -> int:
    """Tell the story on standard output; 0 when both sides' books agree, else 1."""
    try:
        from local.demo.run import demo
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"demo: {missing_package(missing.name)}\n")
        return 1
    return demo(sys.stdout, sys.stderr)


def missing_package(name: str | None) -> str:
    """What to do about a package that is not there."""
    return (
        f"The Python package {name} is not installed here. Run `make demo`, which sets everything up; "
        "if it says this too, delete the folder .venv and run it again."
    )


if __name__ == "__main__":
    sys.exit(main())
