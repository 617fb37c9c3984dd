"""A program on loopback that behaves like Solvimon's API; it shares no code with the product.

Facts come from Solvimon's OpenAPI documents (July 2026), its Python SDK and its developer guides. Where
those are silent the fake picks the reading that is harder on its caller; the docstrings say where.
"""

from local.fake_solvimon.platform import Platform
from local.fake_solvimon.server import FakeSolvimon
from local.fake_solvimon.state import State
from local.fake_solvimon.webhooks import Delivery

__all__ = ["Delivery", "FakeSolvimon", "Platform", "State"]
