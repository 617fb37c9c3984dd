"""A program on loopback that behaves like Solvimon's API: an independent witness, it shares no code with us.

Facts come from Solvimon's OpenAPI documents (July 2026), its Python SDK and its developer guides. Where
those are silent the twin picks the reading that is harder on its caller; the docstrings say where.
"""

from local.solvimon_twin.platform import Platform
from local.solvimon_twin.server import SolvimonTwin
from local.solvimon_twin.state import State
from local.solvimon_twin.webhooks import Delivery

__all__ = ["Delivery", "Platform", "SolvimonTwin", "State"]
