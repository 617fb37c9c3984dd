"""A Flask program that behaves like Rillet API v4, down to its traps.

Its rules are written from Rillet's OpenAPI document and documentation; it shares no code with the product.
"""

from local.fake_rillet.server import FakeRillet

__all__ = ["FakeRillet"]
