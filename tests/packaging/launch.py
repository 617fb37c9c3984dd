"""Starts a function as Lambda does; it is given to a Python that sees no packages (`python -I -S launch.py`).

    launch.py HANDLER FOLDER...     runs the handler under awslambdaric
    launch.py --import HANDLER FOLDER...     imports it, and prints each module with its file

The first line of output says when the work began: a monotonic clock, and the processor time used before.
"""

import sys
import time


def main() -> None:
    """Put the folders on the path in Lambda's order, and start."""
    started, used = time.monotonic(), time.process_time()
    arguments = sys.argv[1:]
    imports_only = arguments[0] == "--import"
    handler, task, *layers, runtime = arguments[imports_only:]
    sys.path[:] = [task, *layers, *(path for path in sys.path if not path.endswith(".zip"))][:]
    sys.path.append(runtime)
    sys.dont_write_bytecode = True  # what Lambda runs from cannot be written to
    sys.stdout.write(f"{started} {used}\n")
    sys.stdout.flush()
    if imports_only:
        __import__(handler.partition(".")[0])
        for name, module in sorted(sys.modules.items()):
            sys.stdout.write(f"{name}\t{getattr(module, '__file__', None) or ''}\n")
        return
    from awslambdaric.__main__ import main as run

    run(["awslambdaric", handler])


if __name__ == "__main__":
    main()
