"""The figures of the demo's invoices and credits, from a table worked out by hand and not by the builder."""

from local.sample_data.identity import solvimon_id
from local.sample_data.rows import rows

_FIGURES = rows("figures")


def expected() -> dict[str, dict[str, str]]:
    """Return net, tax, gross, currency, name and feature of every demo invoice, by its Solvimon id."""
    return {
        solvimon_id("invo", name): figures | {"name": name} for name, figures in _FIGURES["invoices"].items()
    }


def credits_to_expect() -> dict[str, dict[str, str | None]]:
    """Return amount, net, tax, gross, currency and feature of each credit, by the name of its invoice.

    Each is what `fake_solvimon.Platform.credit` makes of the invoice and the net amount.
    """
    return {name: dict(figures) for name, figures in _FIGURES["credits"].items()}
