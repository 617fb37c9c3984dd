"""During an outage, messages wait: nothing is lost, nothing is sent twice, nothing is a dead letter."""

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from local import sample_data
from local.aws.runtime import LambdaContext
from local.system import Connection, LocalSystem
from solvimon_rillet.aws.sqs import MAX_DEFERRAL_SECONDS, MAX_DELAY_SECONDS
from solvimon_rillet.workflows.export.invoice import ExportInvoice
from tests.support.arrange import HOUR, connect_demo, pass_time, patched, put_on_queue
from tests.support.assertions import calls_to, dead_letters, invoice_posts, record, rillet_invoices, waiting
from tests.support.builders import FIRST, Json, bus_event
from tests.support.connected import Connected
from tests.support.logs import function_logs

pytestmark = pytest.mark.slow


ALL = tuple(sample_data.expected())
SOME = tuple(sample_data.invoice_id(name) for name in ("first", "new-customer", "usage-tiers", "yen"))
TWO = SOME[:2]
NO_USABLE_ANSWER = ("drop", "status", "status_after", "commit_then_drop", "malformed")


def each_once(connection: Connection, *invoice_ids: str) -> None:
    """Every invoice is in Rillet once, and nothing else is."""
    assert [len(rillet_invoices(connection, each)) for each in invoice_ids] == [1] * len(invoice_ids)
    assert len(rillet_invoices(connection)) == len(invoice_ids)


def on_queues(system: LocalSystem) -> tuple[int, list[str]]:
    """How many messages wait, and the dead letters."""
    return waiting(system).total, dead_letters(system)


@pytest.mark.parametrize(
    ("vendor", "fault", "ids"),
    [
        ("rillet", "down", ALL),
        ("solvimon", "down", TWO),
        *(
            ("rillet", fault, TWO)
            for fault in ("drop", "status", "status_after", "commit_then_drop", "malformed")
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else str(len(value)),
)
def test_a_vendor_gives_no_usable_answer_for_an_hour_and_everything_is_exported_after(
    default: Connected, vendor: str, fault: str, ids: tuple[str, ...]
) -> None:
    fake = default.system.rillet.state if vendor == "rillet" else default.system.solvimon.state
    default.finalise(*ids)
    fake.misbehave(fault, **({} if fault == "down" else {"path": "/", "times": 0}))  # type: ignore[arg-type]
    default.settle()

    pass_time(default.system, HOUR)
    in_between = on_queues(default.system), rillet_invoices(default)
    sent = invoice_posts(default.system)
    fake.behave()
    default.until_exported(*ids)

    assert in_between[0] == (len(ids), [])
    if fault == "down":
        assert in_between[1] == []
        assert vendor == "rillet" or sent == []
    assert on_queues(default.system) == (0, [])
    each_once(default, *ids)
    if ids == TWO:
        assert len(default.organisation.customers.documents()) == 12


@pytest.mark.usefixtures("aws_retries_at_once")
@pytest.mark.parametrize("service", ["dynamodb", "ssm", "secretsmanager"])
def test_an_aws_service_is_down_and_everything_is_exported_after(default: Connected, service: str) -> None:
    default.finalise(*TWO)
    with default.system.aws.outage(service):
        for _ in range(8):
            default.settle()
            default.system.advance(MAX_DELAY_SECONDS)
        in_between = on_queues(default.system), invoice_posts(default.system)

    default.until_exported(*TWO)

    assert in_between == ((len(TWO), []), [])
    each_once(default, *TWO)


@pytest.mark.usefixtures("aws_retries_at_once")
@pytest.mark.parametrize("step", ["UpdateItem", "PutItem", "GetItem"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_dynamodb_fails_at_any_step_and_the_invoice_is_in_rillet_once(
    default: Connected, step: str, nth: int
) -> None:
    default.finalise()
    with patched(BaseClient, "_make_api_call", _refusing(step, nth)):
        default.settle()

    default.until_exported()

    each_once(default, FIRST)
    assert dead_letters(default.system) == []


def _refusing(operation: str, nth: int = 0) -> Callable[..., Json]:
    """AWS's client, refusing the n-th call of an operation and all later ones."""
    real: Callable[..., Json] = vars(BaseClient)["_make_api_call"]
    seen: list[str] = []

    def call(self: BaseClient, name: str, arguments: Json) -> Json:
        if name == operation:
            seen.append(name)
            if len(seen) >= nth:
                raise ClientError({"Error": {"Code": "InternalServerError"}}, name)
        return real(self, name, arguments)

    return call


def test_a_queue_that_refuses_the_copy_keeps_the_original(default: Connected) -> None:
    default.finalise()
    default.system.rillet.state.misbehave("down")
    with patched(BaseClient, "_make_api_call", _refusing("SendMessage")):
        refused = default.settle()
    original = waiting(default.system)

    default.system.rillet.state.behave()
    too_early = default.settle(after=359)
    received_again = default.settle(after=2)

    assert [(len(batch.done), len(batch.failed)) for batch in refused] == [(0, 1)]
    assert (original.in_flight, original.total) == (1, 1)
    assert too_early == []
    assert refused[0].failed == received_again[0].done, "it is the same message"
    each_once(default, FIRST)


def put_key(system: LocalSystem, vendor: str, secret: Json) -> None:
    system.put_secret("default", vendor, {"auth": "api_key", **secret})


def test_rillets_key_is_revoked_and_messages_wait_until_the_secret_is_fixed(default: Connected) -> None:
    default.system.rillet.state.revoke(default.rillet_api_key)
    default.finalise(*TWO)

    with function_logs(default.system) as logs:
        default.settle()
        pass_time(default.system, 2 * HOUR, step=MAX_DELAY_SECONDS)
    in_between = on_queues(default.system)
    default.system.rillet.state.add_api_key(default.organisation, "another-key")
    put_key(default.system, "rillet", {"api_key": "another-key"})
    default.until_exported(*TWO, most=15 * 60)

    assert in_between == (len(TWO), [])
    assert logs.metrics["default.ConnectionBroken"] >= len(TWO)
    assert "DocumentsRejected" not in logs.text
    assert default.rillet_api_key not in logs.text
    each_once(default, *TWO)


def test_a_key_that_may_only_read_is_a_broken_connection_and_no_rejection(default: Connected) -> None:
    default.system.rillet.state.add_api_key(default.organisation, "read-only", read_only=True)
    put_key(default.system, "rillet", {"api_key": "read-only"})
    default.finalise()

    with function_logs(default.system) as logs:
        default.settle()
    before = default.record()
    put_key(default.system, "rillet", {"api_key": default.rillet_api_key})
    default.until_exported(most=15 * 60)

    assert (before["state"], before["attempt"]) == ("sending", {}), "nothing was booked, so nothing is open"
    assert logs.metrics["default.ConnectionBroken"] == 1
    assert "write access" in logs.text
    each_once(default, FIRST)


@pytest.mark.parametrize(
    ("vendor", "secret"),
    [
        ("solvimon", {"api_key": "wrong"}),
        ("solvimon", {"api_key": ""}),
        ("solvimon", {"webhook_secret": "only this"}),
        ("rillet", {"api_key": "wrong"}),
        ("rillet", {}),
    ],
)
def test_a_wrong_or_missing_credential_makes_documents_wait_and_says_where_to_put_it(
    default: Connected, vendor: str, secret: dict[str, str]
) -> None:
    default.platform.finalise(FIRST)
    right = {"solvimon": default.solvimon_api_key, "rillet": default.rillet_api_key}[vendor]
    default.system.put_secret("default", vendor, secret)
    default.system.runtime.reset()

    [result] = default.export()
    default.system.put_secret("default", vendor, {"api_key": right})
    default.until_exported(most=15 * 60)

    assert result["outcome"] == "queued"
    assert "secret" in result["reason"]
    assert "wrong" not in result["reason"]


def test_a_fixed_secret_is_used_at_the_next_attempt(default: Connected) -> None:
    """A person who has just put the right key there does not want to wait five minutes to see it work."""
    default.platform.finalise(FIRST)
    put_key(default.system, "rillet", {"api_key": "wrong"})
    [before] = default.export()

    put_key(default.system, "rillet", {"api_key": default.rillet_api_key})
    [after] = default.export()

    assert [before["outcome"], after["outcome"]] == ["queued", "exported"]


def test_a_secret_that_is_no_json_makes_documents_wait(default: Connected) -> None:
    default.platform.finalise(FIRST)
    name = "solvimon-rillet/default/rillet"
    default.system.aws.secretsmanager.put_secret_value(SecretId=name, SecretString="sk_live_123")
    default.system.runtime.reset()

    [result] = default.export(FIRST)

    assert result["outcome"] == "queued"
    assert name in result["reason"]
    assert "sk_live_123" not in result["reason"]


def test_a_429_makes_a_document_wait_a_minute_and_is_no_fault_of_the_message(default: Connected) -> None:
    default.system.rillet.state.misbehave("status", status=429, times=8)
    default.finalise_and_settle()

    default.until_exported(most=20 * 61)

    assert dead_letters(default.system) == []
    times = [call.time for call in invoice_posts(default.system)]
    assert min(b - a for a, b in pairwise(times)) > 60
    assert len({call.idempotency_key for call in invoice_posts(default.system)}) == 1
    each_once(default, FIRST)


def test_more_invoices_than_rillet_takes_a_minute_are_all_exported(default: Connected) -> None:
    default.system.rillet.state.rate_limit = 4
    default.finalise_and_settle(*ALL[:6])

    default.until_exported(*ALL[:6])

    assert dead_letters(default.system) == []
    each_once(default, *ALL[:6])


def _crashing_on(*invoice_ids: str) -> Callable[..., object]:
    real = ExportInvoice.run

    def run(self: ExportInvoice, invoice_id: str, owner: str, *, on_request: bool = False) -> object:
        if invoice_id in invoice_ids:
            raise ZeroDivisionError("a bug of ours")
        return real(self, invoice_id, owner, on_request=on_request)

    return run


def test_a_message_that_always_crashes_is_a_dead_letter_after_five_tries_and_holds_up_no_other(
    default: Connected,
) -> None:
    default.finalise(*SOME)
    with patched(ExportInvoice, "run", _crashing_on(FIRST)):
        tries = 0
        while not dead_letters(default.system):
            tries += sum(bool(batch.failed) for batch in default.system.settle())
            assert tries <= 5
            default.system.advance(361)

    assert tries == 5
    assert waiting(default.system).total == 0
    assert [json.loads(body)["detail"]["id"] for body in dead_letters(default.system)] == [FIRST]
    each_once(default, *SOME[1:])


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        "[]",
        "{}",
        {"detail": {"connection": "default"}},
        {"detail": {"connection": "default", "id": "../customers/x"}},
        {"detail": {"connection": "de#fault", "id": FIRST}},
    ],
)
def test_a_malformed_message_is_a_dead_letter_after_five_tries(default: Connected, body: object) -> None:
    default.platform.finalise(FIRST)
    put_on_queue(default.system, body)
    put_on_queue(default.system)

    pass_time(default.system, 6 * 361, step=361)

    assert dead_letters(default.system) == [body if isinstance(body, str) else json.dumps(body)]
    assert waiting(default.system).total == 0
    each_once(default, FIRST)


def test_documents_of_an_unknown_connection_wait_until_it_is_made(system: LocalSystem) -> None:
    put_on_queue(system, bus_event(connection="acme"))
    with function_logs(system) as logs:
        system.settle()
    pass_time(system, 6 * HOUR, step=MAX_DELAY_SECONDS)
    in_between = on_queues(system), system.ledger()

    acme = connect_demo(system, "acme")
    acme.platform.finalise(FIRST)
    system.advance(MAX_DELAY_SECONDS)
    system.settle()

    assert in_between == ((1, []), [])
    assert "acme" in logs.text
    assert record(system, FIRST, "acme")["state"] == "exported"
    each_once(acme, FIRST)


def with_time_left(*milliseconds: int) -> Callable[[object], int]:
    """What is left of an invocation at each question; 20 seconds at last, too little for one more invoice."""
    left = iter(milliseconds)
    return lambda _: next(left, 20_000)


def test_a_batch_that_runs_out_of_time_hands_the_rest_back(default: Connected) -> None:
    default.finalise(*SOME)
    with patched(LambdaContext, "get_remaining_time_in_millis", with_time_left(60_000, 30_000)):
        default.settle()
    begun = {call.request_body["invoice_date"] for call in invoice_posts(default.system)}
    in_between = len(rillet_invoices(default)), waiting(default.system).delayed

    default.settle(after=2)

    assert begun
    assert in_between == (2, len(SOME) - 2)
    assert dead_letters(default.system) == []
    each_once(default, *SOME)


def test_a_direct_invocation_that_runs_out_of_time_puts_the_rest_on_the_queue(default: Connected) -> None:
    for invoice_id in SOME:
        default.platform.finalise(invoice_id)
    with patched(LambdaContext, "get_remaining_time_in_millis", with_time_left(60_000)):
        results = default.export(*SOME)

    default.settle(after=2)

    assert [result["outcome"] for result in results] == ["exported", "queued", "queued", "queued"]
    assert "no time left" in results[1]["reason"]
    each_once(default, *SOME)


def _delays(system: LocalSystem, times: int) -> list[int]:
    """How long one message waits, one time after the other."""
    delays = []
    for _ in range(times):
        system.settle()
        waited = 0
        while waiting(system).visible == 0:
            system.advance(1)
            waited += 1
            assert waited <= MAX_DELAY_SECONDS + 1
        delays.append(waited)
    return delays


def test_the_wait_grows_from_seconds_to_a_quarter_of_an_hour(default: Connected) -> None:
    default.system.rillet.state.misbehave("down")
    default.finalise(FIRST)

    delays = _delays(default.system, 9)

    for number, delay in enumerate(delays):
        longest = min(MAX_DELAY_SECONDS, 15 * 2**number)
        assert 0.8 * longest - 1 <= delay <= longest + 1
    assert waiting(default.system).total == 1


def test_a_message_that_has_waited_for_14_days_goes_to_the_dead_letters(default: Connected) -> None:
    default.system.rillet.state.misbehave("down")
    default.platform.finalise(FIRST)
    now = int(default.system.clock.now())
    put_on_queue(default.system, first_seen=now - MAX_DEFERRAL_SECONDS + 60, deferrals=1000)
    default.system.deliver()
    still_waits = waiting(default.system).delayed

    default.system.advance(MAX_DELAY_SECONDS + 1)
    for _ in range(5):
        default.system.deliver()
        default.system.advance(361)
    default.system.deliver()

    assert still_waits == 1
    assert waiting(default.system).total == 0
    assert [json.loads(body)["detail"]["id"] for body in dead_letters(default.system)] == [FIRST]


def test_a_message_back_from_the_dead_letters_is_exported(default: Connected) -> None:
    default.platform.finalise(FIRST)
    put_on_queue(default.system, first_seen=1, deferrals=1000)

    default.settle()

    each_once(default, FIRST)


def test_steady_waiting_costs_one_rillet_call_per_attempt(default: Connected) -> None:
    default.platform.finalise(SOME[2])
    default.export(SOME[2])  # of the same customer: the links are remembered
    default.system.rillet.state.misbehave("status", status=503, times=0)
    default.finalise(FIRST)
    before = len(default.system.rillet.state.calls)

    default.settle()
    _delays(default.system, 2)

    assert len(default.system.rillet.state.calls) - before == 2
    assert calls_to(default.system, "GET", "/invoices") == []
