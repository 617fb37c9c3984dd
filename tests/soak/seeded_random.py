"""Random numbers that are the same in every run with the same seed."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from unittest.mock import patch


def seeded_random(seed: int, *about: object) -> Random:
    """Return a random number generator for one purpose, so that a change elsewhere does not disturb it.

    Args:
        seed: of the whole run.
        about: names the purpose.
    """
    return Random(f"{seed}/{'/'.join(map(str, about))}")  # noqa: S311 - no secret depends on it


@contextmanager
def seeded_entropy(seed: int) -> Iterator[None]:
    """Let all ids, tokens and pauses of this process be the same in every run with the same seed."""
    drawn = seeded_random(seed, "entropy").randbytes
    random.seed(f"{seed}/pauses")
    with patch.object(os, "urandom", drawn), patch.object(random, "_urandom", drawn):
        yield
