"""The checklist says what a connection may do, what was kept, what exists, and who is notified."""

from collections.abc import Callable

import pytest

from local import sample_data
from local.system import Connection, LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from tests.integration.connect_rillet.support import (
    STACK,
    Json,
    OAuthConnection,
    add_connection,
    ask,
    check,
    missing,
    with_webhook_token,
)
from tests.support.arrange import configure, finalise, sync
from tests.support.builders import DEMO_CUSTOMER

FUNCTION = f"{STACK}-connect-rillet"


def status(system: LocalSystem, name: str = "default") -> Json:
    return ask(system, name, "status")


def row(system: LocalSystem, line: str, name: str = "default") -> Json:
    return check(status(system, name), line)


def make_read_only(system: LocalSystem, connection: Connection) -> None:
    system.rillet.state.api_keys[connection.rillet_api_key].read_only = True


def test_before_any_write_a_keys_right_is_said_to_be_unknown_and_the_connection_is_not_ready(
    default: Connection, system: LocalSystem
) -> None:
    with_webhook_token(system)

    answer = status(system)

    assert answer["ready"] is False
    assert missing(answer) == ["may write"]
    assert "not known yet: nothing was written to Rillet with this key" in check(answer, "may write")["found"]
    assert "Read-only" in check(answer, "may write")["remedy"]


def test_a_key_that_may_only_read_is_noticed_after_the_first_refused_write_and_is_never_ready(
    default: Connection, system: LocalSystem
) -> None:
    make_read_only(system, default)
    with_webhook_token(system)
    before = status(system)
    finalise(system, default)
    system.settle()

    answer = status(system)

    assert (before["ready"], answer["ready"]) == (False, False)
    named = check(answer, "may write")
    assert "Rillet refused our last write to invoices" in named["found"]
    assert "may only read" in named["found"]
    assert f"secret {STACK}/default/rillet, under api_key" in named["remedy"]


def test_a_key_that_has_written_may_write_and_the_connection_is_ready(
    default: Connection, system: LocalSystem
) -> None:
    with_webhook_token(system)
    finalise(system, default)
    system.settle()

    answer = status(system)

    assert answer["ready"] is True
    assert check(answer, "may write")["found"].startswith("Rillet took our last write at 20")


def test_another_key_is_another_question(default: Connection, system: LocalSystem) -> None:
    make_read_only(system, default)
    finalise(system, default)
    system.settle()
    system.rillet.state.add_api_key(default.organisation, "another-key-0123")
    system.put_secret("default", "rillet", {"auth": "api_key", "api_key": "another-key-0123"})

    changed = row(system, "may write")
    system.advance(3600)
    system.settle()
    worked = row(system, "may write")

    assert changed["found"].startswith("not known yet")
    assert worked["found"].startswith("Rillet took our last write")


def test_the_scopes_of_an_authorisation_say_it_before_any_write(acme: OAuthConnection) -> None:
    acme.connected()

    found = check(acme.status(), "may write")

    assert (found["ok"], found["found"]) == (
        True,
        "the authorisation has the scopes read, write; nothing was written to Rillet yet",
    )


def test_scopes_that_are_too_small_are_named_with_what_to_do(acme: OAuthConnection) -> None:
    configure(acme.system, acme, rillet={**acme.settings["rillet"], "oauth": {"scopes": ["read"]}})
    acme.connected()

    answer = acme.status()

    assert answer["ready"] is False
    named = check(answer, "may write")
    assert "has the scopes read; write is missing, so nothing can be booked" in named["found"]
    assert "rillet.oauth.scopes" in named["remedy"]
    assert 'connect_rillet with {"connection": "acme"}' in named["remedy"]


def test_a_refusal_before_the_connection_was_authorised_again_says_nothing_any_more(
    system: LocalSystem,
) -> None:
    working = add_connection(system, records=True).connected()
    working.rillet.misbehave("status", "POST", "/invoices", status=403)
    working.finalise()
    working.settle()
    refused = check(working.status(), "may write")
    working.rillet.behave()
    working.advance(60)
    working.connect()

    answer = check(working.status(), "may write")

    assert "user who authorised it may only read" in refused["found"]
    assert answer["ok"] is True


def test_a_write_that_solvimon_refuses_is_named(default: Connection, system: LocalSystem) -> None:
    system.solvimon.state.misbehave("status", "PATCH", "/invoices", status=403)
    finalise(system, default)
    system.settle()
    [invoice] = default.organisation.invoices.documents()
    default.organisation.pay(invoice["id"])
    system.invoke("mark_invoice_paid", {"invoice_ids": [sample_data.invoice_id("first")]})

    named = row(system, "may write")

    assert "Solvimon refused our last write to invoices" in named["found"]
    assert f"secret {STACK}/default/solvimon" in named["remedy"]


def test_reference_types_that_rillet_kept_are_said_to_be_kept(
    default: Connection, system: LocalSystem
) -> None:
    before = row(system, "reference types")
    finalise(system, default)
    system.settle()

    after = row(system, "reference types")

    assert "whether Rillet has them shows a booking" in before["found"]
    assert "Rillet kept solvimon_invoice_id at 20" in after["found"]


def test_a_reference_type_that_rillet_dropped_is_named(default: Connection, system: LocalSystem) -> None:
    key = "default#evidence#rillet#customers"
    sync(system, DEMO_CUSTOMER)
    noted = system.ledger_item(key, "RECORD")
    assert noted is not None
    table = Table(system.deployment.outputs["LedgerTableName"], system.aws.dynamodb)
    facts = {name: value for name, value in noted.items() if name not in {"pk", "sk"}}
    table.put(key, {**facts, "dropped": ["solvimon_customer_id"]})

    answer = status(system)

    named = check(answer, "reference types")
    assert "Rillet did not keep solvimon_customer_id on our last write to customers" in named["found"]
    assert "Settings → External References" in named["remedy"]
    assert answer["ready"] is False


def test_fallback_products_that_exist_are_named(default: Connection, system: LocalSystem) -> None:
    found = row(system, "fallback products")

    assert found["ok"] is True
    assert found["found"].startswith("discount: ")


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ("0198c1d2-0000-4000-8000-000000000001", "Rillet has no active product for one_off (0198c1d2"),
        ("not an id", "Rillet has no active product for one_off (not an id)"),
    ],
)
def test_a_fallback_product_that_does_not_exist_is_named(
    default: Connection, system: LocalSystem, chosen: str, found: str
) -> None:
    configure(system, default, fallback_products={"one_off": chosen})

    answer = status(system)

    named = check(answer, "fallback products")
    assert found in named["found"]
    assert '"set": {"fallback_products.one_off": ' in named["remedy"]
    assert answer["ready"] is False


def test_no_fallback_product_is_said_to_be_a_rejection(default: Connection, system: LocalSystem) -> None:
    configure(system, default, fallback_products={})

    assert row(system, "fallback products")["found"].startswith("none set")


@pytest.mark.parametrize(
    ("day", "ok", "found"),
    [("2026-01-01", True, "invoices dated before 2026-01-01 are skipped"), (None, False, "not set: every")],
)
def test_the_start_date_is_said_and_without_one_what_follows(
    default: Connection, system: LocalSystem, day: str | None, ok: bool, found: str
) -> None:
    configure(system, default, start_date=day)

    answer = row(system, "start_date")

    assert answer["ok"] is ok
    assert answer["found"].startswith(found)


def test_unlinked_records_are_counted_with_what_links_them(default: Connection, system: LocalSystem) -> None:
    products = default.platform.records["products"].values()
    for product in list(products)[:2]:
        product["custom_fields"] = []

    named = row(system, "records linked")

    assert f"products: 2 of {len(products)} without link" in named["found"]
    assert "an invoice creates its customer in Rillet" in named["found"]
    assert named["remedy"] == 'Invoke link_records with {"connection": "default", "list": "products"}.'
    assert named["blocking"] is False


@pytest.mark.parametrize(
    ("subscriptions", "ok", "found"),
    [
        ({"SubscriptionsConfirmed": "1", "SubscriptionsPending": "0"}, True, "1 confirmed"),
        ({"SubscriptionsConfirmed": "1", "SubscriptionsPending": "2"}, True, "1 confirmed, 2 not confirmed"),
        ({"SubscriptionsConfirmed": "0", "SubscriptionsPending": "1"}, False, "1 not confirmed yet"),
        ({"SubscriptionsConfirmed": "0", "SubscriptionsPending": "0"}, False, "nobody gets the alarms"),
    ],
)
def test_the_alarm_address_is_confirmed_or_said_not_to_be(
    default: Connection,
    system: LocalSystem,
    monkeypatch: pytest.MonkeyPatch,
    clients: Callable[[str, str | None], object],
    subscriptions: Json,
    ok: bool,
    found: str,
) -> None:
    name = system.deployment.functions["connect_rillet"].name
    monkeypatch.setattr(
        clients("sns", name), "get_topic_attributes", lambda **_: {"Attributes": subscriptions}
    )

    answer = row(system, "alarm address")

    assert answer["ok"] is ok
    assert answer["found"].startswith(found)


def test_the_topic_is_asked_for_counts_and_not_for_addresses(
    default: Connection, system: LocalSystem
) -> None:
    assert row(system, "alarm address")["found"] == "nobody gets the alarms"
    assert FUNCTION not in system.aws.permissions.denied
