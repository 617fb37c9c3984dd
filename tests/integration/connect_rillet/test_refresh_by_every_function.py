"""Every function refreshes an expired token, as far as its role allows."""

from collections.abc import Callable

import pytest

from local import sample_data
from local.system import Connection, LocalSystem
from tests.integration.connect_rillet.support import ACME, add_connection, oauth
from tests.support.builders import Json

pytestmark = pytest.mark.slow

BOOKED, NEXT = sample_data.invoice_id("first"), sample_data.invoice_id("discount")
UNKNOWN = "0198c1d2-0000-4000-8000-000000000001"
"""An id that Rillet is asked for."""


def _customer(acme: Connection) -> str:
    customer = str(acme.platform.records["invoices"][BOOKED]["customer_id"])
    acme.platform.edit_customer(customer, email="new@customer.example")
    return customer


def _period(acme: Connection) -> Json:
    month = str(acme.platform.records["invoices"][BOOKED]["invoice_date"])[:7]
    return {"from": f"{month}-01", "to": f"{month}-28"}


def _resolve(acme: Connection) -> Json:
    invoice_id = acme.platform.finalise(NEXT)["id"]
    return {"resolve": {"invoice_id": invoice_id, "rillet_id": UNKNOWN, "note": "booked by hand"}}


EVENTS: dict[str, Callable[[Connection], Json]] = {
    "export_invoice": lambda acme: {"invoice_ids": [acme.platform.finalise(NEXT)["id"]]},
    "export_credit_memo": lambda acme: {"credit_note_ids": [acme.platform.credit(BOOKED, "1.00")["id"]]},
    "sync_customer": lambda acme: {"customer_ids": [_customer(acme)]},
    "mark_invoice_paid": lambda _: {"invoice_ids": [BOOKED]},
    "import_customers": lambda _: {"dry_run": True},
    "import_products": lambda _: {"dry_run": True},
    "import_subsidiaries": lambda _: {"dry_run": True},
    "reconcile": _period,
    "sweep": lambda _: {},
    "configure": lambda _: {"set": {"fallback_products.default": UNKNOWN}, "dry_run": True},
    "link_records": lambda _: {"list": "products"},
    "sync_status": _resolve,
}


@pytest.mark.parametrize("lifetime", [300, 3600])
@pytest.mark.parametrize("function", EVENTS)
def test_each_function_refreshes_an_expired_token(system: LocalSystem, function: str, lifetime: int) -> None:
    oauth(system).access_token_seconds = lifetime
    acme = add_connection(system, records=True).connected()
    acme.platform.finalise(BOOKED)
    acme.settle()
    event, before = EVENTS[function](acme), acme.oauth.counts.refreshes
    acme.advance(2 * lifetime)
    system.aws.permissions.denied.clear()

    system.invoke(function, {"connection": ACME, **event})

    assert acme.oauth.counts.refreshes > before
    assert system.aws.permissions.denied == {}
