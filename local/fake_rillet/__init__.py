"""A Flask program that behaves like Rillet API v4, down to its traps.

It is an independent witness: its rules are written from the facts of Rillet's OpenAPI document and
documentation, and it shares no code with the product it answers.
"""

from local.fake_rillet.server import FakeRillet

__all__ = ["FakeRillet"]
