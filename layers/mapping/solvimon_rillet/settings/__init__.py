"""The settings of a connection, by subject; ``Settings`` has them all."""

from solvimon_rillet.settings.links import Matching
from solvimon_rillet.settings.scheduled_runs import DigestSettings
from solvimon_rillet.settings.settings import InvoiceScope, Settings
from solvimon_rillet.settings.vendors import Pacing, RilletSettings

__all__ = ["DigestSettings", "InvoiceScope", "Matching", "Pacing", "RilletSettings", "Settings"]
