"""A webhook is accepted only if Solvimon signed it just now, and then it is on the bus."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from botocore.client import BaseClient

from local.system import Connection, LocalSystem
from tests.support.arrange import configure, patched, put_secret, solvimon_invoice
from tests.support.assertions import assert_nothing_published, waiting
from tests.support.builders import FIRST, Json, bus_event
from tests.support.logs import function_logs
from tests.support.webhooks import REFUSAL, Answer, envelope, event, post, signed

BODY = envelope()
SECRET = "b" * 64
"""Another webhook secret than the connection's."""


def send(
    system: LocalSystem, body: bytes = BODY, *secrets: str, path: str = "/webhooks/solvimon/default"
) -> Answer:
    """Send a webhook that is signed with the secret of the connection ``default``, or with others."""
    own = system.connections["default"].webhook_secret
    return post(system, body, signed(system, body, *(secrets or (own,))), path)


@pytest.mark.usefixtures("default")
def test_a_genuine_webhook_is_on_the_bus_before_it_is_answered(system: LocalSystem) -> None:
    answer = send(system)

    assert (answer.status, answer.json) == (200, {"message": "accepted"})
    [on_bus] = system.bus_events()
    assert (on_bus["source"], on_bus["detail-type"]) == ("solvimon", "Invoice Finalised")
    assert on_bus["detail"].items() >= {"connection": "default", "id": FIRST}.items()
    assert on_bus["detail"].keys() == bus_event()["detail"].keys()
    assert waiting(system).visible == 1


@dataclass(frozen=True)
class Sender:
    """Signs with the connection's secret, and changes what is signed."""

    system: LocalSystem
    secret: str

    def sign(self, body: bytes = BODY, after: float = 0) -> dict[str, str]:
        return signed(self.system, body, self.secret, after=after)

    def without(self, name: str) -> dict[str, str]:
        return {key: value for key, value in self.sign().items() if key != name}

    def instead(self, name: str, change: Callable[[str], str]) -> dict[str, str]:
        headers = self.sign()
        return headers | {name: change(headers[name])}

    def forge(self, body: bytes, secret: str = "a" * 64) -> tuple[bytes, dict[str, str]]:
        return body, signed(self.system, body, secret)


SIGNATURE, STAMP = "X-PAYLOAD-SIGNATURE", "X-PAYLOAD-SIGNATURE-TIMESTAMP"
BINARY = {"Content-Type": "application/octet-stream"}
REFUSED: dict[str, Callable[[Sender], tuple[bytes, dict[str, str]]]] = {
    "forged with another secret": lambda s: s.forge(BODY),
    "forged with an empty secret": lambda s: s.forge(BODY, ""),
    "signed for another body": lambda s: (BODY, s.sign(envelope(id="invo_other"))),
    "signed for another time": lambda s: (BODY, s.instead(STAMP, lambda _: s.sign(b"", after=-9)[STAMP])),
    "body truncated": lambda s: (BODY[:-1], s.sign()),
    "body with a space more": lambda s: (BODY + b" ", s.sign()),
    "signature truncated": lambda s: (BODY, s.instead(SIGNATURE, lambda value: value[:-1])),
    "signature without its scheme": lambda s: (BODY, s.instead(SIGNATURE, lambda v: v.removeprefix("v1="))),
    "signature that is no hex": lambda s: (BODY, s.instead(SIGNATURE, lambda _: "v1=%s,=,v1" % ("z" * 64))),
    "signature empty": lambda s: (BODY, s.instead(SIGNATURE, lambda _: "")),
    "signature outside ASCII": lambda s: (BODY, s.instead(SIGNATURE, lambda _: "v1=é")),
    "a thousand signatures": lambda s: (BODY, s.instead(SIGNATURE, lambda _: ",".join(["v1=00"] * 1000))),
    "from the future": lambda s: (BODY, s.sign(after=310)),
    "too old": lambda s: (BODY, s.sign(after=-310)),
    "time that is none": lambda s: (BODY, s.instead(STAMP, lambda _: "yesterday")),
    "time in seconds": lambda s: (BODY, s.instead(STAMP, lambda _: "1793520000")),
    "no signature": lambda s: (BODY, s.without(SIGNATURE)),
    "no time": lambda s: (BODY, s.without(STAMP)),
    "no headers at all": lambda s: (BODY, {}),
    "empty": lambda s: s.forge(b""),
    "empty, without headers": lambda s: (b"", {}),
    "not UTF-8, forged": lambda s: s.forge(b'{"a": "\xff"}'),
    "binary, forged": lambda s: (BODY, s.forge(BODY)[1] | BINARY),
    "signed over its base64 form": lambda s: (BODY, s.sign(base64.b64encode(BODY)) | BINARY),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_webhook_that_solvimon_did_not_sign_is_refused(
    system: LocalSystem, default: Connection, name: str
) -> None:
    body, headers = REFUSED[name](Sender(system, default.webhook_secret))

    answer = post(system, body, headers)

    assert (answer.status, answer.json) == (401, REFUSAL)
    assert_nothing_published(system)


@pytest.mark.parametrize("name", ["from the future", "too old"])
def test_a_captured_webhook_is_refused_by_its_time_alone(
    system: LocalSystem, default: Connection, name: str
) -> None:
    """The same request is taken when its time has come, or had not gone: nothing else is wrong with it."""
    body, headers = REFUSED[name](Sender(system, default.webhook_secret))
    if name == "from the future":
        system.advance(20)
    else:
        configure(system, default, solvimon={**default.settings["solvimon"], "webhook_max_age_seconds": 3600})

    answer = post(system, body, headers)

    assert (answer.status, len(system.bus_events())) == (200, 1)


def test_a_replayed_webhook_is_refused_when_it_is_too_old(system: LocalSystem, default: Connection) -> None:
    headers = signed(system, BODY, default.webhook_secret)
    first = post(system, BODY, headers)

    system.advance(310)
    again = post(system, BODY, headers)

    assert (first.status, again.status) == (200, 401)
    assert len(system.bus_events()) == 1


def test_a_body_that_travels_as_base64_is_verified_on_its_raw_bytes(
    system: LocalSystem, default: Connection
) -> None:
    answer = post(system, BODY, signed(system, BODY, default.webhook_secret) | BINARY)

    assert answer.status == 200
    assert [on_bus["detail"]["id"] for on_bus in system.bus_events()] == [FIRST]


@pytest.mark.parametrize("body", ["@@@", "aGVsbG8", "é", 7, ["x"], {"a": "b"}])
def test_a_body_that_cannot_be_decoded_is_refused(
    system: LocalSystem, default: Connection, body: object
) -> None:
    headers = signed(system, b"", default.webhook_secret)

    answer = system.invoke("receive_webhook", event(body, headers, isBase64Encoded=True))

    assert answer["statusCode"] == 401
    assert_nothing_published(system)


@pytest.mark.usefixtures("default")
@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"body": None},
        {"headers": None, "body": "{}"},
        {"headers": {"x-payload-signature": None, "x-payload-signature-timestamp": None}},
        {"pathParameters": None},
        {"pathParameters": {}},
        *({"pathParameters": {"connection": name}} for name in (None, 7, ["default"])),
    ],
)
def test_an_event_that_lacks_a_field_is_refused_and_not_a_crash(system: LocalSystem, odd: Json) -> None:
    answer = system.invoke("receive_webhook", odd)

    assert (answer["statusCode"], json.loads(answer["body"])) == (401, REFUSAL)
    assert_nothing_published(system)


@pytest.mark.parametrize(("name", "value"), [(SIGNATURE, "v1=\ud800"), (STAMP, "{}\ud80008:00:00Z")])
def test_a_header_that_cannot_be_written_as_bytes_is_refused_and_not_a_crash(
    system: LocalSystem, default: Connection, name: str, value: str
) -> None:
    headers = signed(system, b"", default.webhook_secret)
    headers[name] = value.format(headers[STAMP][:10])
    system.put_settings("default", {**default.settings, "solvimon": {"webhook_max_age_seconds": 600_000}})

    assert system.invoke("receive_webhook", event("", headers))["statusCode"] == 401


PATHS = ("a/b", "default/solvimon", "../default", "..", "", "-", "default-")
SPELLINGS = ("unknown", "DEFAULT", "Default", "default ", "défaut", "default\x00", "default\n")


@pytest.mark.parametrize("name", [*PATHS, *SPELLINGS, "x" * 33, "x" * 5000], ids=lambda name: repr(name[:20]))
def test_a_connection_that_is_not_there_answers_like_a_wrong_signature(
    system: LocalSystem, default: Connection, name: str
) -> None:
    text = BODY.decode()
    forged = system.invoke("receive_webhook", event(text, signed(system, BODY, "a" * 64)))

    answer = system.invoke("receive_webhook", event(text, signed(system, BODY, default.webhook_secret), name))

    assert answer == forged
    assert answer["statusCode"] == 401
    assert_nothing_published(system)


@pytest.mark.usefixtures("default")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("unknown", 401),
        ("DEFAULT", 401),
        ("a%2Fb", 401),
        ("..%2Fdefault", 401),
        ("default%00", 401),
        ("x" * 3000, 401),
        ("half", 401),
        ("../solvimon/default", 404),
        ("default/more", 404),
        ("", 404),
    ],
)
def test_a_path_to_no_connection_or_one_without_secret_is_refused(
    system: LocalSystem, path: str, status: int
) -> None:
    system.put_settings("half", {})

    answer = send(system, path=f"/webhooks/solvimon/{path}")

    assert answer.status == status
    if status == 401:
        assert answer.json == REFUSAL
    assert_nothing_published(system)


@pytest.mark.parametrize("secrets", [{}, {"webhook_secret": ""}, {"previous_webhook_secret": ""}])
def test_a_connection_without_a_webhook_secret_accepts_nothing(
    system: LocalSystem, default: Connection, secrets: dict[str, str]
) -> None:
    put_secret(system, default, "solvimon", **secrets)

    answers = [send(system, BODY, key).status for key in ("", default.webhook_secret)]

    assert answers == [401, 401]
    assert_nothing_published(system)


def test_the_secret_of_one_connection_does_not_open_another(system: LocalSystem, default: Connection) -> None:
    other = system.connect("other")

    statuses = [
        send(system, BODY, secret, path=f"/webhooks/solvimon/{name}").status
        for secret in (default.webhook_secret, other.webhook_secret)
        for name in ("default", "other")
    ]

    assert statuses == [200, 401, 401, 200]
    assert [on_bus["detail"]["connection"] for on_bus in system.bus_events()] == ["default", "other"]


@pytest.mark.parametrize("kept", ["new and previous", "new", "previous"])
def test_a_webhook_is_accepted_while_the_secret_is_rolled(
    system: LocalSystem, default: Connection, kept: str
) -> None:
    webhook_id = next(iter(default.platform.webhooks.webhooks))
    default.platform.webhooks.roll(webhook_id, SECRET)
    secrets = {
        "new and previous": {
            "webhook_secret": SECRET,
            "previous_webhook_secret": default.webhook_secret,
            "previous_webhook_secret_until": "2099-12-31",
        },
        "new": {"webhook_secret": SECRET},
        "previous": {"webhook_secret": default.webhook_secret},
    }
    put_secret(system, default, "solvimon", **secrets[kept])

    default.platform.finalise(FIRST)
    [delivery] = system.deliver_webhooks()

    assert delivery.headers["X-PAYLOAD-SIGNATURE"].count("v1=") == 2
    assert delivery.status == 200
    assert len(system.bus_events()) == 1


@pytest.mark.parametrize(
    ("days", "status"),
    [(0, 200), (1, 200), (-1, 401), (None, 401)],
    ids=["today", "later", "over", "no date"],
)
def test_the_previous_secret_is_accepted_to_the_end_of_its_last_day(
    system: LocalSystem, default: Connection, days: int | None, status: int
) -> None:
    both = {"webhook_secret": SECRET, "previous_webhook_secret": default.webhook_secret}
    if days is not None:
        last = datetime.fromtimestamp(system.clock.now(), UTC) + timedelta(days)
        both["previous_webhook_secret_until"] = last.date().isoformat()
    put_secret(system, default, "solvimon", **both)

    assert send(system).status == status


@pytest.mark.parametrize("version", ["v0", "v2", "V1", "", "sha256"])
def test_only_signatures_of_the_documented_version_count(
    system: LocalSystem, default: Connection, version: str
) -> None:
    headers = signed(system, BODY, default.webhook_secret)
    digest = headers["X-PAYLOAD-SIGNATURE"].partition("=")[2]

    answer = post(system, BODY, headers | {"X-PAYLOAD-SIGNATURE": f"{version}={digest}"})

    assert answer.status == 401


def test_refused_webhooks_are_counted_by_connection(system: LocalSystem, default: Connection) -> None:
    headers = signed(system, BODY, "a" * 64)

    with function_logs(system) as logs:
        post(system, BODY, headers)
        post(system, BODY, headers, "/webhooks/solvimon/made-up")

    assert logs.metrics["default.WebhooksRefused"] == logs.metrics["unknown.WebhooksRefused"] == 1


def test_a_new_secret_is_in_force_within_five_minutes_without_a_deployment(
    system: LocalSystem, default: Connection
) -> None:
    before = send(system, BODY, SECRET)
    system.put_secret("default", "webhooks", {"webhook_secret": SECRET})

    system.advance(301)
    after = send(system, BODY, SECRET)

    assert (before.status, after.status) == (401, 200)


@pytest.mark.usefixtures("default")
@pytest.mark.parametrize(
    "body",
    [
        envelope("CUSTOMER.CREATED"),
        envelope("INVOICE.PAID"),
        envelope("SOMETHING.NEW"),
        envelope("INVOICE.UPDATED", status="DRAFT"),
        *(envelope(id=each) for each in ("a#b", "../customers/x", None, "", 7, True)),
        *(envelope(id=each) for each in (["invo_1"], {"id": "invo_1"})),
        b"{}",
        b"[]",
        b"null",
        b"not JSON",
        b"",
        b'{"type": "INVOICE.STATUS_TO_FINAL"}',
        b'{"type": "INVOICE.STATUS_TO_FINAL", "data": null}',
        b'{"type": "INVOICE.STATUS_TO_FINAL", "data": {"id": "\xff"}}',
        b'{"type": null, "data": {"id": "invo_1"}}',
    ],
)
def test_a_genuine_event_that_we_do_not_use_is_acknowledged_and_nothing_is_done(
    system: LocalSystem, body: bytes
) -> None:
    answer = send(system, body)

    assert (answer.status, answer.json) == (200, {"message": "not used"})
    assert_nothing_published(system)


@pytest.mark.usefixtures("default")
@pytest.mark.parametrize("type_", [["CREDIT"], {"CREDIT": 1}, 7])
def test_a_genuine_event_of_an_unknown_shape_never_blocks_the_events_behind_it(
    system: LocalSystem, type_: object
) -> None:
    assert send(system, envelope(type=type_)).status == 200


@pytest.mark.parametrize("kind", ["CREDIT", "ONE_OFF_CREDIT"])
def test_a_credit_note_is_on_the_bus_under_its_own_name_and_not_on_the_queue_of_invoices(
    system: LocalSystem, default: Connection, kind: str
) -> None:
    solvimon_invoice(default)["type"] = kind
    default.platform.finalise(FIRST)

    [delivery] = system.deliver_webhooks()

    assert delivery.status == 200
    assert [on_bus["detail-type"] for on_bus in system.bus_events()] == ["Credit Note Finalised"]
    assert waiting(system).total == 0


call_aws: Callable[..., Json] = vars(BaseClient)["_make_api_call"]


def refuse_events(client: BaseClient, operation: str, arguments: Json) -> Json:
    """AWS's client, whose bus accepts a request and not the event in it."""
    if operation != "PutEvents":
        return call_aws(client, operation, arguments)
    return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}


@pytest.mark.usefixtures("aws_retries_at_once")
@pytest.mark.parametrize("trouble", ["events", "secretsmanager", "ssm", "the event is refused"])
def test_our_own_outage_is_a_5xx_and_solvimons_retry_succeeds_later(
    system: LocalSystem, default: Connection, trouble: str
) -> None:
    default.platform.finalise(FIRST)
    refused = patched(BaseClient, "_make_api_call", refuse_events)
    with refused if trouble == "the event is refused" else system.aws.outage(trouble):
        [failed] = system.deliver_webhooks()
        too_early = system.deliver_webhooks()
    assert_nothing_published(system)

    system.advance(121)
    [delivered] = system.deliver_webhooks()

    assert (failed.status, too_early, delivered.status) == (503, [], 200)
    assert delivered.attempt == 2
    assert len(system.bus_events()) == 1


def test_settings_that_are_wrong_elsewhere_keep_no_webhook_out(
    system: LocalSystem, default: Connection
) -> None:
    system.put_settings("default", '{"invoice_scop": "FULL"}')
    default.platform.finalise(FIRST)

    [delivered] = system.deliver_webhooks()

    assert delivered.status == 200
    assert len(system.bus_events()) == 1


def test_webhook_settings_that_were_never_valid_are_our_own_fault_and_fixed_without_a_loss(
    system: LocalSystem, default: Connection
) -> None:
    system.put_settings("default", '{"solvimon": {"webhook_max_age_seconds": "old"}}')
    system.runtime.reset()
    default.platform.finalise(FIRST)
    [failed] = system.deliver_webhooks()

    system.put_settings("default", default.settings)
    system.advance(121)
    [delivered] = system.deliver_webhooks()

    assert (failed.status, delivered.status) == (503, 200)


@pytest.mark.usefixtures("default")
def test_settings_that_became_invalid_are_counted_for_the_alarm_and_webhooks_go_on(
    system: LocalSystem,
) -> None:
    send(system)
    system.put_settings("default", "{")
    system.advance(61)

    with function_logs(system) as logs:
        answer = send(system)

    assert answer.status == 200, "the last valid ones stay in force"
    assert logs.metrics == {"default.SettingsInvalid": 1}


@pytest.mark.usefixtures("aws_retries_at_once")
def test_neither_body_nor_signature_nor_secret_is_ever_logged(
    system: LocalSystem, default: Connection
) -> None:
    previous = "previous-secret-of-the-webhook"
    both = {
        "webhook_secret": default.webhook_secret,
        "previous_webhook_secret": previous,
        "previous_webhook_secret_until": "2099-12-31",
    }
    put_secret(system, default, "solvimon", **both)
    body = envelope(notes=["A note that is nobody's business"])
    genuine, forged = signed(system, body, default.webhook_secret), signed(system, body, "a" * 64)
    other = envelope("CUSTOMER.CREATED", notes=["A note that is nobody's business"])

    with function_logs(system) as logs:
        statuses = [
            post(system, body, genuine).status,
            post(system, body, forged).status,
            post(system, body, genuine, "/webhooks/solvimon/unknown").status,
            send(system, other, previous).status,
        ]
        with system.aws.outage("events"):
            statuses.append(post(system, body, genuine).status)
        system.runtime.reset()
        with system.aws.outage("secretsmanager"):
            statuses.append(post(system, body, genuine).status)

    assert statuses == [200, 401, 401, 200, 503, 503]
    assert {line["level"] for line in logs.lines if "level" in line} == {"INFO", "WARNING", "ERROR"}
    assert FIRST in logs.text, "the id is what a person searches for"
    confidential = [
        "nobody's business",
        default.webhook_secret,
        previous,
        default.solvimon_api_key,
        *(headers["X-PAYLOAD-SIGNATURE"].partition("=")[2] for headers in (genuine, forged)),
    ]
    assert [word for word in confidential if word in logs.text] == []
