"""Status: what waits, what failed, and how a person settles it."""
