"""Mistakes of a first week that end on a page here: it names the thing, and has the control."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ReadTimeoutError

from local.system import Connection, LocalSystem
from solvimon_rillet.panel.functions import Functions, Invocation, InvocationFailed
from tests.panel.visitor import CONNECTION, Visitor, forms, signed_in, visible
from tests.support.arrange import finalise, put_secret
from tests.support.builders import FIRST

Arrange = Callable[[LocalSystem, Connection], None]


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


NEW_KEY = "aws secretsmanager put-secret-value --secret-id solvimon-rillet/default/"
MISTAKES: dict[str, tuple[Arrange, str, str, str]] = {
    "a wrong id": (nothing, "/documents/invoice/invo_wrong", "does not know it", "Dry run"),
    "a document that is not exported yet": (
        nothing,
        f"/documents/invoice/{FIRST}",
        "Its webhook has not arrived yet",
        "Dry run",
    ),
    "a wrong Solvimon key": (wrong_solvimon_key, "?check=1", "Solvimon", f"{NEW_KEY}solvimon"),
    "a key that may only read": (read_only_key, "?check=1", "Rillet", f"{NEW_KEY}rillet"),
    "a revoked key": (revoked_key, "?check=1", "Rillet", f"{NEW_KEY}rillet"),
    "a wrong auth": (wrong_auth, "?check=1", "auth", "Check again"),
}
"""By name: what happened, the page, what it names, and the control."""


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_ends_on_a_page_that_names_the_thing_and_has_the_control(
    system: LocalSystem, default: Connection, name: str
) -> None:
    arrange, path, named, control = MISTAKES[name]
    arrange(system, default)
    admin = signed_in(system, "admin")

    page = admin.page(path)

    assert named in visible(page)
    buttons = [button for form in forms(page) for button in form.buttons]
    assert control in buttons or control in visible(page)
    assert "Everything is booked" not in page
    assert "permitted" not in visible(page)


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


def test_without_an_oauth_client_the_button_says_what_is_missing(
    system: LocalSystem, default: Connection, admin: Visitor
) -> None:
    sent = admin.form(admin.page("?check=1"), "/sign-out").fields

    answer = admin.post(f"{CONNECTION}/connect", sent)
    result = visible(admin.get(answer.headers["location"]).text)

    assert "rillet-oauth-client" in result
    assert "Connect: refused" in result


def test_the_connections_are_listed_where_there_are_several(system: LocalSystem, operator: Visitor) -> None:
    system.connect("acme", auth="oauth", rillet={"organization": {"trade_name": "Acme"}})

    page = operator.get("/panel/connections").text

    assert 'href="/panel/connections/acme"' in page
    assert 'href="/panel/connections/default"' in page
    assert "acme" in operator.page("/activity"), "the menu of connections knows it now"


def test_an_outage_of_the_panels_table_is_a_page_that_says_so(
    system: LocalSystem, default: Connection, operator: Visitor, aws_retries_at_once: None
) -> None:
    with system.aws.outage("dynamodb"):
        answer = operator.get(f"{CONNECTION}/activity")

    assert answer.status_code == 503
    assert "The panel's own table does not answer" in visible(answer.text).replace("&#39;", "'")
    assert "Try again in a moment" in answer.text


def test_an_outage_of_lambda_is_a_page_that_says_so(
    system: LocalSystem, default: Connection, operator: Visitor, aws_retries_at_once: None
) -> None:
    with system.aws.outage("lambda"):
        pages = [operator.get(path) for path in (CONNECTION, "/panel/connections")]

    assert [page.status_code for page in pages] == [502, 502]
    assert all("Nothing was changed." in page.text for page in pages)


class _Silent:
    """A client of Lambda whose function never answers."""

    def invoke(self, **_: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://lambda")


def test_a_function_that_takes_too_long_may_have_done_its_work() -> None:
    functions = Functions("stack", _Silent())  # type: ignore[arg-type]

    with pytest.raises(InvocationFailed, match="gave no answer within 20 seconds") as failed:
        functions.invoke(Invocation("export_invoice", {}))

    assert failed.value.unknown is True
