"""Edited customers, payments in Rillet, and the sweep that finds what no webhook reported."""

from dataclasses import replace

from local.sample_data.identity import solvimon_id
from local.system import LocalSystem
from tests.fault_injection.scenarios.scenario import Scenario, first_exported, invoked, invoking
from tests.fault_injection.setups import FIRST, LINKED, SECOND, Setup, invoice


def _edit_customer(setup: Setup) -> None:
    setup.connection.platform.edit_customer(LINKED, organization={"legal_name": "Quay Services N.V."})


def _customer_edited(system: LocalSystem) -> Setup:
    setup = first_exported(system)
    _edit_customer(setup)
    system.deliver_webhooks()
    return setup


def _payment_due(system: LocalSystem) -> Setup:
    """Paid in Rillet, whose webhook is due."""
    setup = first_exported(system)
    setup.pay()
    return setup


def _payment_announced(system: LocalSystem, payments: str = "state") -> Setup:
    """Paid in part, and Rillet's webhook has been delivered."""
    setup = first_exported(system, payments=payments)
    setup.pay("21.00")
    setup.connection.organisation.deliver_webhooks()
    return setup


def _payment_recorded_then_deleted(system: LocalSystem) -> Setup:
    setup = _payment_announced(system, "record_each")
    setup.work_off()
    organisation = setup.connection.organisation
    [payment] = organisation.payments.documents()
    organisation.delete_payment(payment["id"])
    organisation.deliver_webhooks()
    return setup


def _webhooks_lost(system: LocalSystem) -> Setup:
    """A document, an edit and a payment that no webhook reported."""
    setup = first_exported(system)
    system.invoke("sweep", {"connection": "default"})
    setup.work_off()
    system.solvimon.state.webhooks_on = system.rillet.state.webhooks_on = False
    setup.finalise(invoice(SECOND, "250.00"))
    _edit_customer(setup)
    setup.pay()
    system.advance(900)
    return setup


_PAID = Scenario(
    "mark an invoice partly paid",
    "mark_invoice_paid",
    _payment_announced,
    again=invoking("mark_invoice_paid", invoice_ids=[FIRST]),
    acts=("pay", "pay twice at once", "rename the customer"),
)
RILLET_WEBHOOK = Scenario("receive a webhook of Rillet", "receive_webhook", _payment_due)
CUSTOMERS_AND_PAYMENTS = (
    Scenario(
        "sync a customer",
        "sync_customer",
        _customer_edited,
        again=invoking("sync_customer", customer_ids=[solvimon_id("cust", LINKED)]),
        acts=("rename the customer", "edit the terms"),
        # Between the read of Rillet's customer and the PUT that replaces it.
        unprotected=("PutItem default#link-customer", "PutItem (organisation)#"),
    ),
    _PAID,
    replace(
        _PAID,
        name="mark an invoice partly paid and record the payment",
        prepare=lambda system: _payment_announced(system, "record_each"),
    ),
    replace(_PAID, name="take back a payment that was recorded", prepare=_payment_recorded_then_deleted),
)
SWEEP = Scenario(
    "sweep", "sweep", _webhooks_lost, invoked("sweep", connection="default"), again=invoking("sweep")
)
