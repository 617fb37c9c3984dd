"""Which connections there are, who connected them, and what to do about one that does not exist."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.connect_rillet.support import (
    ACME,
    STACK,
    OAuthConnection,
    add_connection,
    ask,
    open_page,
)
from tests.support.arrange import connect_demo


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
