"""What the pages show: the answers of the functions, in words; and every value as text."""

import json
import re
from typing import Any
from unittest.mock import Mock

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.panel.activity import Activity
from tests.infrastructure.arrange import Json
from tests.integration.connect_rillet.support import add_connection
from tests.integration.sync_status.support import finalised, relinked, some
from tests.panel.answers import AnswerWith
from tests.panel.hostile import HOSTILE, assert_only_text, hostile_status
from tests.panel.visitor import (
    CONNECTION,
    REJECTED,
    Markup,
    Visitor,
    csv_rows,
    forms,
    invocations,
    kept,
    signed_in,
    visible,
)
from tests.support.assertions import record, rillet_invoices
from tests.support.logs import function_logs

STORY = f"/documents/invoice/{REJECTED}"


def test_the_panel_leads_to_the_only_connection(operator: Visitor) -> None:
    home = operator.get("/panel")
    connections = operator.get("/panel/connections")

    assert (home.status_code, home.headers["location"]) == (303, "/panel/connections")
    assert connections.status_code in {200, 303}


def test_the_first_day_shows_the_steps_and_nothing_else(system: LocalSystem, admin: Visitor) -> None:
    page = admin.page()

    assert "Set up default" in page
    assert re.search(r"\d of \d+ steps are done\.", page)
    assert "To do" in visible(page)
    assert "<h2>Documents</h2>" not in page
    assert f"{system.gateway.url}/webhooks/rillet/default" in page


def test_a_step_with_a_control_says_no_invocation_and_each_address_once(
    system: LocalSystem, admin: Visitor
) -> None:
    add_connection(system)

    main = admin.get("/panel/connections/acme").text.partition('<main id="main">')[2].partition("<details")[0]

    assert "Connect to Rillet" in [button for form in forms(main) for button in form.buttons]
    assert "Or put an API key into the secret" in visible(main)
    assert "Open Configurations" in visible(main)
    assert "Invoke c" not in visible(main)
    assert "Request the status again" not in visible(main)
    assert main.count(f"{system.gateway.url}/webhooks/solvimon/acme") == 1


def test_the_overview_names_what_needs_a_person_and_counts_the_documents(
    rejected: list[Json], operator: Visitor
) -> None:
    page = operator.page()

    assert 'class="verdict apart"' in page
    assert "121.00&nbsp;EUR" in page
    assert re.search(r'<td class="n off"><a href="[^"]+state=rejected">1</a>', page)
    assert "Connected" in visible(page)


def test_a_rejected_document_is_linked_tried_again_and_booked_without_a_terminal(
    system: LocalSystem, default: Connection, rejected: list[Json], operator: Visitor
) -> None:
    story = operator.page(STORY)
    relinked(default, rejected)

    result = operator.send(story, "/retry")

    assert "no Rillet product" in visible(story) or "product" in visible(story)
    assert "Booked in Rillet as INV-" in visible(result)
    assert record(system, REJECTED)["state"] == "exported"
    assert len(rillet_invoices(default)) == 1
    assert "Try again" not in [button for form in forms(operator.page(STORY)) for button in form.buttons]


def test_a_dry_run_shows_every_field_and_sends_nothing(
    system: LocalSystem, default: Connection, rejected: list[Json]
) -> None:
    viewer = signed_in(system, "viewer")
    relinked(default, rejected)

    result = visible(viewer.send(viewer.page(STORY), "/dry-run"))

    assert "It would be booked" in result
    assert "items[0].price.amount_per_unit.amount 100.00 periods[0].groups[0].amount_excluding_tax" in result
    assert "100.00 21.00 121.00" in result
    assert not rillet_invoices(default)
    assert record(system, REJECTED)["state"] == "rejected"


def test_a_resolution_is_reviewed_before_it_is_final_and_can_be_undone(
    system: LocalSystem, default: Connection, rejected: list[Json], operator: Visitor
) -> None:
    review = operator.page(f"{STORY}/resolve?how=skip&note=A+test+invoice")
    before = record(system, REJECTED)["state"]

    resolved = operator.send(review, "/resolve")
    after = record(system, REJECTED)
    relinked(default, rejected)
    undone = operator.send(resolved, "/retry")

    assert before == "rejected"
    assert "recorded as not for Rillet" in visible(review)
    assert (after["state"], after["note"]) == ("skipped", "A test invoice")
    assert "Booked in Rillet as INV-" in visible(undone)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("how=booked&rillet=INV-0001&note=x", "A number alone is not enough"),
        ("how=booked&rillet=&note=x", "The address of the document in Rillet is missing"),
        ("how=skip&note=", "The note is missing"),
        (f"how=skip&note={'x' * 501}", "at most 500 are kept"),
    ],
)
def test_a_resolution_that_lacks_something_names_it_and_offers_no_button_to_record_it(
    rejected: list[Json], operator: Visitor, query: str, problem: str
) -> None:
    page = operator.page(f"{STORY}/resolve?{query}")

    assert problem in visible(page)
    assert "Record it" not in [button for form in forms(page) for button in form.buttons]


def test_what_a_function_refuses_is_shown_with_its_remedy_and_the_way_back(
    system: LocalSystem, default: Connection, operator: Visitor
) -> None:
    finalised(system, default, *some(1))
    review = operator.page(f"{STORY}/resolve?how=skip&note=x")

    page = operator.send(review, "/resolve")

    assert "nothing to resolve" in visible(page)
    assert f'href="{CONNECTION}{STORY}"' in page


def test_a_viewer_sees_no_button_that_changes_something(system: LocalSystem, rejected: list[Json]) -> None:
    viewer = signed_in(system, "viewer")

    buttons = [
        button
        for path in ("", STORY, "/activity", "/documents")
        for form in forms(viewer.get(f"{CONNECTION}{path}").text)
        if form.method == "POST"
        for button in form.buttons
    ]

    assert set(buttons) == {"Sign out", "Dry run"}


def test_a_document_that_the_ledger_does_not_know_says_what_that_can_mean(operator: Visitor) -> None:
    page = visible(operator.page("/documents/invoice/invo_unknown"))

    assert "does not know it" in page
    assert "Its webhook has not arrived yet" in page
    assert "Dry run" in page


def test_an_id_of_another_kind_leads_to_its_document(rejected: list[Json], operator: Visitor) -> None:
    assert f"<code>{REJECTED}</code>" in operator.page(f"/documents/credit_memo/{REJECTED}")


def test_every_answer_is_offered_as_json_and_as_the_command_of_the_very_event(
    rejected: list[Json], operator: Visitor
) -> None:
    page = operator.page(STORY)
    as_json = operator.get(f"{CONNECTION}{STORY}?as=json")
    result = operator.send(page, "/dry-run")
    location = re.search(r'href="([^"]+)\?as=json"', result)

    asked = as_json.json()
    assert as_json.headers["content-type"].startswith("application/json")
    assert asked["event"] == {"connection": "default", "invoice_id": REJECTED}
    assert asked["answer"]["state"] == "rejected"
    assert _payload(page) == asked["event"]
    assert location
    sent = operator.get(f"{location[1]}?as=json").json()
    assert _payload(result) == sent["event"]
    assert sent["event"]["by"] == "controller@tideway.example (operator)"
    assert sent["answer"]["results"]


def _payload(page: str) -> Any:  # noqa: ANN401
    """The event of the first command on a page."""
    found = re.search(r"--payload &#39;(.+?)&#39; answer", page)
    assert found
    return json.loads(found[1].replace("&#34;", '"'))


def test_a_page_whose_function_fails_says_so_and_changes_nothing(
    operator: Visitor, answered: AnswerWith
) -> None:
    answered({"sync_status": ValueError("boom")})

    answer = operator.get(f"{CONNECTION}{STORY}")

    assert answer.status_code == 502
    assert "The function sync_status failed; its log says why" in visible(answer.text)
    assert "Nothing was changed." in answer.text
    assert "boom" not in answer.text


def test_a_form_whose_function_gives_no_answer_says_that_the_result_is_unknown(
    rejected: list[Json], operator: Visitor, answered: AnswerWith
) -> None:
    page = operator.page(STORY)
    answered({"export_invoice": ValueError("boom")})

    result = visible(operator.send(page, "/retry"))

    assert "The function export_invoice failed" in result
    assert "It is not known whether it did its work." in result


def test_an_action_that_stopped_in_the_middle_is_not_repeated_and_says_that_nothing_is_known(
    system: LocalSystem, rejected: list[Json], operator: Visitor
) -> None:
    form = operator.form(operator.page(STORY), "/retry")
    table = system.deployment.resources["PanelTable"]
    key = f"action#{kept(system, 'session')[0]['pk'].partition('#')[2]}#{form.fields['action_id']}"
    begun = {"pk": key, "sk": "RECORD", "path": STORY}
    item = {name: {"S": value} for name, value in begun.items()} | {
        "begun": {"N": str(int(system.clock.now()))}
    }
    system.aws.dynamodb.put_item(TableName=table, Item=item)
    before = invocations(system)

    again = operator.post(form.action, form.fields)
    soon = operator.get(again.headers["location"]).text
    asked = invocations(system) - before
    system.advance(60)
    later = operator.get(again.headers["location"]).text

    assert "It is being done" in soon
    assert "No result is known" in later
    assert asked <= 1, "only what the frame shows"
    assert record(system, REJECTED)["state"] == "rejected"


def test_a_result_is_shown_to_the_person_who_pressed_the_button_only(
    system: LocalSystem, rejected: list[Json], operator: Visitor
) -> None:
    form = operator.form(operator.page(STORY), "/dry-run")
    address = operator.post(form.action, form.fields).headers["location"]

    assert operator.get(address).status_code == 200
    assert signed_in(system, "admin").get(address).status_code == 404


def test_connecting_leads_to_rillet_and_only_to_a_host_that_the_deployment_allows(
    system: LocalSystem, admin: Visitor, answered: AnswerWith
) -> None:
    system.connect("acme", auth="oauth", rillet={"organization": {"trade_name": "Acme"}})
    path = "/panel/connections/acme"
    page = admin.get(path).text
    good = admin.form(page, "/connect")

    led = admin.post(good.action, good.fields)
    answered({"connect_rillet": {"authorisation_url": "https://evil.example/x"}})
    bad = admin.form(admin.get(f"{path}/activity").text, "/sign-out").fields
    refused = admin.post(f"{path}/connect", bad)

    assert led.headers["location"].startswith(f"{system.rillet.origin}/")
    assert refused.status_code == 303
    assert "evil.example" not in refused.headers["location"]


def test_disconnecting_asks_for_the_name_of_the_connection(admin: Visitor) -> None:
    page = admin.page("/disconnect")

    wrong = visible(admin.send(page, "/disconnect", name="acme"))

    assert "Nothing is lost" in visible(page)
    assert "The name that you wrote is not default" in wrong


def test_activity_says_who_did_what_and_can_be_filtered_and_kept_as_csv(
    system: LocalSystem, rejected: list[Json], operator: Visitor
) -> None:
    story = operator.page(STORY)
    number = operator.form(story, "/retry").fields["number"]
    operator.send(story, "/retry")
    other = signed_in(system, "viewer", "ada@tideway.example")
    other.send(other.page(STORY), "/dry-run")

    page = visible(operator.page("/activity"))
    hers = visible(operator.page("/activity?who=ada"))
    retries = visible(operator.page("/activity?kind=retry"))
    rows = csv_rows(operator.get(f"{CONNECTION}/activity?as=csv"))

    assert f"controller@tideway.example (operator) Tried again {number} It still needs you" in page
    assert "Dry run" in hers
    assert "Tried again" not in hers
    assert "ada@tideway.example" not in retries.partition("Outcome")[2]
    assert {row["who"] for row in rows} >= {
        "controller@tideway.example (operator)",
        "ada@tideway.example (viewer)",
    }
    assert other.get(f"{CONNECTION}/activity?since=2999-01-01").text.count("<tbody>") == 0


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_name_is_text_on_every_page(
    system: LocalSystem, default: Connection, answered: AnswerWith, name: str
) -> None:
    admin = signed_in(system, "admin", name[:80] if name.isprintable() else "ada")
    answered({"sync_status": hostile_status(name), "connect_rillet": hostile_status(name)})

    for path in ("", STORY, "/documents", "/documents?q=x", "/activity", f"{STORY}/resolve?how=skip&note=x"):
        page = admin.page(path)
        assert_only_text(page, name, path)
        addresses = Markup(page).addresses
        assert all(each.startswith(("/", "?", "#", "data:,")) or not each for each in addresses), path


def test_no_page_has_an_inline_script_or_style_and_the_policy_allows_none(
    rejected: list[Json], operator: Visitor
) -> None:
    for path in ("", STORY, "/activity"):
        answer = operator.get(f"{CONNECTION}{path}")
        policy = dict(
            part.partition(" ")[::2] for part in answer.headers["content-security-policy"].split("; ")
        )

        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert re.findall(r"<script[^>]*>([^<]*)</script>", answer.text) == [""]
        assert not re.search(r"<style|style=|\son\w+=", answer.text)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["strict-transport-security"]


def test_static_files_are_kept_for_a_year_under_a_name_that_changes_with_them(operator: Visitor) -> None:
    page = operator.page("/activity")

    names = re.findall(r'(?:href|src)="(/panel/static/[^"]+)"', page)
    files = [Visitor(operator.system).get(name) for name in names]

    assert [re.sub(r"\.[0-9a-f]{16}\.", ".", name) for name in names] == [
        "/panel/static/panel.css",
        "/panel/static/htmx.js",
    ]
    for file in files:
        assert file.status_code == 200
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "set-cookie" not in file.headers
    assert operator.get("/panel/static/panel.0000000000000000.css").status_code == 404
    assert operator.get("/panel/static/README.md").status_code == 404


def test_many_documents_are_listed_page_by_page(
    system: LocalSystem, default: Connection, operator: Visitor, answered: AnswerWith
) -> None:
    row = {"kind": "invoice", "id": "invo_many000", "number": "INV-1", "state": "exported"}
    said = {"documents": [row], "next": "token-of-page-2", "in_words": "50 invoices; there are more."}
    asked = answered({"sync_status": said})

    first = operator.page("/documents?kind=customer&state=exported")
    following = re.search(r'href="([^"]+)">Next page', first)
    assert following
    operator.get(following[1].replace("&amp;", "&"))
    found = operator.page("/documents?q=INV-1")

    questions = [event["documents"] for event in asked if "documents" in event]
    assert questions == [
        {"kind": "customer", "state": "synced", "after": None, "limit": 50},
        {"kind": "customer", "state": "synced", "after": "token-of-page-2", "limit": 50},
        {"search": "INV-1", "state": None, "after": None, "limit": 50},
    ]
    assert f'{CONNECTION}/documents/invoice/invo_many000"' in found


def test_documents_are_a_table_for_a_spreadsheet_in_which_no_name_is_a_formula(
    operator: Visitor, answered: AnswerWith
) -> None:
    row = {
        "kind": "invoice",
        "id": "invo_1",
        "customer": "=HYPERLINK(1)",
        "amount": "-12.10",
        "currency": "EUR",
    }
    answered({"sync_status": {"documents": [row]}})

    answer = operator.get(f"{CONNECTION}/documents?as=csv")

    [found] = csv_rows(answer)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert (found["customer"], found["amount"], found["id"]) == ("'=HYPERLINK(1)", "-12.10", "invo_1")


def test_who_is_not_signed_in_cannot_sign_out_or_see_the_connections_or_a_result(system: LocalSystem) -> None:
    nobody = Visitor(system)

    answers = [
        nobody.post("/panel/sign-out", {"token": "x"}),
        nobody.get("/panel/connections"),
        nobody.get(f"{CONNECTION}/results/0123456789abcdef"),
        nobody.get("/panel/nowhere"),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 404]


def test_an_error_that_no_code_expects_is_a_page_that_says_so_and_is_counted(
    system: LocalSystem, operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = "Jelle de Boer"
    monkeypatch.setattr(Activity, "newest", Mock(side_effect=ValueError(person)))

    with function_logs(system, ("panel",)) as logs:
        answer = operator.get(f"{CONNECTION}/activity")

    assert answer.status_code == 500
    assert "The panel failed with an internal error" in visible(answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    written = [line for line in logs.text.splitlines() if line.startswith("{")]  # pytest's own lines apart
    assert any('"FunctionFailed":[1.0]' in line for line in written)
    assert person not in answer.text + "".join(written)
