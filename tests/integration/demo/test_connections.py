"""The demo connects two organisations, tells no secret, and says when it cannot."""

import json

import pytest
import requests

from local.demo import second_connection
from local.demo.context import Context, DemoStopped, Section
from local.demo.sections import connections
from local.system import LocalSystem
from tests.integration.demo.support import MADE_BY_OAUTH, in_one_line, run_demo


def test_both_organisations_are_connected_by_links_that_work_once(system: LocalSystem) -> None:
    _, screen = run_demo(system)

    for name, organisation in (("default", "Tideway Group"), ("acme", "Acme Group")):
        assert f'connect_rillet with {{"connection": "{name}"}}' in screen
        assert f"“{name} is connected to {organisation}”" in screen
        assert f"/webhooks/solvimon/{name}" in screen
        assert f"/webhooks/rillet/{name}" in screen
        assert f"the status of {name} says: ready." in screen
    assert screen.count("once more  “This link is not valid any more”") == 2
    [organisations] = (line for line in screen.splitlines() if line.startswith("Organisation "))
    assert organisations.split()[1:] == ["Tideway", "Group", "Acme", "Group"]
    [missing] = (line for line in screen.splitlines() if "MISSING" in line)
    assert missing.split() == ["Check:", "Rillet", "webhook", "MISSING", "MISSING"]
    assert "NOT RIGHT" not in screen


def test_the_link_on_the_screen_has_neither_state_nor_challenge(system: LocalSystem) -> None:
    _, screen = run_demo(system)

    # A long address may go over two lines.
    assert "".join(screen.split()).count("/oauth2/authorize?client_id=solvimon-rillet&state=…") == 2
    assert not MADE_BY_OAUTH.search(screen)


def test_the_pattern_for_secrets_knows_a_real_link(system: LocalSystem) -> None:
    run_demo(system)

    url = system.invoke("connect_rillet", {"connection": "default"})["authorisation_url"]

    assert len(MADE_BY_OAUTH.findall(url)) == 2


def test_a_person_who_chooses_the_wrong_organisation_is_found_out(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = requests.post

    def first_choice(url: str, data: dict[str, str], **options: object) -> requests.Response:
        default = system.connections["default"].organisation.id
        return post(url, data=data | {"organisation": default}, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(requests, "post", first_choice)

    code, screen = run_demo(system)

    assert code == 1
    assert "NOT RIGHT: acme is not connected to its organisation." in screen


def test_a_deployment_without_an_oauth_client_stops_the_demo_with_a_plain_reason(system: LocalSystem) -> None:
    def lose_the_client(_: Context) -> dict[str, int | str]:
        system.configuration.put_secret("rillet-oauth-client", {"client_id": ""})
        return {}

    with pytest.raises(DemoStopped, match="no OAuth client yet"):
        run_demo(system, Section("Nobody registered", lose_the_client), connections.SECTION, connected=False)


def test_the_second_world_shares_no_id_with_the_first(system: LocalSystem) -> None:
    run_demo(system, connected=False)

    default, other = (system.connections[name] for name in ("default", second_connection.NAME))
    for collection in ("invoices", "customers", "products", "billing-entities"):
        assert not default.platform.records[collection].keys() & other.platform.records[collection].keys()
    ours, theirs = ({one["id"] for one in c.organisation.customers.documents()} for c in (default, other))
    assert ours
    assert theirs
    assert not ours & theirs
    assert "ideway" not in json.dumps(
        [second_connection.acme_solvimon_seed(), second_connection.acme_rillet_seed()]
    )


def test_what_is_missing_is_shown_with_its_remedy(system: LocalSystem) -> None:
    _, screen = run_demo(system)

    remedy = "Rillet webhook Create the webhook in Rillet with the URL in webhook_urls"
    assert remedy in in_one_line(screen)
