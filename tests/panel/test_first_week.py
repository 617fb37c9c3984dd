"""The mistakes of a first week: each ends on a page that names the thing and has the control for it."""

from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import Mock

import pytest
from botocore.exceptions import ReadTimeoutError

from local.system import Connection, LocalSystem
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.ledger.import_state import ImportState
from solvimon_rillet.panel.functions import Functions, Invocation, InvocationFailed
from tests.integration.connect_rillet.support import add_connection
from tests.integration.sync_status.support import finalised, some, unlinked
from tests.integration.sync_status.test_mistakes_of_a_first_week import LIBRARY
from tests.panel.visitor import CONNECTION, Visitor, forms, signed_in, visible
from tests.support.arrange import finalise, put_secret
from tests.support.builders import FIRST

Arrange = Callable[[LocalSystem, Connection], object]
Go = Callable[[LocalSystem, Visitor], str]


def nothing(_system: LocalSystem, _connection: Connection) -> None:
    """Leave everything as it is."""


def wrong_solvimon_key(system: LocalSystem, connection: Connection) -> None:
    """Store a key that Solvimon refuses, and let an invoice wait for it."""
    finalise(system, connection)
    put_secret(system, connection, "solvimon", api_key="wrong")
    system.settle()


def read_only_key(system: LocalSystem, connection: Connection) -> None:
    """Let Rillet's key read only, and let an invoice wait for it."""
    system.rillet.state.api_keys[connection.rillet_api_key].read_only = True
    finalise(system, connection)
    system.settle()


def revoked_key(system: LocalSystem, connection: Connection) -> None:
    """Revoke Rillet's key, and let an invoice wait for it."""
    system.rillet.state.revoke(connection.rillet_api_key)
    finalise(system, connection)
    system.settle()


def wrong_auth(system: LocalSystem, connection: Connection) -> None:
    """Store a secret whose auth is none."""
    put_secret(system, connection, "rillet", auth="api-key")


def revoked_grant(system: LocalSystem, _connection: Connection) -> None:
    """Let a person take back at Rillet what the connection was granted."""
    acme = add_connection(system, records=True).connected()
    acme.oauth.revoke_all(acme.organisation)
    system.advance(2 * 3600)


def unlinked_product(system: LocalSystem, connection: Connection) -> None:
    """Let an invoice be rejected because its product has no Rillet product."""
    unlinked(connection)
    finalised(system, connection, *some(1))


def import_under_way(system: LocalSystem, _connection: Connection) -> None:
    """Let an import of products hold the lease."""
    environment = system.deployment.functions["import_products"].environment
    table, clock = Services(environment, system.clock.now).table, system.clock.now
    ImportState("default", "product", table, clock).acquire_lease("another", 3600)


def at(path: str) -> Go:
    """Open a page."""
    return lambda _system, visitor: visitor.page(path)


def of_acme(path: str) -> Go:
    """Open a page of another connection."""
    return lambda _system, visitor: visitor.get(f"/panel/connections/acme{path}").text


def a_number(_system: LocalSystem, visitor: Visitor) -> str:
    """Give a number where an id is meant."""
    led = visitor.get(f"{CONNECTION}/documents/invoice/INV-2026-11-000016")
    return visitor.get(led.headers["location"]).text


def a_typo_in_a_setting(_system: LocalSystem, visitor: Visitor) -> str:
    """Write a setting that there is none."""
    page = visitor.page("/configurations")
    return visitor.send(page, "/configurations/review", advanced='{"swep": {"lookback_days": 7}}')


def connect(_system: LocalSystem, visitor: Visitor) -> str:
    """Press the button that connects."""
    sent = visitor.form(visitor.page("?check=1"), "/sign-out").fields
    return visitor.get(visitor.post(f"{CONNECTION}/connect", sent).headers["location"]).text


def a_second_import(system: LocalSystem, visitor: Visitor) -> str:
    """Import while another import runs."""
    form = visitor.form(visitor.page("/synchronise"), "/imports/products/preview")
    began = visitor.post(form.action.removesuffix("/preview"), form.fields)
    system.lambda_api.wait()
    return visitor.get(began.headers["location"]).text


def exchanged_days(_system: LocalSystem, visitor: Visitor) -> str:
    """Reconcile from a day to an earlier one."""
    page = visitor.page("/reconciliation")
    return visitor.send(page, "/reconciliation/start", **{"from": "2026-11-30", "to": "2026-11-01"})


@dataclass(frozen=True)
class Mistake:
    """What somebody does, what the page names, and the control that it has: a button, a link or a command."""

    arrange: Arrange
    go: Go
    names: str
    control: str


NEW_KEY = "aws secretsmanager put-secret-value --secret-id solvimon-rillet/default/"
UNKNOWN = at("/documents/invoice/invo_wrong")
NOT_YET = at(f"/documents/invoice/{FIRST}")
CHECK = at("?check=1")
MISTAKES = {
    "a wrong id": Mistake(nothing, UNKNOWN, "does not know it", "Dry run"),
    "a number instead of an id": Mistake(nothing, a_number, "has this number or id", "Clear the filters"),
    "a typo in a field": Mistake(nothing, at("/documents?currency=Euro"), "Currency: should be", "Search"),
    "a typo in a setting": Mistake(nothing, a_typo_in_a_setting, "Did you mean sweep", "Review changes"),
    "a wrong secret": Mistake(wrong_solvimon_key, CHECK, "Solvimon", f"{NEW_KEY}solvimon"),
    "a key that may only read": Mistake(read_only_key, CHECK, "Rillet", f"{NEW_KEY}rillet"),
    "a revoked key": Mistake(revoked_key, CHECK, "Rillet", f"{NEW_KEY}rillet"),
    "a wrong auth": Mistake(wrong_auth, CHECK, "auth", "Check again"),
    "no OAuth client": Mistake(nothing, connect, "rillet-oauth-client", "Back"),
    "a revoked grant": Mistake(revoked_grant, of_acme("?check=1"), "Rillet", "Connect to Rillet"),
    "an unlinked product": Mistake(
        unlinked_product, at("/needs-attention"), "has no Rillet product", "Choose its Rillet product"
    ),
    "from after to": Mistake(
        nothing,
        at("/synchronise/backfill?from=2026-11-30&to=2026-11-01"),
        "From (2026-11-30) is later",
        "Count",
    ),
    "from after to in a reconciliation": Mistake(
        nothing, exchanged_days, "From (2026-11-30) is later", "Back to the form"
    ),
    "an import under way": Mistake(
        import_under_way, a_second_import, "Another import of products", "Synchronise"
    ),
    "a document that is not exported yet": Mistake(
        nothing, NOT_YET, "Its webhook has not arrived yet", "Dry run"
    ),
}
"""By name. An unknown connection has no menu around it: its test is below."""


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_ends_on_a_page_that_names_the_thing_and_has_the_control(
    system: LocalSystem, default: Connection, name: str
) -> None:
    mistake = MISTAKES[name]
    mistake.arrange(system, default)
    admin = signed_in(system, "admin")

    page = mistake.go(system, admin)

    main = page.partition('<main id="main">')[2]
    assert mistake.names in visible(main), visible(main)[:3000]
    buttons = [button for form in forms(main) for button in form.buttons]
    assert mistake.control in buttons or mistake.control in visible(main), buttons
    assert "Everything is booked" not in page
    assert not LIBRARY.search(visible(main))


def test_a_number_instead_of_an_id_is_searched_for(
    system: LocalSystem, default: Connection, operator: Visitor
) -> None:
    finalise(system, default)
    system.settle()

    led = operator.get(f"{CONNECTION}/documents/invoice/INV-2026-11-000001")
    found = operator.get(led.headers["location"]).text

    assert led.headers["location"] == f"{CONNECTION}/documents?q=INV-2026-11-000001"
    assert f'{CONNECTION}/documents/invoice/{FIRST}"' in found


def test_an_unknown_connection_is_named_with_the_way_to_the_others(operator: Visitor) -> None:
    answer = operator.get("/panel/connections/nobody")

    assert answer.status_code == 404
    assert "nobody" in visible(answer.text)
    assert 'href="/panel/connections"' in answer.text


def test_the_connections_are_listed_where_there_are_several(system: LocalSystem, operator: Visitor) -> None:
    system.connect("acme", auth="oauth", rillet={"organization": {"trade_name": "Acme"}})

    page = operator.get("/panel/connections").text

    assert 'href="/panel/connections/acme"' in page
    assert 'href="/panel/connections/default"' in page
    assert "acme" in operator.page("/activity"), "the menu of connections knows it now"


def test_an_outage_of_the_panels_table_is_a_page_that_says_so(
    system: LocalSystem, operator: Visitor, aws_retries_at_once: None
) -> None:
    with system.aws.outage("dynamodb"):
        answer = operator.get(f"{CONNECTION}/activity")

    assert answer.status_code == 503
    assert "The panel's own table does not answer" in visible(answer.text).replace("&#39;", "'")
    assert "Try again in a moment" in answer.text


def test_an_outage_of_lambda_is_a_page_that_says_so(
    system: LocalSystem, operator: Visitor, aws_retries_at_once: None
) -> None:
    with system.aws.outage("lambda"):
        pages = [operator.get(path) for path in (CONNECTION, "/panel/connections")]

    assert [page.status_code for page in pages] == [502, 502]
    assert all("Nothing was changed." in page.text for page in pages)


def test_a_function_that_takes_too_long_may_have_done_its_work() -> None:
    silent = Mock(invoke=Mock(side_effect=ReadTimeoutError(endpoint_url="https://lambda")))
    functions = Functions("stack", silent)

    with pytest.raises(InvocationFailed, match="gave no answer within 20 seconds") as failed:
        functions.invoke(Invocation("export_invoice", {}))

    assert failed.value.unknown is True


def test_a_key_that_may_only_read_is_not_shown_as_a_good_connection_and_its_wait_is_said_once(
    system: LocalSystem, default: Connection
) -> None:
    read_only_key(system, default)

    main = visible(signed_in(system, "viewer").page("?check=1").partition('<main id="main">')[2])

    assert "Connected, but may not write" in main
    assert main.count("that the credential may not do this") + main.count("says the credential may not") == 1
