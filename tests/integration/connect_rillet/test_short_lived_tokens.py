"""Tokens that are refreshed often are kept out of Secrets Manager; every function renews an expired one."""

from collections import Counter
from collections.abc import Callable

import pytest
from botocore.client import BaseClient

from local import sample_data
from local.system import Connection, LocalSystem
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    STACK,
    OAuthConnection,
    access_token,
    add_connection,
    all_parameters,
    oauth,
    organisation_id,
)
from tests.support.builders import FIRST, Json
from tests.support.interposed import before_call

pytestmark = pytest.mark.slow

TOKEN = f"/{STACK}/{ACME}/rillet-token"


@pytest.fixture
def short(system: LocalSystem) -> OAuthConnection:
    """A connection whose tokens live for five minutes."""
    oauth(system).access_token_seconds = 300
    return add_connection(system, records=True).connected()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each secret and parameter was written."""
    counted = Counter[str]()

    def count(_: BaseClient, operation: str, asked: Json) -> None:
        if operation.startswith(("Put", "Create", "Update", "Delete")) and operation != "PutItem":
            counted[f"{operation} {asked.get('SecretId') or asked.get('Name')}"] += 1

    before_call(monkeypatch, BaseClient, "_make_api_call", count)
    return counted


@pytest.mark.parametrize(
    ("lifetime", "where"),
    [*((seconds, "parameter") for seconds in (60, 600, 719, 1847)), (1848, "secret"), (3600, "secret")],
)
def test_the_lifetime_decides_where_a_token_is_kept(acme: OAuthConnection, lifetime: int, where: str) -> None:
    acme.oauth.access_token_seconds = lifetime

    acme.connected()

    assert acme.secret["token_in"] == where
    assert (TOKEN in all_parameters(acme.system)) is (where == "parameter")


def test_the_parameter_is_encrypted(short: OAuthConnection) -> None:
    parameters = short.system.aws.ssm.describe_parameters()["Parameters"]

    assert [each["Type"] for each in parameters if each["Name"] == TOKEN] == ["SecureString"]


def test_fifty_refreshes_do_not_write_the_secret(short: OAuthConnection, written: Counter[str]) -> None:
    services = short.process()

    for _ in range(50):
        short.advance(250)
        access_token(services)

    assert short.refreshes == (50, 0)
    proofs = 50  # each refresh writes the old value back first
    assert written == {f"PutParameter {TOKEN}": 50 + proofs}


def test_connecting_again_does_not_write_the_secret(short: OAuthConnection, written: Counter[str]) -> None:
    before = short.next_token()

    short.connected()

    assert short.next_token() != before
    assert written[f"PutSecretValue {STACK}/{ACME}/rillet"] == 0


@pytest.mark.parametrize("passed", [0, 200, 245, 299, 301, HOUR])
def test_every_process_finds_the_newest_token(short: OAuthConnection, passed: int) -> None:
    first, second = short.process(), short.process()
    organisation_id(first)()
    organisation_id(second)()

    short.advance(passed)
    found = {organisation_id(first)(), organisation_id(second)(), organisation_id(short.process())()}

    assert found == {"org-acme"}
    assert access_token(first) == access_token(second)
    assert short.refreshes == (passed > 240, 0)


@pytest.mark.parametrize("lifetimes", [(300, 3600), (3600, 300), (300, 3600, 300), (3600, 300, 3600, 300)])
def test_the_lifetime_may_change_at_any_refresh(acme: OAuthConnection, lifetimes: tuple[int, ...]) -> None:
    acme.oauth.access_token_seconds = lifetimes[0]
    acme.connected()
    acme.add_to_secret("rillet", webhook_token="from-rillet-0123")
    warm = acme.process()

    for lifetime in lifetimes[1:]:
        acme.oauth.access_token_seconds = lifetime
        acme.advance(2 * HOUR)
        assert organisation_id(warm)() == "org-acme"
        assert organisation_id(acme.process())() == "org-acme"
        assert acme.secret["token_in"] == ("parameter" if lifetime < 600 else "secret")

    assert acme.refreshes == (len(lifetimes) - 1, 0)
    assert acme.secret["webhook_token"] == "from-rillet-0123"


def test_the_status_and_the_export_use_short_lived_tokens(short: OAuthConnection) -> None:
    short.advance(HOUR)
    status = short.status()
    short.finalise()
    short.settle()

    assert status["organisation"] == {"id": "org-acme", "name": "Acme Inc."}
    assert status["scopes"] == ["read", "write"]
    assert "action_needed" not in status
    assert len(short.rillet_invoices(FIRST)) == 1


def test_connecting_again_repairs_a_broken_connection(short: OAuthConnection) -> None:
    short.oauth.revoke_all(short.organisation)
    broken = short.status()

    short.connect()

    assert broken["action_needed"] == "reconnect"
    assert "action_needed" not in short.status()
    assert organisation_id(short.process())() == "org-acme"


def test_each_connection_has_a_parameter_of_its_own(short: OAuthConnection) -> None:
    add_connection(short.system, "other", "Other Ltd").connected()

    parameters = all_parameters(short.system)

    assert {name for name in parameters if name.endswith("/rillet-token")} == {
        TOKEN,
        f"/{STACK}/other/rillet-token",
    }
    assert organisation_id(short.process(), "other")() == "org-other"
    assert organisation_id(short.process())() == "org-acme"


def test_a_token_that_lives_no_time_at_all_is_used_once(acme: OAuthConnection) -> None:
    """A lifetime of zero would be Rillet's mistake; it must not become an endless loop of ours."""
    acme.connected()
    acme.advance(2 * HOUR)
    body = {"access_token": "of-no-time-0123", "expires_in": 0}
    acme.rillet.misbehave("status", "POST", "/oauth2/token", status=200, body=body)

    assert acme.next_token() == "of-no-time-0123"


@pytest.mark.parametrize("expires_in", [None, -5, 3600.5])
def test_an_unusable_lifetime_counts_as_an_hour(working: OAuthConnection, expires_in: object) -> None:
    working.advance(2 * HOUR)
    body = {"access_token": "of-some-time-0123", "refresh_token": "next-0123", "expires_in": expires_in}
    working.rillet.misbehave("status", "POST", "/oauth2/token", status=200, body=body)

    working.next_token()

    assert working.secret["lifetime"] == "3600"


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
