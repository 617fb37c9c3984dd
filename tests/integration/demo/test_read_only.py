"""The demo shows one waiting connection, its headline, and the act that ends it."""

from local.demo.sections import one_invoice, until_somebody_acts
from local.system import LocalSystem
from tests.integration.demo.support import in_one_line, run_demo


def test_the_demo_shows_a_waiting_connection_its_headline_and_the_act_that_ends_it(
    system: LocalSystem,
) -> None:
    code, screen = run_demo(system, one_invoice.SECTION, until_somebody_acts.READ_ONLY)

    text = in_one_line(screen)
    assert code == 0
    assert "Headline Stopped: Rillet says the credential may not do this (403). 1 invoice (" in text
    assert "Put a valid one with write access into the secret solvimon-rillet/default/rillet" in text
    assert "export_invoice answers “exported” at once" in text
    assert "Headline Nothing waits: 2 invoices are booked." in text
