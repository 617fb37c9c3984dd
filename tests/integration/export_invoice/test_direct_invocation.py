"""A person invokes the function directly: to export, or for a dry run."""

import json
from pathlib import Path
from typing import Any

import pytest

from local import sample_data
from local.system import ROOT, Connection, LocalSystem
from tests.support.arrange import connect_demo, export, finalise, put_on_queue, solvimon_invoice
from tests.support.assertions import (
    assert_exported,
    invoice_posts,
    ledger_without_rate_limit,
    record,
    rillet_invoice,
    rillet_invoices,
    waiting,
)
from tests.support.builders import FIRST, Json, bus_event
from tests.support.connected import Connected
from tests.support.webhooks import envelope, event, signed

NEW_CUSTOMER = sample_data.invoice_id("new-customer")
DISCOUNT = sample_data.invoice_id("discount")
UNROUNDED = sample_data.invoice_id("unrounded")


def everything(system: LocalSystem) -> Json:
    """All that a run could change, but the log of requests to Rillet, which reads add to as well."""
    return {
        "ledger": ledger_without_rate_limit(system),
        "rillet": [
            (o.document["id"], o.customers.documents(), o.invoices.documents())
            for o in system.rillet.state.organisations.values()
        ],
        "writes to rillet": [c for c in system.rillet.state.calls if c.method != "GET"],
        "writes to solvimon": [c for c in system.solvimon.state.calls if c.method != "GET"],
        "queue": system.pollers.queues["export_invoice"].bodies(),
        "bus": system.bus_events(),
        "secrets": system.aws.secretsmanager.list_secrets()["SecretList"],
    }


def dry_run(system: LocalSystem, *invoice_ids: str, **more: object) -> list[Json]:
    """Make a dry run, and check that it changes nothing."""
    before = everything(system)
    results = export(system, *invoice_ids, dry_run=True, **more)
    assert everything(system) == before
    return results


@pytest.fixture
def final(default: Connected) -> Connected:
    """The connection ``default`` with its first invoice final."""
    default.platform.finalise(FIRST)
    return default


def test_a_person_exports_invoices_by_their_ids(final: Connected) -> None:
    final.export()
    final.platform.finalise(DISCOUNT)

    answer = final.system.invoke("export_invoice", {"invoice_ids": [FIRST, DISCOUNT, NEW_CUSTOMER, DISCOUNT]})

    assert (answer["connection"], answer["dry_run"]) == ("default", False)
    assert answer["summary"] == {"already_exported": 2, "exported": 1, "skipped": 1}
    first, discount, skipped, again = answer["results"]
    in_rillet = rillet_invoice(final, DISCOUNT)
    assert discount == {
        "invoice_id": DISCOUNT,
        "outcome": "exported",
        "rillet_id": in_rillet["id"],
        "rillet_number": in_rillet["invoice_number"],
        "totals": {"currency": "EUR", "net": "1350.00", "tax": "283.50", "gross": "1633.50"},
        "warnings": discount["warnings"],
    }
    assert again == discount | {"outcome": "already_exported"}
    assert (first["outcome"], first["rillet_id"]) == ("already_exported", final.record()["rillet_id"])
    reason = "The invoice is not FINAL: DRAFT."
    assert skipped == {"invoice_id": NEW_CUSTOMER, "outcome": "skipped", "reason": reason}


def test_an_answer_warns_where_rillet_gives_the_invoice_its_own_number(default: Connected) -> None:
    number = default.platform.finalise(FIRST)["invoice_number"]

    [result] = default.export()

    assert result["rillet_number"] == "INV-0001"
    assert result["warnings"] == [f"Rillet gave it the number INV-0001; its number in Solvimon is {number}."]


@pytest.mark.parametrize("invoice_id", [FIRST, DISCOUNT, UNROUNDED, NEW_CUSTOMER])
@pytest.mark.parametrize("scope", ["FULL", "REVENUE_RECOGNITION_ONLY", "AR_ONLY"])
def test_a_dry_run_answers_exactly_what_is_then_sent_and_writes_nothing(
    default: Connected, invoice_id: str, scope: str
) -> None:
    default.configure(invoice_scope=scope)
    default.platform.finalise(invoice_id)

    [planned] = dry_run(default.system, invoice_id)
    [done] = default.export(invoice_id)

    [call] = invoice_posts(default.system)
    assert (planned["outcome"], done["outcome"]) == ("would_export", "exported")
    body = json.loads(json.dumps(call.request_body, default=str))
    payload = json.loads(json.dumps(planned["payload"], default=str))
    if planned["payload"]["customer_id"] == "(created on export)":
        del body["customer_id"], payload["customer_id"]
    assert payload == body
    assert planned["tie_out"] == done["totals"]


def test_a_dry_run_names_the_source_of_every_field_of_the_payload(default: Connected) -> None:
    default.platform.finalise(DISCOUNT)

    [planned] = dry_run(default.system, DISCOUNT)

    assert set(planned["came_from"]) == set(_paths(planned["payload"]))
    came_from = planned["came_from"]
    assert came_from["invoice_date"] == "invoice_date"
    assert came_from["items[2].price.amount_per_unit"] == "periods[0].groups[2].amount_excluding_tax"
    assert came_from["items[0].tax_rate.percentage"] == ("periods[0].groups[0].tax_categories[0].percentage")
    document = solvimon_invoice(default, DISCOUNT)
    nowhere = {path: source for path, source in came_from.items() if not _is_in(document, source)}
    assert nowhere == {}


def _paths(payload: Json, prefix: str = "") -> list[str]:
    """The payload's fields as a dry run names them: down to money, periods and lists of references."""
    paths: list[str] = []
    for name, value in payload.items():
        if name == "items":
            for number, item in enumerate(value):
                paths += _paths(item, f"items[{number}].")
        elif isinstance(value, dict) and not {"amount", "base"} & value.keys():
            paths += _paths(value, f"{prefix}{name}.")
        else:
            paths.append(prefix + name)
    return paths


def _is_in(document: Json, source: str) -> bool:
    """Whether a path like ``periods[0].groups[2].end_at`` is in the invoice, or says that it is a setting."""
    here: list[Any] = [document]
    for step in source.partition(" (")[0].replace("[", ".").replace("]", "").split("."):
        if source.startswith("("):
            break
        if step.isdigit():
            here = [here[int(step)]] if int(step) < len(here) else []
        else:
            found = [part[step] for part in here if step in part]
            here = [each for part in found for each in (part if isinstance(part, list) else [part])]
    return bool(here)


def test_a_dry_run_shows_the_customer_that_would_be_created(default: Connected) -> None:
    default.platform.finalise(NEW_CUSTOMER)

    [planned] = dry_run(default.system, NEW_CUSTOMER)
    default.export(NEW_CUSTOMER)

    [created] = [c for c in default.system.rillet.state.calls if (c.method, c.path) == ("POST", "/customers")]
    assert planned["customer_to_create"] == created.request_body
    assert planned["payload"]["customer_id"] == "(created on export)"
    assert any("Zeeland Offshore Crew B.V." in warning for warning in planned["warnings"])


def test_a_dry_run_of_unrounded_amounts_warns_where_the_rounding_went(default: Connected) -> None:
    default.platform.finalise(UNROUNDED)

    [planned] = dry_run(default.system, UNROUNDED)

    items = planned["payload"]["items"]
    assert [item["price"]["amount_per_unit"]["amount"] for item in items] == ["118.26", "41.91"]
    assert planned["tie_out"] == {"currency": "EUR", "net": "160.17", "tax": "33.64", "gross": "193.81"}


def test_a_dry_run_says_what_would_be_rejected_or_skipped_and_why(default: Connected) -> None:
    default.configure(fallback_products={})
    default.platform.finalise(DISCOUNT)
    default.platform.records["invoices"][FIRST]["status"] = "CANCELLED"

    refused, cancelled, nowhere = dry_run(default.system, DISCOUNT, FIRST, "invo_nowhere")

    assert refused.items() >= {"outcome": "would_reject", "code": "fallback_product_missing"}.items()
    assert "fallback_products.discount" in refused["remedy"]
    assert cancelled == {
        "invoice_id": FIRST,
        "outcome": "would_skip",
        "reason": "The invoice is not FINAL: CANCELLED.",
    }
    assert (nowhere["outcome"], nowhere["code"]) == ("would_reject", "invoice_not_found")


@pytest.mark.usefixtures("final")
def test_a_dry_run_states_the_ledgers_state_and_promises_no_second_export(system: LocalSystem) -> None:
    system.rillet.state.misbehave("status", status=400)
    export(system)
    [after_rejection] = dry_run(system, FIRST)
    export(system)

    [after_export] = dry_run(system, FIRST)

    assert (after_rejection["outcome"], after_rejection["state_now"]) == ("would_export", "rejected")
    assert after_export["state_now"] == "exported"
    assert after_export["outcome"] != "would_export"


def test_a_dry_run_of_a_credit_note_promises_what_the_run_does(final: Connected) -> None:
    solvimon_invoice(final)["type"] = "CREDIT"

    [planned] = dry_run(final.system, FIRST)
    [done] = final.export()

    assert done["outcome"] == "not_ours"
    assert planned["outcome"] not in {"would_export", "would_reject"}


@pytest.mark.usefixtures("final")
@pytest.mark.parametrize("vendor", ["solvimon", "rillet"])
def test_a_dry_run_while_a_vendor_is_down_says_try_again_and_queues_nothing(
    system: LocalSystem, vendor: str
) -> None:
    fake: Any = getattr(system, vendor).state
    fake.misbehave("down")

    [planned] = dry_run(system, FIRST)

    assert planned["outcome"] == "try_again"
    assert vendor.capitalize() in planned["reason"]


@pytest.mark.usefixtures("final")
@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "invoice_ids"),
        ({"invoice_ids": []}, "invoice_ids"),
        ({"invoice_ids": None}, "invoice_ids"),
        ({"invoice_ids": FIRST}, "invoice_ids"),
        ({"invoice_ids": [7]}, "invoice_ids.0"),
        ({"invoice_ids": [FIRST, None]}, "invoice_ids.1"),
        ({"invoice_ids": ["invo_1"] * 501}, "invoice_ids"),
        ({"invoice_ids": [FIRST], "dry_run": "perhaps"}, "dry_run"),
        ({"invoice_ids": [FIRST], "connection": None}, "connection"),
        ({"invoice_ids": [FIRST], "connection": ["default"]}, "connection"),
        ({"invoice_ids": [FIRST], "dryrun": True}, "dryrun"),
        ({"invoice_ids": [FIRST], "ids": [FIRST]}, "ids"),
        ({"invoice_id": FIRST}, "invoice_id"),
        ([], ""),
        ("invo_1", ""),
    ],
)
def test_a_request_that_cannot_be_understood_names_the_field_and_gives_an_example(
    system: LocalSystem,
    request_: Any,  # noqa: ANN401
    field: str,
) -> None:
    before = everything(system)

    answer = system.invoke("export_invoice", request_)

    assert f"{field}: " in answer["error"] or not field
    assert answer.keys() == {"error", "example"}
    assert everything(system) == before, "nothing at all is done"
    assert "error" not in system.invoke("export_invoice", answer["example"]), "the example can be used"


@pytest.mark.usefixtures("default")
@pytest.mark.parametrize("identifier", ["", " ", "a#b", "../customers/x", "invo_1?x=1", "é", "x" * 3000])
@pytest.mark.parametrize(("dry", "outcome"), [(True, "would_reject"), (False, "rejected")])
def test_an_id_that_no_invoice_can_have_is_rejected(
    system: LocalSystem, identifier: str, dry: bool, outcome: str
) -> None:
    before = len(system.solvimon.state.calls)

    [result] = export(system, identifier, dry_run=dry)

    assert (result["outcome"], result["code"]) == (outcome, "invoice_not_found")
    assert len(system.solvimon.state.calls) - before <= 1
    assert all(call.path.startswith("/v1/invoices/") for call in system.solvimon.state.calls)


UNKNOWN = ["unknown", "DEFAULT", "a/b", "", "x" * 5000, "default#", "default/solvimon", "../default"]


@pytest.mark.usefixtures("default")
@pytest.mark.parametrize("name", [*UNKNOWN, "default#invoice", "default "])
@pytest.mark.parametrize("dry", [True, False])
def test_an_unknown_connection_is_answered_with_the_remedy_and_reaches_no_other(
    system: LocalSystem, name: str, dry: bool
) -> None:
    answer = system.invoke("export_invoice", {"connection": name, "invoice_ids": [FIRST], "dry_run": dry})

    assert answer.keys() == {"error", "remedy"}
    assert repr(name)[:20] in answer["error"]
    assert waiting(system).total == 0
    assert system.ledger() == []


@pytest.mark.usefixtures("final")
def test_an_export_that_must_wait_is_put_on_the_queue(system: LocalSystem) -> None:
    system.rillet.state.misbehave("down")

    [result] = export(system)
    system.rillet.state.behave()
    system.advance(60)
    system.deliver()

    assert result["outcome"] == "queued"
    assert "the next attempt follows automatically" in result["reason"]
    assert record(system)["state"] == "exported"


@pytest.mark.usefixtures("aws_retries_at_once")
def test_a_queue_that_is_down_costs_only_the_invoice_that_had_to_wait(final: Connected) -> None:
    final.platform.finalise(DISCOUNT)
    final.system.rillet.state.misbehave("status", status=503, path="/invoices")

    with final.system.aws.outage("sqs"):
        waits, exported = final.export(FIRST, DISCOUNT)

    assert exported["outcome"] == "exported"
    assert waits["outcome"] not in {"exported", "queued"}


EVENTS = sorted(path.name for path in (ROOT / "events").glob("*.json"))


def _example(name: str) -> Any:  # noqa: ANN401
    return json.loads((ROOT / "events" / name).read_text(encoding="utf-8"))


def test_there_is_an_example_event_for_every_function(system: LocalSystem) -> None:
    assert {Path(name).stem for name in EVENTS} >= set(system.deployment.functions)


def test_the_example_event_of_export_invoice_is_a_dry_run(default: Connected) -> None:
    example = _example("export_invoice.json")
    default.platform.records["invoices"]["invo_AbC123"] = solvimon_invoice(default) | {"id": "invo_AbC123"}
    default.platform.finalise("invo_AbC123")
    before = everything(default.system)

    answer = default.system.invoke("export_invoice", example)

    assert answer["summary"] == {"would_export": 1}
    assert everything(default.system) == before


def test_the_example_event_of_receive_webhook_is_refused_unless_it_is_signed(default: Connected) -> None:
    example = _example("receive_webhook.json")
    headers = signed(default.system, example["body"].encode(), default.webhook_secret)
    genuine = example | {"headers": {name.lower(): value for name, value in headers.items()}}

    refused = default.system.invoke("receive_webhook", example)
    accepted = default.system.invoke("receive_webhook", genuine)

    assert (refused["statusCode"], accepted["statusCode"]) == (401, 200)
    assert [on_bus["detail"]["id"] for on_bus in default.system.bus_events()] == ["invo_AbC123"]


def test_the_example_events_have_the_form_of_real_ones(default: Connected) -> None:
    mine = event(envelope().decode(), signed(default.system, envelope(), default.webhook_secret))

    assert _example("receive_webhook.json").keys() >= mine.keys()
    assert _example("export_invoice.json").keys() == {"connection", "invoice_ids", "dry_run"}


@pytest.fixture
def acme(system: LocalSystem) -> Connection:
    """A second connection whose platform has the same ids."""
    return connect_demo(system, "acme")


@pytest.mark.parametrize("dry", [True, False])
def test_one_connections_invoice_cannot_be_read_or_exported_through_another(
    system: LocalSystem, default: Connection, acme: Connection, dry: bool
) -> None:
    mine = default.platform.records["invoices"]["invo_mine"] = solvimon_invoice(default) | {"id": "invo_mine"}
    number = default.platform.finalise("invo_mine")["invoice_number"]

    [result] = export(system, "invo_mine", connection="acme", dry_run=dry)

    assert result["code"] == "invoice_not_found"
    for secret in (mine["customer"]["organization"]["legal_name"], number):
        assert secret not in json.dumps(result)
    assert rillet_invoices(acme) == rillet_invoices(default) == []
    assert {item["pk"].partition("#")[0] for item in system.ledger()} <= {"acme"}


def test_the_same_ids_in_two_connections_are_two_documents(
    system: LocalSystem, default: Connection, acme: Connection
) -> None:
    for connection in (default, acme):
        connection.platform.finalise(FIRST)

    results = [export(system, connection=name)[0] for name in ("default", "acme")]

    assert [result["outcome"] for result in results] == ["exported", "exported"]
    for connection in (default, acme):
        assert_exported(system, connection, only=True)
    assert record(system)["rillet_id"] != record(system, connection="acme")["rillet_id"]
    keys = {call.idempotency_key for call in invoice_posts(system)}
    assert len(keys) == 2, "one key for both would let Rillet answer one for the other"
    owners = {item["pk"].partition("#")[0] for item in system.ledger()}
    assert owners - {"(deployment)", "(organisation)"} == {"default", "acme"}


def test_a_queue_carries_several_connections_and_mixes_nothing_up(
    system: LocalSystem, default: Connection, acme: Connection
) -> None:
    finalise(system, default, FIRST, DISCOUNT)
    finalise(system, acme, FIRST, NEW_CUSTOMER)

    system.settle()

    for connection, other in ((default, DISCOUNT), (acme, NEW_CUSTOMER)):
        assert len(rillet_invoices(connection, FIRST)) == len(rillet_invoices(connection, other)) == 1
        assert len(rillet_invoices(connection)) == 2
    keys = {call.api_key for call in system.solvimon.state.calls if "/invoices/" in call.path}
    assert keys == {default.solvimon_api_key, acme.solvimon_api_key}


def test_a_broken_connection_leaves_the_others_alone(
    system: LocalSystem, default: Connection, acme: Connection
) -> None:
    system.rillet.state.revoke(default.rillet_api_key)
    system.put_settings("default", {**default.settings, "start_date": "2030-01-01"})
    put_on_queue(system, bus_event(connection="nobody"))
    finalise(system, default)
    finalise(system, acme)

    system.settle()

    assert record(system, connection="acme")["state"] == "exported"
    assert record(system)["state"] == "skipped", "settings belong to their own connection"
