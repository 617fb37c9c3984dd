"""Chance that is the same in every run with the same seed."""

from random import Random


def chance(seed: int, *about: object) -> Random:
    """Return a source of chance for one purpose, so that a change elsewhere does not disturb it.

    Args:
        seed: of the whole run.
        about: names the purpose.
    """
    return Random(f"{seed}/{'/'.join(map(str, about))}")  # noqa: S311 - it plays fate, it keeps no secret
