"""The settings of scheduled runs: the digest, the sweep and the reconciliation."""

from pydantic import Field

from solvimon_rillet.settings.values import SettingsGroup, TimeZone


class DigestSettings(SettingsGroup):
    """The daily message about the status."""

    hour: int | None = Field(
        default=None,
        ge=0,
        le=23,
        description="From this hour on, the first sweep of a day sends the digest to the alarm topic: what "
        "was booked, what needs you, whether the last reconciliation tied out. `null`: none is sent.",
    )
    time_zone: TimeZone = Field(
        default="UTC", description="Time zone of the hour (IANA name), such as `Europe/Amsterdam`."
    )


class SweepSettings(SettingsGroup):
    """The range in which the sweep looks for events that no webhook reported."""

    lookback_days: int = Field(
        default=7,
        ge=1,
        le=366,
        description="The sweep finds invoices that are dated at most this many days back. Raise it if "
        "invoices are finalised long after their date.",
    )
    customers_per_run: int = Field(
        default=1000,
        ge=0,
        le=100_000,
        description="Customers that one sweep compares with their last sync, in whole hundreds; the next "
        "sweep continues with the others. 0: none.",
    )
    quiet_minutes: int = Field(
        default=0,
        ge=0,
        le=1440,
        description="After a day with nothing new, the connection is swept only every so many minutes, until "
        "there is something new again. 0: by every schedule. A person's own sweep always runs.",
    )


class ReconcileSettings(SettingsGroup):
    """Actions of a reconciliation besides its report."""

    redrive: bool = Field(
        default=True,
        description="Export documents that a reconciliation finds missing, and mark invoices that are paid "
        "in Rillet; live work goes first. Rejected documents still wait for a user.",
    )
