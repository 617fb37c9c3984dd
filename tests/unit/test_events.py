"""Which webhooks become bus events, and what a queue may bring."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvimon_rillet.events import (
    CREDIT_NOTE_FINALISED,
    INVOICE_FINALISED,
    BusEvent,
    MalformedEvent,
    event_from_solvimon_webhook,
)

Json = dict[str, object]


def webhook(action: object = "INVOICE.STATUS_TO_FINAL", **data: object) -> bytes:
    """A webhook's body about an invoice."""
    document = {"object_type": "INVOICE", "id": "invo_1", "status": "FINAL", "type": "STANDARD"} | data
    envelope = {"type": action, "created_at": "2026-02-01T08:00:01Z", "environment": "LIVE", "data": document}
    return json.dumps(envelope).encode()


def queued(**detail: object) -> str:
    """A message that EventBridge put on a queue."""
    complete = {
        "connection": "default",
        "id": "invo_1",
        "event_id": "e1",
        "occurred_at": "2026-02-01T08:00:01Z",
    }
    event = {"source": "solvimon", "detail-type": INVOICE_FINALISED, "detail": complete | detail}
    return json.dumps(event)


def event_of(body: bytes, connection: str = "default") -> BusEvent:
    """The event that a webhook becomes."""
    event = event_from_solvimon_webhook(connection, body)
    assert event is not None
    return event


# From Solvimon


def test_a_finalised_invoice_becomes_an_event_with_its_id() -> None:
    event = event_of(webhook(), "acme")

    assert event.source == "solvimon"
    assert event.detail_type == "Invoice Finalised"
    assert event.detail() == {
        "connection": "acme",
        "id": "invo_1",
        "event_id": event.event_id,
        "occurred_at": "2026-02-01T08:00:01Z",
    }


@pytest.mark.parametrize(
    ("action", "status", "detail_type"),
    [
        ("INVOICE.STATUS_TO_FINAL", "FINAL", INVOICE_FINALISED),
        ("INVOICE.STATUS_TO_FINAL", "DRAFT", INVOICE_FINALISED),  # a hint: the handler reads the truth
        ("INVOICE.STATUS_TO_FINAL", None, INVOICE_FINALISED),
        ("INVOICE.CREATED", "FINAL", INVOICE_FINALISED),
        ("INVOICE.UPDATED", "FINAL", INVOICE_FINALISED),
        ("INVOICE.CREATED", "DRAFT", None),
        ("INVOICE.UPDATED", "OPEN", None),
        ("INVOICE.UPDATED", None, None),
        ("INVOICE.UPDATED", ["FINAL"], None),
        ("INVOICE.PAID", "FINAL", None),
        ("INVOICE.SOMETHING_NEW", "FINAL", None),
        ("invoice.status_to_final", "FINAL", None),
        ("CUSTOMER.CREATED", "FINAL", None),
        ("PRODUCT.UPDATED", "FINAL", None),
        ("", "FINAL", None),
        (None, "FINAL", None),
        (["INVOICE.CREATED"], "FINAL", None),
        ({"INVOICE.CREATED": 1}, "FINAL", None),
    ],
)
def test_only_what_may_be_final_becomes_an_event(
    action: object, status: object, detail_type: str | None
) -> None:
    event = event_from_solvimon_webhook("default", webhook(action, status=status))

    assert (event is None) is (detail_type is None)
    assert event is None or event.detail_type == detail_type


@pytest.mark.parametrize(
    ("kind", "detail_type"),
    [
        ("STANDARD", INVOICE_FINALISED),
        ("ONE_OFF", INVOICE_FINALISED),
        ("CREDIT", CREDIT_NOTE_FINALISED),
        ("ONE_OFF_CREDIT", CREDIT_NOTE_FINALISED),
        ("SOMETHING_NEW", INVOICE_FINALISED),
        (None, INVOICE_FINALISED),
        (7, INVOICE_FINALISED),
        ([], INVOICE_FINALISED),
        ({"CREDIT": 1}, INVOICE_FINALISED),
    ],
)
def test_the_documents_type_says_which_event_it_is(kind: object, detail_type: str) -> None:
    assert event_of(webhook(type=kind)).detail_type == detail_type


@pytest.mark.parametrize("document_id", ["invo_swDeeD0u13yu2JAhel1H", "a", "7", "A-b_c", "x" * 128])
def test_ids_of_letters_digits_dashes_and_underscores_are_used(document_id: str) -> None:
    assert event_of(webhook(id=document_id)).id == document_id


@pytest.mark.parametrize(
    "document_id",
    [
        "",
        "_a",
        "-a",
        "a b",
        "a/b",
        "../a",
        "a#b",
        "a\n",
        "é",
        "x" * 129,
        None,
        True,
        7,
        7.5,
        ["invo_1"],
        {"id": "a"},
    ],
)
def test_other_ids_are_ignored(document_id: object) -> None:
    assert event_from_solvimon_webhook("default", webhook(id=document_id)) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b'"text"',
        b"[]",
        b"{}",
        b'{"type": "INVOICE.STATUS_TO_FINAL"}',
        b'{"type": "INVOICE.STATUS_TO_FINAL", "data": null}',
        b'{"type": "INVOICE.STATUS_TO_FINAL", "data": []}',
        b'{"type": "INVOICE.STATUS_TO_FINAL", "data": "invo_1"}',
        b'{"type": "INVOICE.STATUS_TO_FINAL", "data": {}}',
        b'{"type": "INVOICE.STATUS_TO_FINAL", "data": {"status": "FINAL"}}',
        b"{",
        b"\xff\xfe{}",
        b'{"a": 1' + b"0" * 5000 + b"}",
        b"[" * 100_000,
        b'{"data":' * 100_000,
    ],
)
def test_junk_is_ignored(body: bytes) -> None:
    assert event_from_solvimon_webhook("default", body) is None


_JSON = st.recursive(st.none() | st.text(max_size=5) | st.integers(), st.lists, max_leaves=5)


@given(body=st.one_of(st.binary(max_size=50), _JSON.map(lambda value: json.dumps(value).encode())))
def test_no_body_whatever_raises(body: bytes) -> None:
    assert event_from_solvimon_webhook("default", body) is None


def test_deliveries_of_one_event_have_one_event_id() -> None:
    once, again = event_of(webhook()), event_of(webhook())
    other = event_of(webhook(id="invo_2"))

    assert once == again
    assert once.event_id != other.event_id
    assert len(once.event_id) == 32


@pytest.mark.parametrize("created_at", [None, ""])
def test_an_event_without_time_has_none(created_at: str | None) -> None:
    body = json.dumps({"type": "INVOICE.STATUS_TO_FINAL", "created_at": created_at, "data": {"id": "invo_1"}})

    assert event_of(body.encode()).occurred_at == ""


# From a queue


def test_what_was_put_on_the_bus_is_read_from_the_queue() -> None:
    put = event_of(webhook())
    message = {
        "source": put.source,
        "detail-type": put.detail_type,
        "detail": put.detail(),
        "region": "eu-west-1",
    }

    assert BusEvent.from_queue(json.dumps(message)) == put


def test_a_queued_event_needs_no_more_than_connection_and_id() -> None:
    event = BusEvent.from_queue('{"detail": {"connection": "default", "id": "invo_1"}}')

    assert event == BusEvent("", "", "default", "invo_1", "", "")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("", "not JSON", id="empty"),
        pytest.param("{", "not JSON", id="cut off"),
        pytest.param("[" * 100_000, "not JSON", id="too deep"),
        pytest.param("null", "detail: is missing", id="null"),
        pytest.param("[]", "detail: is missing", id="a list"),
        pytest.param("{}", "detail: is missing", id="no detail"),
        pytest.param('{"detail": "x"}', "detail: is missing", id="a text as detail"),
        pytest.param('{"detail": {}}', "detail.connection: should be a name or id", id="empty detail"),
        pytest.param(queued(connection=None), "detail.connection: should be", id="no connection"),
        pytest.param(
            queued(connection="../other"), "detail.connection: should be", id="a path as connection"
        ),
        pytest.param(queued(connection=7), "detail.connection: should be", id="a number as connection"),
        pytest.param(queued(id=None), "detail.id: should be", id="no id"),
        pytest.param(queued(id="a b"), "detail.id: should be", id="a space in the id"),
        pytest.param(queued(id=["invo_1"]), "detail.id: should be", id="a list as id"),
        pytest.param(queued(id="x" * 129), "detail.id: should be", id="a long id"),
        pytest.param(queued(id="invo_1\n"), "detail.id: should be", id="a line break"),
    ],
)
def test_a_malformed_message_says_which_field(body: str, reason: str) -> None:
    with pytest.raises(MalformedEvent, match=reason):
        BusEvent.from_queue(body)
