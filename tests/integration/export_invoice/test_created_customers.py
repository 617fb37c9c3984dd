"""A customer that an export creates in Rillet is created once, whatever is refused, lags or comes late."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.integration.export_invoice.test_linking import NEW_CUSTOMER, another, created
from tests.support.arrange import answer_lost, edit, patched, solvimon_invoice
from tests.support.assertions import calls_to, rillet_invoices
from tests.support.builders import UNLINKED, Json
from tests.support.connected import Connected


@contextmanager
def lagging_list() -> Iterator[None]:
    """Let Rillet's list not show a customer yet."""
    with patched(RilletClient, "customer_by_reference", lambda *_: None):
        yield


def delete_product(connection: Connection) -> Callable[[], object]:
    """Delete the invoice's product in Rillet, and return what puts it back."""
    group = solvimon_invoice(connection, NEW_CUSTOMER)["periods"][0]["groups"][0]
    [field] = [f for f in group["products"][0]["custom_fields"] if f["reference"] == "rillet_product_id"]
    kept: Json = connection.organisation.products.get(field["value"]).document
    connection.organisation.products.remove(field["value"])
    return lambda: connection.organisation.products.add(kept)


def posts(system: LocalSystem) -> list[str | None]:
    """The idempotency keys of the creations that reached Rillet."""
    return [call.idempotency_key for call in calls_to(system, "POST", "/customers")]


@pytest.fixture
def invoices(default: Connection) -> tuple[str, str]:
    """Two final invoices of a customer that Rillet does not have."""
    both = NEW_CUSTOMER, another(default, NEW_CUSTOMER)
    for invoice_id in both:
        default.platform.finalise(invoice_id)
    return both


def test_an_unknown_product_does_not_make_a_second_customer_where_rillets_list_lags(
    default: Connected, invoices: tuple[str, str]
) -> None:
    restore = delete_product(default)

    with lagging_list():
        [refused] = default.export(invoices[0])
        restore()
        [exported] = default.export(invoices[1])
    [again] = default.export(invoices[0])

    assert (refused["outcome"], refused["code"]) == ("rejected", "rillet_record_missing")
    assert [exported["outcome"], again["outcome"]] == ["exported", "exported"]
    assert {one["customer_id"] for one in rillet_invoices(default)} == {created(default)["id"]}
    assert len(posts(default.system)) == 1


def test_a_refused_synchronisation_does_not_make_a_second_customer_either(default: Connected) -> None:
    default.sync(UNLINKED)
    edit(default, UNLINKED, email="new@zeeland.example")
    default.system.rillet.state.misbehave("status", "PUT", "/customers", times=1, status=404)

    with lagging_list():
        [refused] = default.sync(UNLINKED)
        [again] = default.sync(UNLINKED)

    assert refused["code"] == "rillet_record_missing"
    assert again["outcome"] == "synced"
    assert created(default)["emails"][0]["email"] == "new@zeeland.example"
    assert len(posts(default.system)) == 1


def test_a_customer_that_a_get_confirms_missing_is_proposed_and_never_created_again(
    default: Connected,
) -> None:
    default.sync(UNLINKED)
    default.organisation.customers.remove(created(default)["id"])
    edit(default, UNLINKED, email="new@zeeland.example")

    [refused] = default.sync(UNLINKED)
    [again] = default.sync(UNLINKED)

    assert refused["code"] == "rillet_record_missing"
    assert (again["outcome"], again["code"]) == ("rejected", "customer_merged")
    assert len(posts(default.system)) == 1


@pytest.mark.parametrize("minutes", [1, 20])
def test_a_creation_that_arrives_late_makes_one_customer(
    default: Connected, invoices: tuple[str, str], minutes: int
) -> None:
    with answer_lost(RilletClient, "create_customer") as arrive:
        default.export(invoices[0])
    default.system.advance(minutes * 60)
    if minutes > 15:
        default.settle()
    arrive()
    default.system.advance(LEASE_SECONDS)

    default.until_exported(*invoices)

    assert {one["customer_id"] for one in rillet_invoices(default)} == {created(default)["id"]}
    assert len(set(posts(default.system))) == 1, "one key, which Rillet answers with the same customer"


def test_a_creation_that_may_still_arrive_is_not_sent_again_at_once(
    default: Connected, invoices: tuple[str, str]
) -> None:
    with answer_lost(RilletClient, "create_customer"):
        default.export(invoices[0])

    default.settle(after=LEASE_SECONDS + 1)
    early = posts(default.system)
    default.settle(after=SETTLE_SECONDS)

    assert early == []
    assert len(posts(default.system)) == 1
    default.until_exported(*invoices)
    assert {one["customer_id"] for one in rillet_invoices(default)} == {created(default)["id"]}


def test_a_link_is_forgotten_only_where_rillet_does_not_have_the_customer(
    default: Connected, invoices: tuple[str, str]
) -> None:
    delete_product(default)
    key = f"default#link-customer#{solvimon_invoice(default, NEW_CUSTOMER)['customer_id']}"
    default.export(invoices[0])
    kept = default.system.ledger_item(key, "RECORD")
    default.organisation.customers.remove(created(default)["id"])

    default.export(invoices[0])

    assert kept is not None
    assert default.system.ledger_item(key, "RECORD") is None
