"""Two connections to the same platform and organisation would book every document twice."""

from typing import Any

import pytest

from local.system import Connection, LocalSystem
from tests.support.arrange import connect_demo, export, finalise
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

    first, second = (only(system, name) for name in (default.name, "second"))

    assert second["ok"] is False
    assert "the connection default books the same Solvimon platform" in second["found"]
    assert "settings of default or of second" in second["remedy"]
    assert first["ok"] is True  # nothing was written with the second one's credentials yet


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
