"""Random numbers that are the same in every run with the same seed."""

from random import Random


def seeded_random(seed: int, *about: object) -> Random:
    """Return a random number generator for one purpose, so that a change elsewhere does not disturb it.

    Args:
        seed: of the whole run.
        about: names the purpose.
    """
    return Random(f"{seed}/{'/'.join(map(str, about))}")  # noqa: S311 - no secret depends on it
