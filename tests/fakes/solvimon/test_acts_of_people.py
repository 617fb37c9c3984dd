"""What Solvimon and people do after an invoice is final: card payments, chargebacks, erasure."""

import pytest

from local.fake_vendor.faults import Fault
from local.sample_data import invoice_id
from local.sample_data.identity import solvimon_id
from tests.fakes.solvimon.support import Solvimon

FIRST = invoice_id("first")
CUSTOMER = solvimon_id("cust", "maasvlakte-quay")


def settled(solvimon: Solvimon) -> tuple[bool, str]:
    invoice = solvimon.get(f"/invoices/{FIRST}").json()
    return invoice["paid"], invoice["payment_status"]


@pytest.mark.parametrize(
    ("quantity", "result", "state"),
    [
        (None, "AUTHORIZED", (True, "PAID")),
        ("1.00", "AUTHORIZED", (False, "PARTIALLY_PAID")),
        (None, "PENDING", (False, "UNPAID")),
    ],
)
def test_money_that_solvimon_collects_sets_the_invoices_state(
    solvimon: Solvimon, quantity: str | None, result: str, state: tuple[bool, str]
) -> None:
    payment = solvimon.platform.collect(FIRST, quantity, result=result)

    assert settled(solvimon) == state
    [listed] = solvimon.get(f"/invoices/{FIRST}/payments").json()["data"]
    assert (listed["id"], listed["result"]) == (payment["id"], result)
    assert listed["payment_method_details"] == {"type": "CARD"}


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        ("AUTHORIZED", "CHARGED_BACK", (False, "UNPAID")),
        ("PENDING", "AUTHORIZED", (True, "PAID")),
    ],
)
def test_a_payment_that_ends_otherwise_changes_the_state_again(
    solvimon: Solvimon, before: str, after: str, state: tuple[bool, str]
) -> None:
    payment = solvimon.platform.collect(FIRST, method="DIRECT_DEBIT", result=before)

    solvimon.platform.end_payment(payment["id"], after)

    assert settled(solvimon) == state


@pytest.mark.parametrize("keep_links", [True, False])
def test_an_erased_customer_has_no_personal_data(solvimon: Solvimon, keep_links: bool) -> None:
    before = solvimon.get(f"/customers/{CUSTOMER}").json()

    solvimon.platform.forget_customer(CUSTOMER, keep_links=keep_links)

    after = solvimon.get(f"/customers/{CUSTOMER}").json()
    assert not {"email", "organization", "individual", "name"} & after.keys()
    assert after["status"] == "ARCHIVED"
    assert bool(after.get("custom_fields")) is (keep_links and bool(before["custom_fields"]))


def test_somebody_acts_just_before_a_call_is_executed(solvimon: Solvimon) -> None:
    def rename() -> None:
        solvimon.platform.edit_customer(CUSTOMER, organization={"legal_name": "By a person"})

    solvimon.state.faults.add(Fault("act", "GET", f"/customers/{CUSTOMER}", 1, {"do": rename}))

    assert solvimon.get(f"/customers/{CUSTOMER}").json()["organization"]["legal_name"] == "By a person"
