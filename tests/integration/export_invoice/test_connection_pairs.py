"""Two connections to the same platform and organisation would book every document twice."""

from typing import Any

import pytest

from local.system import Connection, LocalSystem
from tests.support.arrange import connect_demo, export, finalise, ledger_table
from tests.support.assertions import invoice_posts, rillet_invoices
from tests.support.builders import FIRST


@pytest.fixture
def same(system: LocalSystem, default: Connection) -> Connection:
    """A connection with the keys of the default one."""
    second = connect_demo(system, "second")
    system.put_secret("second", "solvimon", {"api_key": default.solvimon_api_key})
    system.put_secret("second", "rillet", {"api_key": default.rillet_api_key})
    system.runtime.reset()
    finalise(system, default)
    return second


def only(system: LocalSystem, name: str) -> dict[str, Any]:
    """The line of the checklist about other connections of the same pair."""
    answer = system.invoke("connect_rillet", {"connection": name, "action": "status"})
    return next(dict(line) for line in answer["checklist"] if line["check"] == "only connection")


@pytest.mark.usefixtures("same")
def test_two_connections_to_the_same_pair_are_refused(system: LocalSystem, default: Connection) -> None:
    [booked] = export(system)

    [dry] = export(system, connection="second", dry_run=True)
    [refused] = export(system, connection="second")
    system.settle()

    assert booked["outcome"] == "exported"
    assert (dry["outcome"], refused["outcome"]) == ("try_again", "queued")
    assert "The connection default books the same Solvimon platform" in dry["reason"]
    assert len(rillet_invoices(default, FIRST)) == 1
    assert len(invoice_posts(system)) == 1


@pytest.mark.usefixtures("same")
def test_a_second_connection_of_a_pair_is_named_when_it_is_connected(
    system: LocalSystem, default: Connection
) -> None:
    export(system)

    before, second, after = (only(system, name) for name in (default.name, "second", default.name))

    assert (second["ok"], second["blocking"]) == (False, True), second
    assert "the connection default books the same Solvimon platform" in second["found"]
    assert "the exports of second wait" in second["found"]
    assert "settings of default or of second" in second["remedy"]
    assert before["ok"] is True  # whose key the second one has is not known yet
    assert (after["ok"], after["blocking"]) == (False, False)  # the first one goes on
    assert "the exports of second wait" in after["found"]


def test_a_second_connection_of_a_pair_is_refused_before_it_writes_anything(
    system: LocalSystem, default: Connection, same: Connection
) -> None:
    """A synchronisation knows no subsidiary: the owners of both sides say that it is the same pair."""
    export(system)
    customer = next(iter(default.platform.records["customers"]))
    default.platform.edit_customer(customer, organization={"legal_name": "Renamed B.V."})
    writes = len([call for call in system.rillet.state.calls if call.method != "GET"])

    answer = system.invoke("sync_customer", {"connection": same.name, "customer_ids": [customer]})

    [result] = answer["results"]
    assert result["outcome"] == "queued"
    assert "The connection default books the same Solvimon platform" in result["reason"]
    assert len([call for call in system.rillet.state.calls if call.method != "GET"]) == writes
    # Neither side is bound, so another key of either vendor puts it right.
    assert [item for item in system.ledger() if item["pk"].startswith("second#o")] == []


def test_a_claim_of_owners_that_changed_since_is_taken_over(
    system: LocalSystem, default: Connection, same: Connection
) -> None:
    """The pair was claimed by a connection that was bound to another organisation in the end."""
    pair = f"(deployment)#pair#{default.platform.id}-{default.organisation.id}"
    other = {"organisation_id": "org-other", "organisation_name": "Other"}
    ledger_table(system).put(pair, {"claimed_by": same.name})
    ledger_table(system).put("second#oauth#organisation", other)

    [booked] = export(system)

    assert booked["outcome"] == "exported"
    assert (system.ledger_item(pair, "RECORD") or {})["claimed_by"] == "default"


def test_a_connection_that_was_bound_by_an_earlier_version_claims_its_pair_with_its_next_write(
    system: LocalSystem, default: Connection
) -> None:
    finalise(system, default)
    export(system)
    pair = f"(deployment)#pair#{default.platform.id}-{default.organisation.id}"
    for pk in (pair, "default#oauth#organisation", "default#owner#solvimon"):
        item = ledger_table(system).pop(pk)
        assert item
        if pk != pair:
            kept = {name: value for name, value in item.items() if name != "paired"}
            ledger_table(system).put(pk, kept)
    system.runtime.reset()
    other = next(i for i, one in default.platform.records["invoices"].items() if one["status"] != "FINAL")
    default.platform.finalise(other)

    export(system, other)

    assert (system.ledger_item(pair, "RECORD") or {})["claimed_by"] == "default"


@pytest.mark.usefixtures("same")
def test_the_pair_of_a_connection_that_was_removed_is_free(system: LocalSystem, default: Connection) -> None:
    other = next(i for i in default.platform.records["invoices"] if i != FIRST)
    export(system)
    default.platform.finalise(other)
    name = f"/{system.deployment.stack}/default/settings"
    system.aws.ssm.delete_parameter(Name=name)
    system.runtime.reset()

    [result] = export(system, other, connection="second")

    assert result["outcome"] == "exported"


def test_connections_to_other_platforms_or_organisations_do_not_disturb_each_other(
    system: LocalSystem, default: Connection
) -> None:
    second = connect_demo(system, "second")
    for each in (default, second):
        finalise(system, each)

    outcomes = [export(system, connection=each.name)[0]["outcome"] for each in (default, second)]

    assert outcomes == ["exported", "exported"]
    assert [only(system, each.name)["ok"] for each in (default, second)] == [True, True]
