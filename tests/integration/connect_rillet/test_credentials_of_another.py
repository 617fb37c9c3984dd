"""A credential of one connection in another books nothing; which connections there are, and whose."""

from unittest.mock import Mock

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.connections.owner import RILLET_SIDE, AnotherOwner, Owner, Owners
from solvimon_rillet.connections.rillet_tokens import RilletTokens
from solvimon_rillet.entrypoints.services import Services
from tests.integration.connect_rillet.support import (
    ACME,
    STACK,
    OAuthConnection,
    add_connection,
    ask,
    callback,
    open_page,
    query_of,
    secret,
)
from tests.support.arrange import connect_demo, finalise, patched
from tests.support.assertions import record, rillet_invoices
from tests.support.builders import FIRST, Json


def _copy(system: LocalSystem, vendor: str) -> None:
    """Paste what is in A's secret into B's."""
    system.put_secret("b", vendor, secret(system, f"a/{vendor}"))
    system.runtime.reset()


def _connected(system: LocalSystem, name: str, auth: str) -> Connection:
    made = connect_demo(system, name, auth=auth)  # type: ignore[arg-type]
    if auth == "oauth":
        system.authorise(name)
    return made


@pytest.mark.parametrize("auth", ["api_key", "oauth"])
@pytest.mark.parametrize("vendor", ["solvimon", "rillet"])
def test_a_credential_of_a_in_b_books_nothing_and_names_both(
    system: LocalSystem, vendor: str, auth: str
) -> None:
    a, b = _connected(system, "a", auth), _connected(system, "b", auth)
    finalise(system, b)
    system.settle()
    assert len(rillet_invoices(b)) == 1
    _copy(system, vendor)
    another = next(one for one in b.platform.records["invoices"] if one != FIRST)
    for platform in (a.platform, b.platform):
        platform.finalise(another)

    answer = system.invoke("export_invoice", {"connection": "b", "invoice_ids": [another]})

    [result] = answer["results"]
    assert rillet_invoices(a) == []
    if (vendor, auth) == ("rillet", "oauth"):
        # Tokens count in the connection whose table has their generation: its own are still there.
        assert (result["outcome"], len(rillet_invoices(b))) == ("exported", 2)
        return
    sides = (a.organisation, b.organisation) if vendor == "rillet" else (a.platform, b.platform)
    assert result["outcome"] == "queued"
    assert "belongs to another" in result["reason"]
    assert all(owner.id in result["reason"] for owner in sides)
    assert len(rillet_invoices(b)) == 1


def test_the_documents_continue_when_the_own_key_is_back(system: LocalSystem) -> None:
    _connected(system, "a", "api_key")
    b = _connected(system, "b", "api_key")
    finalise(system, b)
    system.settle()
    own = secret(system, "b/rillet")
    _copy(system, "rillet")
    another = next(one for one in b.platform.records["invoices"] if one != FIRST)
    system.invoke("export_invoice", {"connection": "b", "invoice_ids": [another]})

    system.put_secret("b", "rillet", own)
    system.runtime.reset()
    system.advance(3600)
    system.settle()

    assert record(system, another, "b")["state"] in {"skipped", "exported"}


def test_a_key_is_asked_for_its_owner_once(system: LocalSystem) -> None:
    b = _connected(system, "b", "api_key")
    for invoice_id in list(b.platform.records["invoices"])[:3]:
        if b.platform.records["invoices"][invoice_id]["status"] != "FINAL":
            finalise(system, b, invoice_id)
        system.settle()
        system.runtime.reset()

    asked = [call for call in system.rillet.state.calls if call.path == "/organizations/self"]
    assert len(asked) == 1


def test_of_two_claims_at_once_the_first_one_wins(system: LocalSystem) -> None:
    environment = {"STACK": STACK, "LEDGER_TABLE": system.deployment.outputs["LedgerTableName"]}
    services = Services(environment, system.clock.now)
    first, second = Owners(services.table), Owners(services.table)

    first.claim("b", RILLET_SIDE, Owner("org-1", "One"))
    with pytest.raises(AnotherOwner) as refused:
        second.claim("b", RILLET_SIDE, Owner("org-2", "Two"))
    first.claim("b", RILLET_SIDE, Owner("org-1", "One again"))

    assert "Two (org-2), not One (org-1)" in refused.value.message
    assert second.owner("b", RILLET_SIDE) == Owner("org-1", "One again")


def test_a_crash_between_owner_and_tokens_leaves_a_connection_that_can_be_authorised_again(
    system: LocalSystem,
) -> None:
    b = connect_demo(system, "b", auth="oauth")
    query = _grant(system, b)
    with patched(RilletTokens, "store", Mock(side_effect=RuntimeError("the process ends here"))):
        callback(system, query)

    assert callback(system, _grant(system, b)).status_code == 200
    owner = next(item for item in system.ledger() if item["pk"] == "b#oauth#organisation")
    assert owner["organisation_id"] == b.organisation.id


def _grant(system: LocalSystem, connection: Connection) -> Json:
    url = system.invoke("connect_rillet", {"connection": connection.name})["authorisation_url"]
    return query_of(system.rillet.state.oauth.grant(url, connection.organisation))


def test_who_connected_it_and_since_when_is_said(acme: OAuthConnection) -> None:
    url = acme.system.invoke("connect_rillet", {"connection": ACME, "by": "Ada Lovelace"})[
        "authorisation_url"
    ]

    open_page(acme.oauth.grant(url, acme.organisation, "grant"))
    connected = acme.status()
    acme.system.invoke("connect_rillet", {"connection": ACME, "action": "disconnect", "by": "Grace Hopper"})

    history = acme.system.ledger_item(f"{ACME}#oauth#history", "RECORD")

    assert connected["connected_by"] == "Ada Lovelace"
    assert connected["connected_since"].startswith("20")
    assert acme.status()["connected_by"] is None
    assert history is not None
    assert [(each["what"], each["by"]) for each in history["entries"]] == [
        ("connected", "Ada Lovelace"),
        ("disconnected", "Grace Hopper"),
    ]


def test_list_names_the_connections(system: LocalSystem) -> None:
    connect_demo(system)
    add_connection(system).connected()
    system.connect("empty", auth="oauth")

    answer = system.invoke("connect_rillet", {"list": True})

    assert [(row["connection"], row["auth"]) for row in answer["connections"]] == [
        (ACME, "oauth"),
        ("default", "api_key"),
        ("empty", None),
    ]
    assert answer["connections"][0]["organisation"] == "Acme Inc."
    assert answer["in_words"].startswith("3 connections: acme (Acme Inc.), default (")
    assert "empty (not connected yet)" in answer["in_words"]


def test_list_of_no_connection_says_how_to_make_one(system: LocalSystem) -> None:
    answer = system.invoke("connect_rillet", {"list": True})

    assert answer["connections"] == []
    assert f"/{STACK}/default/settings" in answer["in_words"]


@pytest.mark.parametrize("action", ["connect", "status", "disconnect"])
def test_an_unknown_connection_says_which_exist_and_how_to_make_one(
    default: Connection, system: LocalSystem, action: str
) -> None:
    answer = ask(system, "defaul", action)

    assert answer["did_you_mean"] == "default"
    assert "There are: default. Did you mean default?" in answer["remedy"]
    assert f"create the SSM parameter /{STACK}/defaul/settings" in answer["remedy"]
