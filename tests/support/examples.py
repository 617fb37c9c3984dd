"""How many examples Hypothesis draws: `make test` a third of those of `make test-all` and `make coverage`."""

import os

from hypothesis import settings


def examples(most: int) -> settings:
    """Return a test's settings: so many examples, or a third of them where time counts."""
    hurried = os.environ.get("HYPOTHESIS_PROFILE", "steady") == "steady"
    return settings(max_examples=most // 3 if hurried else most)
