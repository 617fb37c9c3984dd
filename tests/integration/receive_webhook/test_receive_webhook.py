"""A webhook is taken only if Solvimon signed it just now, and then it is on the bus."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from botocore.client import BaseClient

from local.system import Connection, LocalSystem
from tests.support.arrange import configure, put_secret, solvimon_invoice, without_waiting_for_aws
from tests.support.assertions import waiting
from tests.support.builders import FIRST, Json, bus_event
from tests.support.logs import function_logs
from tests.support.webhooks import REFUSAL, envelope, event, post, signed


def nothing_happened(system: LocalSystem) -> None:
    """Neither the bus nor the queue saw anything."""
    assert system.bus_events() == []
    assert waiting(system).total == 0


def test_a_genuine_webhook_is_on_the_bus_before_it_is_answered(
    system: LocalSystem, default: Connection
) -> None:
    body = envelope()

    answer = post(system, body, signed(system, body, default.webhook_secret))

    assert (answer.status, answer.json) == (200, {"message": "accepted"})
    [on_bus] = system.bus_events()
    assert (on_bus["source"], on_bus["detail-type"]) == ("solvimon", "Invoice Finalised")
    assert on_bus["detail"].items() >= {"connection": "default", "id": FIRST}.items()
    assert on_bus["detail"].keys() == bus_event()["detail"].keys()
    assert waiting(system).visible == 1


@dataclass(frozen=True)
class Sender:
    """Somebody who would like to be Solvimon."""

    system: LocalSystem
    secret: str

    def sign(self, body: bytes, after: float = 0) -> dict[str, str]:
        return signed(self.system, body, self.secret, after=after)

    def without(self, name: str) -> dict[str, str]:
        return {key: value for key, value in self.sign(envelope()).items() if key != name}

    def instead(self, name: str, value: str) -> dict[str, str]:
        return self.sign(envelope()) | {name: value}


SIGNATURE, STAMP = "X-PAYLOAD-SIGNATURE", "X-PAYLOAD-SIGNATURE-TIMESTAMP"
REFUSED: dict[str, Callable[[Sender], tuple[bytes, dict[str, str]]]] = {
    "forged with another secret": lambda s: (envelope(), signed(s.system, envelope(), "a" * 64)),
    "forged with an empty secret": lambda s: (envelope(), signed(s.system, envelope(), "")),
    "signed for another body": lambda s: (envelope(), s.sign(envelope(id="invo_other"))),
    "signed for another time": lambda s: (envelope(), s.instead(STAMP, s.sign(b"", after=-9)[STAMP])),
    "body truncated": lambda s: (envelope()[:-1], s.sign(envelope())),
    "body with a space more": lambda s: (envelope() + b" ", s.sign(envelope())),
    "signature truncated": lambda s: (envelope(), s.instead(SIGNATURE, s.sign(envelope())[SIGNATURE][:-1])),
    "signature without its scheme": lambda s: (
        envelope(),
        s.instead(SIGNATURE, s.sign(envelope())[SIGNATURE].removeprefix("v1=")),
    ),
    "signature that is no hex": lambda s: (envelope(), s.instead(SIGNATURE, "v1=%s,=,v1" % ("z" * 64))),
    "signature empty": lambda s: (envelope(), s.instead(SIGNATURE, "")),
    "signature outside ASCII": lambda s: (envelope(), s.instead(SIGNATURE, "v1=é")),
    "a thousand signatures": lambda s: (envelope(), s.instead(SIGNATURE, ",".join(["v1=00"] * 1000))),
    "from the future": lambda s: (envelope(), s.sign(envelope(), after=310)),
    "too old": lambda s: (envelope(), s.sign(envelope(), after=-310)),
    "time that is none": lambda s: (envelope(), s.instead(STAMP, "yesterday")),
    "time in seconds": lambda s: (envelope(), s.instead(STAMP, "1793520000")),
    "no signature": lambda s: (envelope(), s.without(SIGNATURE)),
    "no time": lambda s: (envelope(), s.without(STAMP)),
    "no headers at all": lambda s: (envelope(), {}),
    "empty": lambda s: (b"", signed(s.system, b"", "a" * 64)),
    "empty, without headers": lambda s: (b"", {}),
    "not UTF-8, forged": lambda s: (b'{"a": "\xff"}', signed(s.system, b'{"a": "\xff"}', "a" * 64)),
    "binary, forged": lambda s: (
        envelope(),
        signed(s.system, envelope(), "a" * 64) | {"Content-Type": "application/octet-stream"},
    ),
    "signed over its base64 form": lambda s: (
        envelope(),
        s.sign(base64.b64encode(envelope())) | {"Content-Type": "application/octet-stream"},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_webhook_that_solvimon_did_not_sign_is_refused(
    system: LocalSystem, default: Connection, name: str
) -> None:
    body, headers = REFUSED[name](Sender(system, default.webhook_secret))

    answer = post(system, body, headers)

    assert (answer.status, answer.json) == (401, REFUSAL)
    nothing_happened(system)


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
    body = envelope()
    headers = signed(system, body, default.webhook_secret)
    first = post(system, body, headers)

    system.advance(310)
    again = post(system, body, headers)

    assert (first.status, again.status) == (200, 401)
    assert len(system.bus_events()) == 1


def test_a_body_that_is_not_utf_8_but_genuine_is_acknowledged_and_not_used(
    system: LocalSystem, default: Connection
) -> None:
    body = b'{"type": "INVOICE.STATUS_TO_FINAL", "data": {"id": "\xff"}}'

    answer = post(system, body, signed(system, body, default.webhook_secret))

    assert (answer.status, answer.json) == (200, {"message": "not used"})
    nothing_happened(system)


def test_a_body_that_travels_as_base64_is_verified_on_its_raw_bytes(
    system: LocalSystem, default: Connection
) -> None:
    body = envelope()
    headers = signed(system, body, default.webhook_secret) | {"Content-Type": "application/octet-stream"}

    answer = post(system, body, headers)

    assert answer.status == 200
    assert [on_bus["detail"]["id"] for on_bus in system.bus_events()] == [FIRST]


@pytest.mark.parametrize("body", ["@@@", "aGVsbG8", "é", 7, ["x"], {"a": "b"}])
def test_a_body_whose_bytes_cannot_be_had_back_is_refused(
    system: LocalSystem, default: Connection, body: object
) -> None:
    headers = signed(system, b"", default.webhook_secret)

    answer = system.invoke("receive_webhook", event(body, headers, isBase64Encoded=True))

    assert answer["statusCode"] == 401
    nothing_happened(system)


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"body": None},
        {"headers": None, "body": "{}"},
        {"headers": {"x-payload-signature": None, "x-payload-signature-timestamp": None}},
        {"pathParameters": None},
        {"pathParameters": {}},
        {"pathParameters": {"connection": None}},
        {"pathParameters": {"connection": 7}},
        {"pathParameters": {"connection": ["default"]}},
    ],
)
def test_an_event_that_lacks_what_an_event_has_is_refused_and_not_a_crash(
    system: LocalSystem, default: Connection, odd: Json
) -> None:
    answer = system.invoke("receive_webhook", odd)

    assert (answer["statusCode"], answer["body"]) == (401, '{"message": "signature not accepted"}')
    nothing_happened(system)


@pytest.mark.parametrize(("name", "value"), [(SIGNATURE, "v1=\ud800"), (STAMP, "{}\ud80008:00:00Z")])
def test_a_header_that_cannot_be_written_as_bytes_is_refused_and_not_a_crash(
    system: LocalSystem, default: Connection, name: str, value: str
) -> None:
    headers = signed(system, b"", default.webhook_secret)
    headers[name] = value.format(headers[STAMP][:10])
    system.put_settings("default", {**default.settings, "solvimon": {"webhook_max_age_seconds": 10**6}})

    answer = system.invoke("receive_webhook", event("", headers))

    assert answer["statusCode"] == 401


NAMES = [
    "unknown",
    "DEFAULT",
    "Default",
    "default ",
    "a/b",
    "default/solvimon",
    "../default",
    "..",
    "",
    "-",
    "default-",
    "défaut",
    "default\x00",
    "default\n",
    "x" * 33,
    "x" * 5000,
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:20]))
def test_a_connection_that_is_not_there_answers_like_a_wrong_signature(
    system: LocalSystem, default: Connection, name: str
) -> None:
    body = envelope()
    headers = signed(system, body, default.webhook_secret)
    forged = system.invoke("receive_webhook", event(body.decode(), signed(system, body, "a" * 64)))

    answer = system.invoke("receive_webhook", event(body.decode(), headers, name))

    assert answer == forged
    assert answer["statusCode"] == 401
    nothing_happened(system)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/webhooks/solvimon/unknown", 401),
        ("/webhooks/solvimon/DEFAULT", 401),
        ("/webhooks/solvimon/a%2Fb", 401),
        ("/webhooks/solvimon/..%2Fdefault", 401),
        ("/webhooks/solvimon/default%00", 401),
        ("/webhooks/solvimon/" + "x" * 3000, 401),
        ("/webhooks/solvimon/../solvimon/default", 404),
        ("/webhooks/solvimon/default/more", 404),
        ("/webhooks/solvimon/", 404),
    ],
)
def test_a_path_to_no_connection_leads_nowhere(
    system: LocalSystem, default: Connection, path: str, status: int
) -> None:
    body = envelope()

    answer = post(system, body, signed(system, body, default.webhook_secret), path)

    assert answer.status == status
    if status == 401:
        assert answer.json == REFUSAL
    nothing_happened(system)


def test_a_connection_without_its_secret_answers_like_a_wrong_signature(
    system: LocalSystem, default: Connection
) -> None:
    system.put_settings("half", {})
    body = envelope()

    answer = post(system, body, signed(system, body, default.webhook_secret), path="/webhooks/solvimon/half")

    assert (answer.status, answer.json) == (401, REFUSAL)
    nothing_happened(system)


@pytest.mark.parametrize("secrets", [{}, {"webhook_secret": ""}, {"previous_webhook_secret": ""}])
def test_a_connection_without_a_webhook_secret_takes_nothing(
    system: LocalSystem, default: Connection, secrets: dict[str, str]
) -> None:
    put_secret(system, default, "solvimon", **secrets)
    body = envelope()

    answers = [post(system, body, signed(system, body, key)) for key in ("", default.webhook_secret)]

    assert [answer.status for answer in answers] == [401, 401]
    nothing_happened(system)


def test_the_secret_of_one_connection_does_not_open_another(system: LocalSystem, default: Connection) -> None:
    other = system.connect("other")
    body = envelope()

    answer = post(system, body, signed(system, body, default.webhook_secret), "/webhooks/solvimon/other")
    own = post(system, body, signed(system, body, other.webhook_secret), "/webhooks/solvimon/other")

    assert (answer.status, own.status) == (401, 200)
    assert [on_bus["detail"]["connection"] for on_bus in system.bus_events()] == ["other"]


@pytest.mark.parametrize("kept", ["new and previous", "new", "previous"])
def test_a_webhook_is_accepted_while_the_secret_is_rolled(
    system: LocalSystem, default: Connection, kept: str
) -> None:
    webhook_id = next(iter(default.platform.webhooks.webhooks))
    default.platform.webhooks.roll(webhook_id, "b" * 64)
    secrets = {
        "new and previous": {"webhook_secret": "b" * 64, "previous_webhook_secret": default.webhook_secret},
        "new": {"webhook_secret": "b" * 64},
        "previous": {"webhook_secret": default.webhook_secret},
    }
    put_secret(system, default, "solvimon", **secrets[kept])

    default.platform.finalise(FIRST)
    [delivery] = system.deliver_webhooks()

    assert delivery.headers["X-PAYLOAD-SIGNATURE"].count("v1=") == 2
    assert delivery.status == 200
    assert len(system.bus_events()) == 1


def test_the_previous_secret_alone_is_accepted_while_we_keep_it(
    system: LocalSystem, default: Connection
) -> None:
    both = {"webhook_secret": "b" * 64, "previous_webhook_secret": default.webhook_secret}
    put_secret(system, default, "solvimon", **both)
    body = envelope()

    answer = post(system, body, signed(system, body, default.webhook_secret))

    assert answer.status == 200


def test_a_new_secret_is_in_force_within_five_minutes_without_a_deployment(
    system: LocalSystem, default: Connection
) -> None:
    body = envelope()
    before = post(system, body, signed(system, body, "b" * 64))
    secret = {"api_key": default.solvimon_api_key, "webhook_secret": "b" * 64}
    system.put_secret("default", "solvimon", secret)

    system.advance(301)
    after = post(system, body, signed(system, body, "b" * 64))

    assert (before.status, after.status) == (401, 200)


@pytest.mark.parametrize(
    "body",
    [
        envelope("CUSTOMER.CREATED"),
        envelope("INVOICE.PAID"),
        envelope("SOMETHING.NEW"),
        envelope("INVOICE.UPDATED", status="DRAFT"),
        envelope(id="a#b"),
        envelope(id="../customers/x"),
        b"{}",
        b"[]",
        b"null",
        b"not JSON",
        b"",
        b'{"type": "INVOICE.STATUS_TO_FINAL"}',
        b'{"type": "INVOICE.STATUS_TO_FINAL", "data": null}',
        b'{"type": null, "data": {"id": "invo_1"}}',
    ],
)
def test_a_genuine_event_that_we_do_not_use_is_acknowledged_and_nothing_is_done(
    system: LocalSystem, default: Connection, body: bytes
) -> None:
    answer = post(system, body, signed(system, body, default.webhook_secret))

    assert (answer.status, answer.json) == (200, {"message": "not used"})
    nothing_happened(system)


@pytest.mark.parametrize("without_id", [None, "", 7, True, ["invo_1"], {"id": "invo_1"}])
def test_a_genuine_event_without_a_usable_id_is_acknowledged_and_nothing_is_done(
    system: LocalSystem, default: Connection, without_id: object
) -> None:
    body = envelope(id=without_id)

    answer = post(system, body, signed(system, body, default.webhook_secret))

    assert (answer.status, answer.json) == (200, {"message": "not used"})
    nothing_happened(system)


@pytest.mark.parametrize("kind", [["CREDIT"], {"CREDIT": 1}, 7])
def test_a_genuine_event_of_an_unknown_shape_never_blocks_the_events_behind_it(
    system: LocalSystem, default: Connection, kind: object
) -> None:
    body = envelope(type=kind)

    answer = post(system, body, signed(system, body, default.webhook_secret))

    assert answer.status == 200


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


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage of AWS takes no time."""
    without_waiting_for_aws(monkeypatch)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("service", ["events", "secretsmanager", "ssm"])
def test_our_own_outage_is_a_5xx_and_solvimons_retry_succeeds_later(
    system: LocalSystem, default: Connection, service: str
) -> None:
    default.platform.finalise(FIRST)
    with system.aws.outage(service):
        [failed] = system.deliver_webhooks()
        too_early = system.deliver_webhooks()
    nothing_happened(system)

    system.advance(121)
    [delivered] = system.deliver_webhooks()

    assert (failed.status, too_early, delivered.status) == (503, [], 200)
    assert delivered.attempt == 2
    assert len(system.bus_events()) == 1


def test_a_bus_that_takes_the_request_but_not_the_event_is_a_5xx(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., Json] = vars(BaseClient)["_make_api_call"]

    def refuse(self: BaseClient, operation: str, arguments: Json) -> Json:
        if operation != "PutEvents":
            return real(self, operation, arguments)
        return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}

    default.platform.finalise(FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", refuse)
        [failed] = system.deliver_webhooks()

    system.advance(121)
    [delivered] = system.deliver_webhooks()

    assert (failed.status, delivered.status) == (503, 200)
    assert len(system.bus_events()) == 1


def test_settings_that_are_wrong_elsewhere_keep_no_webhook_out(
    system: LocalSystem, default: Connection
) -> None:
    system.put_settings("default", '{"invoice_scop": "FULL"}')
    default.platform.finalise(FIRST)

    [delivered] = system.deliver_webhooks()

    assert delivered.status == 200
    assert len(system.bus_events()) == 1


def test_settings_of_webhooks_that_were_never_usable_are_our_own_fault_and_mended_without_a_loss(
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


def test_settings_that_went_wrong_are_counted_for_the_alarm_and_webhooks_go_on(
    system: LocalSystem, default: Connection
) -> None:
    body = envelope()
    headers = signed(system, body, default.webhook_secret)
    post(system, body, headers)
    system.put_settings("default", "{")
    system.advance(61)

    with function_logs(system) as logs:
        answer = post(system, body, headers)

    assert answer.status == 200, "the last good ones stay in force"
    assert logs.metrics == {"default.SettingsInvalid": 1}


@pytest.mark.usefixtures("impatient")
def test_neither_body_nor_signature_nor_secret_is_ever_logged(
    system: LocalSystem, default: Connection
) -> None:
    previous = "previous-secret-of-the-webhook"
    both = {"webhook_secret": default.webhook_secret, "previous_webhook_secret": previous}
    put_secret(system, default, "solvimon", **both)
    body = envelope(notes=["A note that is nobody's business"])
    genuine, forged = signed(system, body, default.webhook_secret), signed(system, body, "a" * 64)
    other = envelope("CUSTOMER.CREATED", notes=["A note that is nobody's business"])

    with function_logs(system) as logs:
        statuses = [
            post(system, body, genuine).status,
            post(system, body, forged).status,
            post(system, body, genuine, "/webhooks/solvimon/unknown").status,
            post(system, other, signed(system, other, previous)).status,
        ]
        with system.aws.outage("events"):
            statuses.append(post(system, body, genuine).status)
        system.runtime.reset()
        with system.aws.outage("secretsmanager"):
            statuses.append(post(system, body, genuine).status)

    assert statuses == [200, 401, 401, 200, 503, 503]
    assert {line["level"] for line in logs.lines} == {"INFO", "WARNING", "ERROR"}
    assert FIRST in logs.text, "the id is what a person searches for"
    unspeakable = [
        "nobody's business",
        default.webhook_secret,
        previous,
        default.solvimon_api_key,
        *(headers["X-PAYLOAD-SIGNATURE"].partition("=")[2] for headers in (genuine, forged)),
    ]
    for word in unspeakable:
        assert word not in logs.text
