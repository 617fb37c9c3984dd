"""Exports of invoices and credit memos, their webhooks, and what a person asks for."""

from dataclasses import replace
from functools import partial

from local.books_check.checks import FindingType
from local.system import LocalSystem
from tests.fault_injection.acts import pay_before_applications
from tests.fault_injection.scenarios.scenario import (
    Scenario,
    first_exported,
    has_no_error,
    invoked,
    invoking,
    second_announced,
)
from tests.fault_injection.setups import (
    FIRST,
    NOTE,
    OTHER,
    SECOND,
    Setup,
    credit_note,
    invoice,
    set_up,
    solvimon_seed,
    unlinked_customer,
)
from tests.support.arrange import booked_by_hand

_A_MINUTE = 4
"""Calls that the organisation of two connections takes in a minute."""
_PERIOD = {"from": "2040-01-01", "to": "2040-02-28"}


def invoice_finalised(system: LocalSystem, auth: str = "api_key") -> Setup:
    """A FINAL invoice whose webhook is due."""
    setup = set_up(system, auth=auth)
    setup.finalise(invoice())
    return setup


def _second_invoice(system: LocalSystem, scope: str = "FULL") -> Setup:
    return second_announced(first_exported(system, invoice_scope=scope))


def _rillet_fails_once(system: LocalSystem) -> Setup:
    """The message must wait."""
    setup = _second_invoice(system)
    system.rillet.state.misbehave("status")
    return setup


def _of_a_new_customer(system: LocalSystem) -> Setup:
    setup = set_up(system, settings={"create_missing_customers": True})
    return second_announced(setup, customer_id=unlinked_customer())


def _unknown_product_first(system: LocalSystem) -> Setup:
    """The product of the first invoice is linked to one that Rillet does not have."""
    setup = set_up(system, settings={"create_missing_customers": True})
    products = setup.connection.platform.records["products"].values()
    product = next(each for each in products if each["name"] == "Berth Seats")
    [field] = [each for each in product["custom_fields"] if each["reference"] == "rillet_product_id"]
    field["value"] = "00000000-0000-4000-8000-000000000000"
    first = invoice(customer_id=unlinked_customer())
    first["periods"][0]["groups"][0]["products"] = [{"id": product["id"], "name": product["name"]}]
    setup.finalise(first, invoice(SECOND, "250.00", customer_id=unlinked_customer()))
    system.deliver_webhooks()
    return setup


def _credit_note_announced(system: LocalSystem) -> Setup:
    setup = first_exported(system)
    setup.finalise(credit_note("-40.00"))
    system.deliver_webhooks()
    return setup


def _paid_before_each_application(system: LocalSystem) -> Setup:
    """The invoice is paid between plan, refusal and second plan of the memo's application."""
    setup = _credit_note_announced(system)
    pay_before_applications(setup)
    return setup


def _two_connections(system: LocalSystem) -> Setup:
    """Two connections of one Rillet organisation have more to send than it takes in a minute."""
    pacing = {"requests": _A_MINUTE, "window_seconds": 60, "margin_seconds": 1}
    # In this scope Rillet keeps Solvimon's numbers, so that they do not tell who came first.
    settings = {"rillet": {"pacing": pacing}, "invoice_scope": "REVENUE_RECOGNITION_ONLY"}
    setup = set_up(system, settings=settings)
    organisation = {"organization": {"id": setup.connection.organisation.id}}
    other = system.connect("other", setup.connection.settings, solvimon=solvimon_seed(), rillet=organisation)
    for connection in (setup.connection, other):
        system.invoke("connect_rillet", {"connection": connection.name, "action": "status"})
    system.advance(61)
    setup.finalise(invoice(), invoice(SECOND, "250.00"))
    other.platform.load({"invoices": [invoice(OTHER, "70.00")]})
    other.platform.finalise(OTHER)
    system.deliver_webhooks()
    system.rillet.state.rate_limit = _A_MINUTE
    return setup


def _credit_note_before_its_invoice(system: LocalSystem) -> Setup:
    """The original's webhook got lost, so the note comes first."""
    setup = set_up(system)
    system.solvimon.state.webhooks_on = False
    setup.finalise(invoice())
    system.solvimon.state.webhooks_on = True
    setup.finalise(credit_note("-40.00"))
    system.deliver_webhooks()
    return setup


def _invoice_missing_in_rillet(system: LocalSystem) -> Setup:
    """No webhook notified of it."""
    setup = first_exported(system)
    system.solvimon.state.webhooks_on = False
    setup.finalise(invoice(SECOND, "250.00"))
    return setup


def _rejected_and_fixed(system: LocalSystem) -> Setup:
    """An invoice was rejected, and the cause is fixed."""
    setup = set_up(system)
    products = setup.connection.platform.records["products"].values()
    product = next(each for each in products if each["name"] == "Harbour Planner")
    field, product["custom_fields"] = product["custom_fields"], []
    system.put_settings("default", setup.connection.settings | {"fallback_products": {}})
    setup.finalise(invoice())
    setup.work_off()
    product["custom_fields"] = field
    return setup


def _booked_by_hand(system: LocalSystem) -> Setup:
    """A rejected invoice that a person has booked."""
    setup = _rejected_and_fixed(system)
    [planned] = system.invoke("export_invoice", {"invoice_ids": [FIRST], "dry_run": True})["results"]
    body = planned["payload"] | {"external_references": []}
    setup.booked_by_hand = booked_by_hand(system, setup.connection, body, "/invoices")["id"]
    return setup


def _resolve(setup: Setup) -> object:
    resolution = {"invoice_id": FIRST, "rillet_id": setup.booked_by_hand, "note": "booked by hand"}
    return setup.invoke("sync_status", resolve=resolution)


SOLVIMON_WEBHOOK = Scenario("receive a webhook of Solvimon", "receive_webhook", invoice_finalised)
INVOICE = Scenario(
    "export an invoice",
    "export_invoice",
    _second_invoice,
    again=invoking("export_invoice", invoice_ids=[SECOND]),
    acts=(
        *("move", "drop the reference", "change the settings", "rename the customer", "pay", "delete"),
        "refuse",
        *("lists restart", "lists shift", "lists lag"),
    ),
)
CREDIT_MEMO = Scenario(
    "export a credit memo with its application",
    "export_credit_memo",
    _credit_note_announced,
    again=invoking("export_credit_memo", credit_note_ids=[NOTE]),
    acts=("apply", "pay", "change the settings", "lists restart", "lists shift"),
)
EXPORTS = (
    INVOICE,
    replace(
        INVOICE, name="export an invoice of a new customer", prepare=_of_a_new_customer, acts=("lists lag",)
    ),
    replace(
        INVOICE,
        name="export two invoices of a new customer, the first of an unknown product",
        prepare=_unknown_product_first,
        again=None,
        acts=("lists lag",),
        findings=frozenset({FindingType.LOST}),
    ),
    replace(INVOICE, acts=(), name="hand back an invoice that must wait", prepare=_rillet_fails_once),
    *(
        replace(
            INVOICE,
            name=f"export an invoice for {purpose} only",
            acts=(),
            prepare=partial(_second_invoice, scope=scope),
        )
        for purpose, scope in (
            ("revenue recognition", "REVENUE_RECOGNITION_ONLY"),
            ("receivables", "AR_ONLY"),
        )
    ),
    CREDIT_MEMO,
    replace(
        CREDIT_MEMO,
        name="apply a credit memo to an invoice that is paid between its plans",
        prepare=_paid_before_each_application,
        acts=(),
    ),
    Scenario(
        "export from two connections of one organisation",
        "export_invoice",
        _two_connections,
        again=invoking("export_invoice", connection="other", invoice_ids=[OTHER]),
        # Each connection's books are read alone, and this organisation is in both.
        findings=frozenset({FindingType.DUPLICATE, FindingType.MISPLACED}),
    ),
    replace(
        CREDIT_MEMO,
        name="export a credit memo before its invoice",
        prepare=_credit_note_before_its_invoice,
        acts=(),
    ),
)
REQUESTED = (
    Scenario(
        "reconcile and export what is missing",
        "reconcile",
        _invoice_missing_in_rillet,
        invoked("reconcile", connection="default", **_PERIOD),
        by_person=True,
        succeeded=lambda answer: has_no_error(answer) and "tied_out" in answer,
    ),
    Scenario(
        "retry what was rejected",
        "export_invoice",
        _rejected_and_fixed,
        invoked("export_invoice", retry="all"),
        by_person=True,
        succeeded=has_no_error,
        again=invoking("export_invoice", retry="all"),
    ),
    Scenario(
        "resolve an invoice that was booked by hand",
        "sync_status",
        _booked_by_hand,
        _resolve,
        by_person=True,
        succeeded=has_no_error,
        # What is booked by hand carries no reference.
        findings=frozenset({FindingType.LOST, FindingType.DUPLICATE}),
    ),
)
