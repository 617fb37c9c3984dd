"""After an export, the invoice in Solvimon shows Rillet's id and number; nothing of it touches the export."""

import pytest

from local import sample_data
from local.fake_solvimon.calls import Call
from local.fake_vendor.faults import Kind
from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import Ledger
from solvimon_rillet.workflows.write_back.write_back import WriteBack
from tests.support.arrange import HOUR, load, pass_time, patched, put_on_queue
from tests.support.assertions import dead_letters, rillet_invoice
from tests.support.builders import FIRST, NOTE, Json, credit_note, document, original
from tests.support.connected import Connected
from tests.support.logs import function_logs

SECOND = sample_data.invoice_id("discount")
ID, NUMBER = "rillet_invoice_id", "rillet_invoice_number"
OTHERS = [{"reference": "cost_centre", "value": "4711"}]
LINKS = {
    "solvimon": {"integration_id": "intg_rillet"},
    "rillet": {
        "invoice_url": "https://app.rillet.example/invoices/{id}",
        "credit_memo_url": "https://app.rillet.example/credit-memos/{id}",
    },
}


def writes(system: LocalSystem) -> list[Call]:
    """The changes of invoices that Solvimon was asked for."""
    return system.solvimon.state.calls.find("PATCH", "/v1/invoices/*")


def shown(connection: Connection, invoice_id: str = FIRST) -> dict[str, str]:
    """The custom fields of an invoice in Solvimon, by reference."""
    fields = connection.platform.invoice(invoice_id).get("custom_fields") or []
    return {each["reference"]: each["value"] for each in fields}


def sweep_later(connection: Connected, hours: int = 1) -> None:
    """Let hours pass, sweep, and let everything that follows be done."""
    connection.system.advance(hours * HOUR)
    connection.system.invoke("sweep", {})
    connection.settle()


def with_links(connection: Connection) -> Json:
    """The settings of a connection whose documents are linked to Rillet's app."""
    return {vendor: {**connection.settings[vendor], **more} for vendor, more in LINKS.items()}


def test_an_exported_invoice_shows_rillets_id_and_number_in_solvimon(default: Connected) -> None:
    default.finalise_and_settle()

    booked = rillet_invoice(default, FIRST)
    assert shown(default) == {ID: booked["id"], NUMBER: booked["invoice_number"]}
    default.assert_exported(only=True)
    assert default.record()["write_back"]["rillet_id"] == booked["id"]


def test_a_credit_note_shows_its_memo_likewise(default: Connected) -> None:
    load(default, original(), credit_note())

    default.credit()

    kept = default.record(NOTE, kind="credit_memo")
    assert shown(default, NOTE) == {ID: kept["rillet_id"], NUMBER: kept["rillet_number"]}
    assert kept["state"] == "exported"


def test_the_fields_are_of_resource_invoice_and_are_created_once(default: Connected) -> None:
    default.finalise_and_settle(FIRST, SECOND)
    default.system.runtime.reset()
    default.export(FIRST)

    made = [f for f in default.platform.records["custom-fields"].values() if f["resource_type"] == "INVOICE"]
    assert {f["reference"]: f["name"] for f in made} == {
        ID: "Rillet Invoice ID",
        NUMBER: "Rillet Invoice Number",
    }
    assert default.system.solvimon.state.calls.count("POST", "/v1/custom-fields") == 2
    assert default.system.solvimon.state.calls.count("GET", "/v1/custom-fields") == 2


@pytest.mark.parametrize("is_on", [True, False])
def test_it_costs_one_call_to_solvimon_and_none_to_rillet(default: Connected, is_on: bool) -> None:
    default.configure(write_back=is_on)
    load(default, document("invo_a", "100.00", "21.00"), document("invo_b", "100.00", "21.00"))
    default.export("invo_a")
    default.system.solvimon.state.calls.clear()
    default.system.rillet.state.calls.clear()

    default.export("invo_b")

    assert [call.method for call in default.system.solvimon.state.calls] == ["GET", "PATCH"][: 1 + is_on]
    assert [call.method for call in default.system.rillet.state.calls] == ["POST", "PUT"]


def test_values_and_links_of_others_stay(default: Connected) -> None:
    invoice = default.platform.records["invoices"][FIRST]
    definition = {"reference": "cost_centre", "resource_type": "INVOICE", "type": "STRING"}
    default.platform.load({"custom_fields": [definition]})
    default.platform.integrations |= {"intg_rillet", "intg_tax"}
    invoice |= {"custom_fields": OTHERS, "linked_integrations": [{"id": "intg_tax", "link_details": []}]}
    default.configure(**with_links(default))

    default.finalise_and_settle()

    after = default.platform.invoice(FIRST)
    assert shown(default)["cost_centre"] == "4711"
    assert [each["id"] for each in after["linked_integrations"]] == ["intg_tax", "intg_rillet"]


@pytest.mark.parametrize(("document_id", "path"), [(FIRST, "invoices"), (NOTE, "credit-memos")])
def test_the_desk_links_to_the_document_in_rillet_where_an_integration_is_set(
    default: Connected, document_id: str, path: str
) -> None:
    default.platform.integrations.add("intg_rillet")
    default.configure(**with_links(default))
    load(default, original(), credit_note())

    default.finalise_and_settle()

    [link] = default.platform.invoice(document_id)["linked_integrations"]
    [detail] = link["link_details"]
    rillet_id = shown(default, document_id)[ID]
    assert (link["id"], detail["custom_field_name"]) == ("intg_rillet", "Rillet Invoice ID")
    assert detail["url"] == f"https://app.rillet.example/{path}/{rillet_id}"


def test_it_can_be_switched_off(default: Connected) -> None:
    default.configure(write_back=False)

    default.finalise_and_settle()

    default.assert_exported(only=True)
    assert (shown(default), writes(default.system)) == ({}, [])
    assert "write_back" not in default.record()


def test_the_webhook_of_our_own_write_ends_at_the_receiver(default: Connected) -> None:
    default.finalise()

    pass_time(default.system, HOUR)

    assert len(writes(default.system)) == 1
    assert [
        event["detail"]["id"] for event in default.system.bus_events() if event["source"] == "solvimon"
    ] == [FIRST]


def test_with_a_field_of_another_name_the_ledger_ends_it(default: Connected) -> None:
    default.configure(custom_fields={"invoice": "erp_id"})
    default.finalise()

    pass_time(default.system, HOUR)

    sources = [event["source"] for event in default.system.bus_events()]
    assert shown(default).keys() == {"erp_id", NUMBER}
    assert (len(writes(default.system)), sources.count("solvimon")) == (1, 2)
    default.assert_exported(only=True)


@pytest.mark.parametrize("fault", ["drop", "commit_then_drop", "status", "status_after", "malformed"])
def test_a_failure_never_touches_the_export_and_the_sweep_repeats_it(default: Connected, fault: Kind) -> None:
    default.system.solvimon.state.misbehave(fault, "PATCH", times=1)
    default.finalise_and_settle()
    failed = default.record()["write_back"]

    sweep_later(default)

    assert failed["tries"] == 1
    assert "It is tried again automatically." in failed["remedy"]
    assert shown(default)[ID] == default.record()["rillet_id"]
    default.assert_exported(only=True)
    assert default.system.ledger_item(f"default#write-back#invoice-{FIRST}", "RECORD") is None
    assert dead_letters(default.system) == []


def test_a_write_that_took_effect_without_an_answer_is_not_sent_again(default: Connected) -> None:
    default.system.solvimon.state.misbehave("commit_then_drop", "PATCH", times=1)
    default.finalise_and_settle()

    sweep_later(default)

    assert len(writes(default.system)) == 1
    assert "at" in default.record()["write_back"]


def test_a_failed_write_waits_longer_each_time_and_any_event_in_between_leaves_it(default: Connected) -> None:
    default.system.solvimon.state.misbehave("status", "PATCH", status=503)
    default.finalise_and_settle()
    put_on_queue(default.system)
    default.settle()
    at_first = len(writes(default.system))

    for _ in range(30):
        sweep_later(default)

    assert (at_first, default.record()["write_back"]["tries"]) == (1, 5)


@pytest.mark.parametrize("where", [(WriteBack, "_write"), (WriteBack, "_record_success")])
@pytest.mark.parametrize("repaired_by", ["the message", "the sweep"])
def test_a_crash_between_export_and_write_back_is_repaired(
    default: Connected, where: tuple[type, str], repaired_by: str
) -> None:
    default.configure(start_date="2026-01-01", sweep={"lookback_days": 366})
    default.finalise()
    with patched(*where):
        default.settle()
    if repaired_by == "the sweep":
        for queue in default.system.pollers.queues.values():
            queue.clear()
    meanwhile = default.record()

    default.system.advance(HOUR)
    if repaired_by == "the sweep":
        default.system.invoke("sweep", {})
    default.settle()

    assert (meanwhile["state"], "next" in meanwhile["write_back"]) == ("exported", True)
    assert shown(default)[ID] == default.record()["write_back"]["rillet_id"] == meanwhile["rillet_id"]
    assert len(writes(default.system)) == 1
    default.assert_exported(only=True)


def test_a_ledger_that_does_not_answer_after_the_write_loses_nothing(default: Connected) -> None:
    default.finalise()
    with patched(Ledger, "add_facts"):
        default.settle()

    sweep_later(default)

    default.assert_exported(only=True)
    assert "at" in default.record()["write_back"]


def test_a_refusal_is_tried_for_days_and_then_waits_for_a_request_by_id(default: Connected) -> None:
    default.platform.writable_when_final = frozenset({"paid", "payment_status"})
    default.finalise_and_settle()
    for _ in range(10):
        sweep_later(default, hours=26)
    refused, asked = default.record()["write_back"], len(writes(default.system))
    default.platform.writable_when_final |= {"custom_fields"}

    [answer] = default.export()

    assert (asked, refused["tries"], "next" in refused) == (7, 7, False)
    assert "a FINAL invoice cannot be changed" in refused["message"]
    assert "write_back" in refused["remedy"]
    assert (answer["outcome"], shown(default)[ID]) == ("already_exported", answer["rillet_id"])


def test_a_field_that_a_person_deleted_is_created_again(default: Connected) -> None:
    default.finalise(FIRST, SECOND)
    default.export(FIRST)
    fields = default.platform.records["custom-fields"]
    for identifier in [i for i, each in fields.items() if each["reference"] == ID]:
        del fields[identifier]
    default.platform.records["invoices"][FIRST]["custom_fields"] = []
    [answer] = default.export(SECOND)

    sweep_later(default)

    assert "there is no such custom field on INVOICE" in answer["write_back_failed"]
    assert shown(default, SECOND)[ID] == answer["rillet_id"]


def test_a_field_that_cannot_hold_one_text_is_named_with_the_setting(default: Connected) -> None:
    default.platform.load(
        {"custom_fields": [{"reference": ID, "resource_type": "INVOICE", "type": "NUMBER"}]}
    )
    default.platform.finalise(FIRST)

    [answer] = default.export()

    assert answer["outcome"] == "exported"
    assert (
        "does not hold one text. Name another reference in the setting custom_fields.invoice."
        in (answer["write_back_failed"])
    )


def test_a_document_of_an_earlier_version_is_written_back_when_it_is_requested(default: Connected) -> None:
    default.configure(write_back=False)
    default.platform.finalise(FIRST)
    default.export()
    default.configure(write_back=True)

    [answer] = default.export()

    assert (answer["outcome"], shown(default)[ID]) == ("already_exported", answer["rillet_id"])


def test_what_was_deleted_in_rillet_is_not_shown(default: Connected) -> None:
    default.configure(write_back=False)
    default.finalise_and_settle()
    default.organisation.delete_invoice(default.record()["rillet_id"])
    default.system.invoke("mark_invoice_paid", {"invoice_ids": [FIRST]})
    default.configure(write_back=True)

    [answer] = default.export()

    assert (answer["outcome"], answer["code"]) == ("differs", "deleted_in_rillet")
    assert writes(default.system) == []


def test_the_log_of_a_failure_quotes_nothing_of_solvimon(default: Connected) -> None:
    message = "no for marina@quay.example"
    default.system.solvimon.state.misbehave("status", "PATCH", status=400, message=message, times=1)
    default.finalise()

    with function_logs(default.system) as log:
        default.settle()

    assert "marina" in default.record()["write_back"]["message"]
    assert ("write-back failed" in log.text, "marina" in log.text) == (True, False)


def test_a_failure_is_counted_as_a_metric_of_the_connection(default: Connected) -> None:
    default.system.solvimon.state.misbehave("status", "PATCH", status=503, times=1)
    default.finalise()

    with function_logs(default.system) as log:
        default.settle()

    assert log.metrics["default.WriteBackFailed"] == 1
    assert log.metrics["default.DocumentsExported"] == 1


def story(system: LocalSystem) -> str:
    """What the first invoice's story says about Solvimon."""
    text: str = system.invoke("sync_status", {"invoice_id": FIRST})["in_solvimon"]
    return text


def test_the_story_says_whether_solvimon_shows_it_and_what_to_do(default: Connected) -> None:
    default.platform.writable_when_final = frozenset({"paid", "payment_status"})
    default.finalise_and_settle()
    failed = story(default.system)
    for _ in range(10):
        sweep_later(default, hours=26)
    given_up = story(default.system)
    default.platform.writable_when_final |= {"custom_fields"}
    default.export()

    assert "a FINAL invoice cannot be changed" in failed
    assert "The next try is due at" in failed
    assert given_up.endswith("switch the setting write_back off. Then request the document by its id.")
    assert story(default.system).startswith("Solvimon shows Rillet's id since 20")
