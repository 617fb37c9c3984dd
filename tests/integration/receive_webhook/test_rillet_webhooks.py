"""A Rillet webhook is accepted only if Rillet signed it; an unused event is acknowledged all the same."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from local.system import Connection, LocalSystem
from tests.integration.receive_webhook.rillet import DELETED, ROUTE, TOKEN, send, signed
from tests.support.arrange import put_secret
from tests.support.assertions import assert_nothing_published
from tests.support.logs import function_logs
from tests.support.webhooks import REFUSAL, RILLET_ID, RILLET_ROUTE, event, post
from tests.support.webhooks import signed as signed_by_solvimon

AS_TEXT, DECODED = TOKEN.encode(), base64.b64decode(TOKEN)

EVENTS = {
    **dict.fromkeys(("INVOICE", "CREDIT_MEMO"), ("CREATED", "UPDATED", "PAYMENT_UPDATED", "DELETED")),
    **dict.fromkeys(
        ("CONTRACT", "CUSTOMER", "BILL", "VENDOR", "JOURNAL_ENTRY"), ("CREATED", "UPDATED", "DELETED")
    ),
}
CONTRACTS = Path(os.environ.get("CONTRACTS_DIR", Path(__file__).parents[4] / "shared/contracts/openapi"))
DOCUMENT = CONTRACTS / "rillet-v4.json"
PAIRS = [(entity, action) for entity, actions in EVENTS.items() for action in actions]


def sample(entity: str, action: str) -> bytes:
    """A body of such an event; a deletion's is a bare JSON text."""
    return DELETED if action == "DELETED" else json.dumps({"id": RILLET_ID, "entity": entity}).encode()


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize(("entity", "action"), PAIRS)
def test_every_event_that_rillet_has_is_acknowledged(system: LocalSystem, entity: str, action: str) -> None:
    """Of invoices and credit memos some are used; of everything else nothing is."""
    answer = send(system, body=sample(entity, action), entity=entity, action=action)

    assert answer.status == 200
    used = answer.json == {"message": "accepted"}
    published = [(e["source"], e["detail"]["connection"]) for e in system.bus_events()]
    assert published == [("rillet", "default")] * used
    if entity not in {"INVOICE", "CREDIT_MEMO"}:
        assert answer.json == {"message": "not used"}
        assert_nothing_published(system)


@pytest.mark.skipif(not DOCUMENT.exists(), reason=f"{DOCUMENT.name} is not in CONTRACTS_DIR ({CONTRACTS})")
def test_these_are_all_the_events_of_rillets_document() -> None:
    webhooks = json.loads(DOCUMENT.read_text())["webhooks"]
    headers = ("X-Rillet-Entity", "X-Rillet-Event")

    documented = {
        tuple(
            parameter["schema"]["enum"][0]
            for header in headers
            for parameter in webhook["post"]["parameters"]
            if parameter["$ref"].endswith(header)
        )
        for webhook in webhooks.values()
    }

    assert documented == set(PAIRS)
    assert len(PAIRS) == 23


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize(("entity", "action"), [("PRODUCT", "CREATED"), ("invoice", "merged"), ("?", "é")])
def test_an_event_that_rillet_may_add_is_acknowledged_too(
    system: LocalSystem, entity: str, action: str
) -> None:
    """Otherwise Rillet would disable the webhook after some time."""
    headers = signed(system, entity=entity, action=action)

    answer = system.invoke("receive_webhook", event("{}", headers, routeKey=RILLET_ROUTE))

    assert answer["statusCode"] == 200
    assert_nothing_published(system)


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize("body", [b"", b"not JSON", b"\xff\xfe", b"[" * 100_000, b"null", "ü".encode()])
def test_any_body_that_rillet_signed_is_acknowledged(system: LocalSystem, body: bytes) -> None:
    answer = send(system, body=body)

    assert answer.status == 200
    assert_nothing_published(system)


@pytest.mark.parametrize("form", ["auto", "text", "base64"])
@pytest.mark.parametrize(("key", "form_of_key"), [(AS_TEXT, "text"), (DECODED, "base64")])
def test_the_token_is_the_key_in_the_form_of_the_settings(
    system: LocalSystem, form: str, key: bytes, form_of_key: str
) -> None:
    made = system.connect(settings={"rillet": {"webhook_token_form": form}})
    put_secret(system, made, "rillet", webhook_token=TOKEN)

    answer = send(system, key)

    assert answer.status == (200 if form in {"auto", form_of_key} else 401)


@pytest.mark.usefixtures("connection")
def test_one_of_several_signatures_is_enough(system: LocalSystem) -> None:
    assert send(system, b"another", AS_TEXT, b"a third").status == 200


def test_the_previous_token_is_accepted_while_it_is_in_the_secret(
    system: LocalSystem, connection: Connection
) -> None:
    new = "the-new-one-0123"
    until = {"previous_webhook_token_until": "2099-12-31"}
    put_secret(system, connection, "rillet", webhook_token=new, previous_webhook_token=TOKEN, **until)

    both = [send(system, key).status for key in (AS_TEXT, new.encode())]
    put_secret(system, connection, "rillet", webhook_token=new)
    after = send(system).status

    assert both == [200, 200]
    assert after == 401


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title])
def test_header_names_may_be_spelt_in_any_case(system: LocalSystem, spell: Callable[[str], str]) -> None:
    headers = {spell(name): value for name, value in signed(system).items()}

    over_http = post(system, b"{}", headers, ROUTE).status
    invoked = system.invoke(
        "receive_webhook", {**event("{}", None, routeKey=RILLET_ROUTE), "headers": headers}
    )

    assert (over_http, invoked["statusCode"]) == (200, 200)


@pytest.mark.usefixtures("connection")
def test_a_binary_body_is_verified_on_its_bytes(system: LocalSystem) -> None:
    headers = signed(system, DELETED) | {"Content-Type": "application/octet-stream"}

    assert post(system, DELETED, headers, ROUTE).status == 200


REFUSED: dict[str, Callable[[LocalSystem], dict[str, str]]] = {
    "forged with another token": lambda s: signed(s, b"{}", b"another"),
    "forged with an empty token": lambda s: signed(s, b"{}", b""),
    "signed for another body": lambda s: signed(s, b"[]"),
    "with another entity": lambda s: signed(s) | {"X-Rillet-Entity": "BILL"},
    "with another event": lambda s: signed(s) | {"X-Rillet-Event": "DELETED"},
    "with another id": lambda s: signed(s) | {"X-Rillet-Id": RILLET_ID[:-1] + "2"},
    "with another time": lambda s: (
        signed(s) | {"X-Rillet-Timestamp": signed(s, after=9)["X-Rillet-Timestamp"]}
    ),
    "from the future": lambda s: signed(s, after=310),
    "four days old": lambda s: signed(s, after=-4 * 24 * 3600),
    "time that is none": lambda s: signed(s) | {"X-Rillet-Timestamp": "now"},
    "signed by Solvimon": lambda s: signed_by_solvimon(s, b"{}", s.connections["default"].webhook_secret),
    "no headers at all": lambda s: {},
}
REQUIRED = [f"X-Rillet-{name}" for name in ("Signature", "Timestamp", "Id", "Entity", "Event")]


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize("name", [*REFUSED, *REQUIRED])
def test_a_webhook_that_rillet_did_not_sign_or_without_a_header_is_refused(
    system: LocalSystem, name: str
) -> None:
    headers = REFUSED.get(name, signed)(system)
    headers.pop(name, None)

    answer = post(system, b"{}", headers, ROUTE)

    assert (answer.status, answer.json) == (401, REFUSAL)
    assert_nothing_published(system)


@pytest.mark.usefixtures("connection")
def test_a_delivery_may_be_as_old_as_rillet_retries(system: LocalSystem) -> None:
    """Whether a retry has a timestamp of its own is not documented."""
    headers = signed(system)

    system.advance(2 * 24 * 3600)

    assert post(system, b"{}", headers, ROUTE).status == 200


@pytest.mark.parametrize("tokens", [{}, {"webhook_token": ""}])
def test_a_connection_without_a_token_accepts_no_webhook(
    system: LocalSystem, connection: Connection, tokens: dict[str, str]
) -> None:
    put_secret(system, connection, "rillet", **tokens)

    assert [send(system, key).status for key in (AS_TEXT, b"")] == [401, 401]


@pytest.mark.usefixtures("connection")
def test_a_webhook_signed_for_one_connection_is_refused_for_another(system: LocalSystem) -> None:
    others = b"the-others-token-0123"
    put_secret(system, system.connect("other"), "rillet", webhook_token=others.decode())

    answers = [
        send(system, key, path=f"/webhooks/rillet/{name}").status
        for key in (AS_TEXT, others)
        for name in ("default", "other", "nobody")
    ]

    assert answers == [200, 401, 401, 401, 200, 401]


def test_a_rillet_webhook_is_refused_at_solvimons_address_and_the_other_way_round(
    system: LocalSystem, connection: Connection
) -> None:
    at_solvimons = post(system, b"{}", signed(system))
    at_rillets = post(system, b"{}", signed_by_solvimon(system, b"{}", connection.webhook_secret), ROUTE)

    assert (at_solvimons.status, at_rillets.status) == (401, 401)
    assert_nothing_published(system)


def test_with_oauth_the_webhook_token_stands_apart_from_the_oauth_tokens(system: LocalSystem) -> None:
    system.connect(auth="oauth")
    system.authorise()
    system.put_secret("default", "webhooks", {"webhook_token": TOKEN})
    system.runtime.reset()

    before = send(system).status
    system.advance(7200)
    system.invoke("connect_rillet", {"action": "status"})
    system.runtime.reset()
    after = send(system).status

    assert (before, after) == (200, 200)


@pytest.mark.usefixtures("connection")
def test_the_log_has_the_reason_of_a_refusal_and_nothing_of_the_content(system: LocalSystem) -> None:
    genuine, forged = (
        signed(system, DELETED, key, entity="VENDOR", action="DELETED") for key in (AS_TEXT, b"x")
    )
    with function_logs(system) as logs:
        post(system, DELETED, genuine, ROUTE)
        post(system, DELETED, forged, ROUTE)

    lines = [(line["message"], line.get("reason")) for line in logs.lines if line.get("vendor") == "rillet"]
    assert lines == [("webhook acknowledged, not used", None), ("webhook refused", "no signature matches")]
    for secret in (TOKEN, DELETED.decode(), genuine["X-Rillet-Signature"], forged["X-Rillet-Signature"]):
        assert secret not in logs.text


CHANGED, PAID = "Rillet Document Changed", "Invoice Payment Updated"
USED = [
    *(("INVOICE", "CREATED", CHANGED), ("INVOICE", "DELETED", CHANGED)),
    *(("INVOICE", "UPDATED", PAID), ("INVOICE", "PAYMENT_UPDATED", PAID)),
    *(("CREDIT_MEMO", action, CHANGED) for action in ("CREATED", "UPDATED", "DELETED")),
]
SPELT: dict[str, Callable[[str], str]] = {
    "as in Rillet's document": str,
    "lower case": str.lower,
    "title case": str.title,
    "hyphens": lambda name: name.replace("_", "-"),
    "lower case with hyphens": lambda name: name.lower().replace("_", "-"),
}


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize("spelling", SPELT)
@pytest.mark.parametrize(("entity", "action", "detail_type"), USED)
def test_a_used_event_reaches_the_bus_in_any_spelling(
    system: LocalSystem, entity: str, action: str, detail_type: str, spelling: str
) -> None:
    spell = SPELT[spelling]

    answer = send(system, body=sample(entity, action), entity=spell(entity), action=spell(action))

    [published] = system.bus_events()
    assert (answer.status, answer.json) == (200, {"message": "accepted"})
    assert published["detail-type"] == detail_type
    assert published["detail"]["facts"]["entity"] == entity


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize("spelling", SPELT)
def test_an_unused_event_of_a_used_entity_is_acknowledged_in_any_spelling(
    system: LocalSystem, spelling: str
) -> None:
    entity, action = SPELT[spelling]("CREDIT_MEMO"), SPELT[spelling]("PAYMENT_UPDATED")

    answer = send(system, body=sample(entity, action), entity=entity, action=action)

    assert (answer.status, answer.json) == (200, {"message": "not used"})
    assert system.bus_events() == []
