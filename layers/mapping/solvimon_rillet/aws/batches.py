"""Batches that AWS takes only in part: the rest is sent again, with exponential back-off and full jitter."""

import random
from collections.abc import Callable, Sized
from typing import TypeVar

MAX_SENDS = 5
FIRST_BACK_OFF_SECONDS = 0.1
Batch = TypeVar("Batch", bound=Sized)


def send_until_taken(
    send: Callable[[Batch], Batch | None], batch: Batch, sleep: Callable[[float], None]
) -> bool:
    """Send a batch, and what is left of it again, five times in all.

    Args:
        send: sends a batch, and returns what was not taken.
        batch: an empty one is not sent.
        sleep: waits before a repetition: up to 0.1, 0.2, 0.4 and 0.8 seconds.

    Returns:
        Whether something is left.
    """
    left: Batch | None = batch
    for attempt in range(MAX_SENDS):
        if not left:
            return False
        if attempt:
            longest = FIRST_BACK_OFF_SECONDS * 2 ** (attempt - 1)
            sleep(random.uniform(0, longest))  # noqa: S311 - spreads callers, keeps no secret
        left = send(left)
    return bool(left)
