"""A Rillet webhook is taken only if Rillet signed it; what is not used is acknowledged all the same."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.system import Connection, LocalSystem
from tests.support.assertions import waiting
from tests.support.logs import function_logs
from tests.support.webhooks import REFUSAL, event, post
from tests.support.webhooks import signed as signed_by_solvimon

ROUTE = "/webhooks/rillet/default"
TOKEN = base64.b64encode(b"thirty-two bytes of pure chance!").decode()
AS_TEXT, DECODED = TOKEN.encode(), base64.b64decode(TOKEN)
ID = "0b9c6f0e-5f0c-4c36-8d4c-4f2f6f2a7c11"
DELETED = b'"0191c2f0-0000-7000-8000-000000000000"'

EVENTS = {
    **dict.fromkeys(("INVOICE", "CREDIT_MEMO"), ("CREATED", "UPDATED", "PAYMENT_UPDATED", "DELETED")),
    **dict.fromkeys(
        ("CONTRACT", "CUSTOMER", "BILL", "VENDOR", "JOURNAL_ENTRY"), ("CREATED", "UPDATED", "DELETED")
    ),
}
CONTRACTS = Path(os.environ.get("CONTRACTS_DIR", Path(__file__).parents[4] / "shared/contracts/openapi"))
DOCUMENT = CONTRACTS / "rillet-v4.json"
PAIRS = [(entity, happened) for entity, events in EVENTS.items() for happened in events]


@pytest.fixture
def connection(system: LocalSystem) -> Connection:
    """A connection whose Rillet webhook has a token."""
    made = system.connect()
    put_tokens(system, made, webhook_token=TOKEN)
    return made


def put_tokens(system: LocalSystem, connection: Connection, **tokens: str) -> None:
    """Write the connection's secret of Rillet and let the function read it anew."""
    system.put_secret(connection.name, "rillet", {"api_key": connection.rillet_api_key, **tokens})
    system.runtime.reset()


def signed(
    system: LocalSystem,
    body: bytes,
    *keys: bytes,
    entity: str = "INVOICE",
    happened: str = "UPDATED",
    after: float = 0,
) -> dict[str, str]:
    """Headers as Rillet sends them, signed with these keys so many seconds from now."""
    stamp = datetime.fromtimestamp(system.clock.now() + after, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    text = ".".join((stamp, ID, entity, happened)).encode() + b"." + body
    digests = [hmac.new(key, text, hashlib.sha256).digest() for key in keys or (AS_TEXT,)]
    return {
        "Content-Type": "application/json",
        "X-Rillet-Signature": ",".join(base64.b64encode(digest).decode() for digest in digests),
        "X-Rillet-Timestamp": stamp,
        "X-Rillet-Id": ID,
        "X-Rillet-Entity": entity,
        "X-Rillet-Event": happened,
    }


def nothing_happened(system: LocalSystem) -> None:
    """Neither the bus, nor the queue, nor the table saw anything."""
    assert system.bus_events() == []
    assert waiting(system).total == 0
    assert system.ledger() == []


def sample(entity: str, happened: str) -> bytes:
    """A body of such an event; a deletion's is a bare JSON text."""
    return DELETED if happened == "DELETED" else json.dumps({"id": ID, "entity": entity}).encode()


@pytest.mark.parametrize(("entity", "happened"), PAIRS)
def test_every_event_that_rillet_has_is_acknowledged(
    system: LocalSystem, connection: Connection, entity: str, happened: str
) -> None:
    """Of invoices and credit memos some are used; of everything else nothing is."""
    body = sample(entity, happened)

    answer = post(system, body, signed(system, body, entity=entity, happened=happened), ROUTE)

    assert answer.status == 200
    used = answer.json == {"message": "accepted"}
    assert [(e["source"], e["detail"]["connection"]) for e in system.bus_events()] == [
        ("rillet", "default")
    ] * used
    if entity not in {"INVOICE", "CREDIT_MEMO"}:
        assert answer.json == {"message": "not used"}
        nothing_happened(system)


@pytest.mark.skipif(not DOCUMENT.exists(), reason=f"{DOCUMENT.name} is not in CONTRACTS_DIR ({CONTRACTS})")
def test_these_are_all_the_events_of_rillets_document() -> None:
    webhooks = json.loads(DOCUMENT.read_text())["webhooks"]
    headers = ("X-Rillet-Entity", "X-Rillet-Event")

    said = {
        tuple(
            parameter["schema"]["enum"][0]
            for header in headers
            for parameter in webhook["post"]["parameters"]
            if parameter["$ref"].endswith(header)
        )
        for webhook in webhooks.values()
    }

    assert said == set(PAIRS)
    assert len(PAIRS) == 23


@pytest.mark.parametrize(("entity", "happened"), [("PRODUCT", "CREATED"), ("invoice", "merged"), ("?", "é")])
def test_an_event_that_rillet_may_add_is_acknowledged_too(
    system: LocalSystem, connection: Connection, entity: str, happened: str
) -> None:
    """Otherwise Rillet would disable the webhook after some time."""
    headers = signed(system, b"{}", entity=entity, happened=happened)
    made = {name.lower(): value for name, value in headers.items()}

    answer = system.invoke("receive_webhook", event("{}", made, rawPath=ROUTE))

    assert answer["statusCode"] == 200
    nothing_happened(system)


@pytest.mark.parametrize("body", [b"", b"not JSON", b"\xff\xfe", b"[" * 100_000, b"null", "ü".encode()])
def test_any_body_that_rillet_signed_is_acknowledged(
    system: LocalSystem, connection: Connection, body: bytes
) -> None:
    answer = post(system, body, signed(system, body), ROUTE)

    assert answer.status == 200
    nothing_happened(system)


@pytest.mark.parametrize("form", ["auto", "text", "base64"])
@pytest.mark.parametrize("key", ["as text", "decoded"])
def test_the_token_is_the_key_in_the_form_that_the_settings_say(
    system: LocalSystem, form: str, key: str
) -> None:
    made = system.connect(settings={"rillet": {"webhook_token_form": form}})
    put_tokens(system, made, webhook_token=TOKEN)

    answer = post(system, b"{}", signed(system, b"{}", AS_TEXT if key == "as text" else DECODED), ROUTE)

    good = form == "auto" or (form == "text") is (key == "as text")
    assert answer.status == (200 if good else 401)


def test_one_of_several_signatures_is_enough(system: LocalSystem, connection: Connection) -> None:
    answer = post(system, b"{}", signed(system, b"{}", b"another", AS_TEXT, b"a third"), ROUTE)

    assert answer.status == 200


def test_the_token_before_is_taken_while_it_is_in_the_secret(
    system: LocalSystem, connection: Connection
) -> None:
    put_tokens(system, connection, webhook_token="the-new-one-0123", previous_webhook_token=TOKEN)

    both = [
        post(system, b"{}", signed(system, b"{}", key), ROUTE).status
        for key in (AS_TEXT, b"the-new-one-0123")
    ]
    put_tokens(system, connection, webhook_token="the-new-one-0123")
    after = post(system, b"{}", signed(system, b"{}"), ROUTE).status

    assert both == [200, 200]
    assert after == 401


@pytest.mark.parametrize("spelt", [str.lower, str.upper, str.title])
def test_header_names_may_be_spelt_in_any_case(
    system: LocalSystem, connection: Connection, spelt: Callable[[str], str]
) -> None:
    headers = {spelt(name): value for name, value in signed(system, b"{}").items()}

    over_http = post(system, b"{}", headers, ROUTE).status
    invoked = system.invoke("receive_webhook", {**event("{}", None, rawPath=ROUTE), "headers": headers})[
        "statusCode"
    ]

    assert (over_http, invoked) == (200, 200)


def test_a_binary_body_is_verified_on_its_bytes(system: LocalSystem, connection: Connection) -> None:
    headers = signed(system, DELETED) | {"Content-Type": "application/octet-stream"}

    assert post(system, DELETED, headers, ROUTE).status == 200


REFUSED: dict[str, Callable[[LocalSystem], tuple[bytes, dict[str, str]]]] = {
    "forged with another token": lambda s: (b"{}", signed(s, b"{}", b"another")),
    "forged with an empty token": lambda s: (b"{}", signed(s, b"{}", b"")),
    "signed for another body": lambda s: (b"{}", signed(s, b"[]")),
    "said of another entity": lambda s: (b"{}", signed(s, b"{}") | {"X-Rillet-Entity": "BILL"}),
    "said of another event": lambda s: (b"{}", signed(s, b"{}") | {"X-Rillet-Event": "DELETED"}),
    "given another id": lambda s: (b"{}", signed(s, b"{}") | {"X-Rillet-Id": ID[:-1] + "2"}),
    "given another time": lambda s: (
        b"{}",
        signed(s, b"{}") | {"X-Rillet-Timestamp": signed(s, b"{}", after=9)["X-Rillet-Timestamp"]},
    ),
    "from the future": lambda s: (b"{}", signed(s, b"{}", after=310)),
    "four days old": lambda s: (b"{}", signed(s, b"{}", after=-4 * 24 * 3600)),
    "time that is none": lambda s: (b"{}", signed(s, b"{}") | {"X-Rillet-Timestamp": "now"}),
    "signed by Solvimon": lambda s: (
        b"{}",
        signed_by_solvimon(s, b"{}", s.connections["default"].webhook_secret),
    ),
    "no headers at all": lambda s: (b"{}", {}),
    **{
        f"without {name}": lambda s, name=name: (  # type: ignore[misc]
            b"{}",
            {key: value for key, value in signed(s, b"{}").items() if key != name},
        )
        for name in (
            "X-Rillet-Signature",
            "X-Rillet-Timestamp",
            "X-Rillet-Id",
            "X-Rillet-Entity",
            "X-Rillet-Event",
        )
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_webhook_that_rillet_did_not_sign_is_refused(
    system: LocalSystem, connection: Connection, name: str
) -> None:
    body, headers = REFUSED[name](system)

    answer = post(system, body, headers, ROUTE)

    assert (answer.status, answer.json) == (401, REFUSAL)
    nothing_happened(system)


def test_a_delivery_may_be_as_old_as_rillet_retries(system: LocalSystem, connection: Connection) -> None:
    """Whether a retry has a timestamp of its own is not documented."""
    headers = signed(system, b"{}")

    system.advance(2 * 24 * 3600)

    assert post(system, b"{}", headers, ROUTE).status == 200


@pytest.mark.parametrize("tokens", [{}, {"webhook_token": ""}])
def test_a_connection_without_a_token_takes_no_webhook(
    system: LocalSystem, connection: Connection, tokens: dict[str, str]
) -> None:
    put_tokens(system, connection, **tokens)

    answers = [post(system, b"{}", signed(system, b"{}", key), ROUTE).status for key in (AS_TEXT, b"")]

    assert answers == [401, 401]


def test_a_webhook_signed_for_one_connection_is_refused_for_another(
    system: LocalSystem, connection: Connection
) -> None:
    other = system.connect("other")
    put_tokens(system, other, webhook_token="the-others-token-0123")

    answers = [
        post(system, b"{}", signed(system, b"{}", key), f"/webhooks/rillet/{name}").status
        for key in (AS_TEXT, b"the-others-token-0123")
        for name in ("default", "other", "nobody")
    ]

    assert answers == [200, 401, 401, 401, 200, 401]


def test_a_rillet_webhook_is_not_taken_at_solvimons_address_nor_the_other_way_round(
    system: LocalSystem, connection: Connection
) -> None:
    at_solvimons = post(system, b"{}", signed(system, b"{}")).status
    at_rillets = post(
        system, b"{}", signed_by_solvimon(system, b"{}", connection.webhook_secret), ROUTE
    ).status

    assert (at_solvimons, at_rillets) == (401, 401)
    nothing_happened(system)


def test_with_oauth_the_token_beside_the_tokens_is_the_one(system: LocalSystem) -> None:
    system.connect(auth="oauth")
    system.authorise()
    secret = json.loads(
        system.aws.secretsmanager.get_secret_value(SecretId="solvimon-rillet/default/rillet")["SecretString"]
    )
    system.put_secret("default", "rillet", {**secret, "webhook_token": TOKEN})
    system.runtime.reset()

    before = post(system, b"{}", signed(system, b"{}"), ROUTE).status
    system.advance(7200)
    system.invoke("connect_rillet", {"action": "status"})
    system.runtime.reset()
    after = post(system, b"{}", signed(system, b"{}"), ROUTE).status

    assert (before, after) == (200, 200)


def test_the_log_says_why_one_was_refused_without_what_it_carried(
    system: LocalSystem, connection: Connection
) -> None:
    genuine, forged = (
        signed(system, DELETED, key, entity="VENDOR", happened="DELETED") for key in (AS_TEXT, b"x")
    )
    with function_logs(system) as logs:
        post(system, DELETED, genuine, ROUTE)
        post(system, DELETED, forged, ROUTE)

    told = [(line["message"], line.get("reason")) for line in logs.lines if line.get("vendor") == "rillet"]
    assert told == [
        ("webhook acknowledged, not used", None),
        ("webhook refused", "no signature matches"),
    ]
    for secret in (TOKEN, DELETED.decode(), genuine["X-Rillet-Signature"], forged["X-Rillet-Signature"]):
        assert secret not in logs.text
