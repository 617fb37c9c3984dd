"""Connections share functions, a queue and a table, and nothing else."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import requests

from local import sample_data
from local.system import Connection, LocalSystem
from tests.support.arrange import connect_demo, export, finalise, put_on_queue, solvimon_invoice, until
from tests.support.assertions import dead_letters, record, rillet_invoice, rillet_invoices, waiting
from tests.support.builders import FIRST, Json, bus_event

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

SECOND = sample_data.invoice_id("discount")
A, B = "acme", "globex"


@pytest.fixture
def a(system: LocalSystem) -> Connection:
    """One connection; every platform has the same Solvimon ids, every organisation its own."""
    return connect_demo(system, A)


@pytest.fixture
def b(system: LocalSystem) -> Connection:
    """Another one."""
    return connect_demo(system, B)


@pytest.fixture
def both_exported(system: LocalSystem, a: Connection, b: Connection) -> None:
    """Both have the first invoice in Rillet."""
    for one in (a, b):
        finalise(system, one)
    system.settle()


def ledger_of(system: LocalSystem, name: str) -> list[Json]:
    """The ledger's items of a connection."""
    return [item for item in system.ledger() if item["pk"].startswith(f"{name}#")]


def only_in(system: LocalSystem, owner: Connection, name: str) -> str:
    """An invoice that only one of the platforms has."""
    made = deepcopy(owner.platform.records["invoices"][FIRST])
    made |= {"id": f"invo_{name}", "invoice_number": f"{name}-1", "status": "FINAL"}
    made.pop("reference", None)
    owner.platform.load({"invoices": [made]})
    return str(made["id"])


def test_every_call_goes_to_the_connections_own_platform_and_organisation(
    system: LocalSystem, a: Connection, b: Connection
) -> None:
    finalise(system, a)
    system.settle()

    assert {call.organisation_id for call in system.rillet.state.calls} == {a.organisation.id}
    assert {call.api_key for call in system.solvimon.state.calls} == {a.solvimon_api_key}
    assert ledger_of(system, B) == []


def test_an_export_of_one_is_not_disclosed_to_the_other(
    system: LocalSystem, a: Connection, b: Connection
) -> None:
    theirs = only_in(system, a, "theirs")
    [exported] = export(system, theirs, connection=A)

    again = [*export(system, theirs, connection=B), *export(system, theirs, connection=B, dry_run=True)]

    assert exported["outcome"] == "exported"
    assert [result["code"] for result in again] == ["invoice_not_found"] * 2
    assert exported["rillet_id"] not in json.dumps(again)
    assert record(system, theirs, A)["state"] == "exported"


def test_a_rejection_of_one_cannot_be_retried_by_the_other(
    system: LocalSystem, a: Connection, b: Connection
) -> None:
    theirs = only_in(system, a, "theirs")
    solvimon_invoice(a, theirs)["customer_id"] = "cust_nobody"
    export(system, theirs, connection=A)
    before = record(system, theirs, A)

    export(system, theirs, connection=B)
    put_on_queue(system, bus_event(theirs, B))
    system.settle()

    assert before["state"] == "rejected"
    assert record(system, theirs, A) == before
    assert rillet_invoices(b) == []


@pytest.mark.parametrize(
    "identifier",
    [f"{A}#invoice#{FIRST}", f"../{FIRST}", f"{FIRST}?x", f"#{FIRST}", f"{A}/{FIRST}", f"%2e%2e/{FIRST}"],
)
def test_no_id_reaches_into_another_connection(
    system: LocalSystem, a: Connection, b: Connection, identifier: str
) -> None:
    finalise(system, a)
    system.settle()
    before = ledger_of(system, A)

    [result] = export(system, identifier, connection=B)

    assert result["outcome"] == "rejected"
    assert ledger_of(system, A) == before
    assert rillet_invoices(b) == []


@pytest.mark.usefixtures("both_exported")
def test_secrets_ledger_links_and_rate_limits_are_kept_apart(system: LocalSystem) -> None:
    kinds = [sorted(item["pk"].split("#")[1] for item in ledger_of(system, name)) for name in (A, B)]
    others = [item for item in system.ledger() if item["pk"].split("#")[0] not in {A, B}]
    names = {s["Name"] for s in system.aws.secretsmanager.list_secrets()["SecretList"]}

    assert kinds[0] == kinds[1]
    assert set(kinds[0]) >= {"invoice", "link-customer", "pacer"}
    assert {item["pk"].split("#")[0] for item in others} == {"(deployment)", "(organisation)"}
    claims = Counter(item["claimed_by"] for item in others if "claimed_by" in item)
    assert claims == {A: 2, B: 2}, "each its own organisation and its own subsidiary"
    assert names >= {
        f"solvimon-rillet/{name}/{vendor}" for name in (A, B) for vendor in ("solvimon", "rillet")
    }


def test_a_link_that_one_remembers_is_not_used_by_the_other(
    system: LocalSystem, a: Connection, b: Connection
) -> None:
    """The same Solvimon customer, linked to another Rillet customer in each."""
    finalise(system, a)
    system.settle()
    customer = solvimon_invoice(b)["customer_id"]
    moved = b.organisation.customers.documents()[-1]["id"]
    for field in b.platform.records["customers"][customer]["custom_fields"]:
        field["value"] = moved if field["reference"] == "rillet_customer_id" else field["value"]

    finalise(system, b)
    system.settle()

    assert rillet_invoice(b, FIRST)["customer_id"] == moved
    assert rillet_invoice(a, FIRST)["customer_id"] != moved


def break_key(system: LocalSystem, one: Connection) -> None:
    system.rillet.state.revoke(one.rillet_api_key)


def break_settings(system: LocalSystem, one: Connection) -> None:
    system.put_settings(one.name, "{")


def use_up_the_rate_limit(system: LocalSystem, one: Connection) -> None:
    headers = {"Authorization": f"Bearer {one.rillet_api_key}", "X-Rillet-API-Version": "4"}
    for _ in range(60):
        requests.get(f"{system.rillet.url}/subsidiaries", headers=headers, timeout=5)


@pytest.mark.parametrize("trouble", [break_key, break_settings, use_up_the_rate_limit])
def test_trouble_of_one_does_not_delay_the_other(
    system: LocalSystem,
    a: Connection,
    b: Connection,
    trouble: Any,  # noqa: ANN401 - one of the functions
) -> None:
    for one, invoice_id in ((a, FIRST), (b, FIRST), (a, SECOND)):
        finalise(system, one, invoice_id)
    trouble(system, a)

    system.settle()

    assert len(rillet_invoices(b)) == 1
    assert rillet_invoices(a) == []
    assert waiting(system).total == 2
    assert dead_letters(system) == []


@pytest.mark.usefixtures("both_exported")
def test_the_rate_limit_of_one_is_not_that_of_the_other(system: LocalSystem) -> None:
    organisations = [f"org-{name}" for name in (A, B)]
    windows = {
        one: system.ledger_item(f"(organisation)#{one}#pacer#turns", "RECORD") or {} for one in organisations
    }
    calls = Counter(call.organisation_id for call in system.rillet.state.calls)

    assert {one: len(window.get("live", ())) for one, window in windows.items()} == calls


BACKLOG = 500


def copies(system: LocalSystem, one: Connection, count: int) -> list[str]:
    """So many finalised invoices, all like the first one, with their messages on the queue."""
    template = one.platform.records["invoices"][FIRST]
    template.pop("reference", None)
    made = [
        {**template, "id": f"invo_copy{n}", "invoice_number": f"C-{n}", "status": "FINAL"}
        for n in range(count)
    ]
    one.platform.load({"invoices": made})
    ids = [str(invoice["id"]) for invoice in made]
    url = system.deployment.queues["export_invoice"].url
    for first in range(0, count, 10):
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(n), "MessageBody": json.dumps(bus_event(id_, one.name))}
            for n, id_ in enumerate(ids[first : first + 10])
        ]
        system.aws.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    return ids


class Observed:
    """What a worker was given, as Lambda saw it."""

    def __init__(self, system: LocalSystem) -> None:
        self.received: Counter[tuple[str, str]] = Counter()
        self.most_receives = 0
        self.done = threading.Event()
        self._invoke = system.runtime.invoke
        self._lock = threading.Lock()

    def __call__(self, workflow: str, event: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        for message in event.get("Records", []):
            detail = json.loads(message["body"])["detail"]
            with self._lock:
                self.received[(detail["connection"], detail["id"])] += 1
                receives = int(message["attributes"]["ApproximateReceiveCount"])
                self.most_receives = max(self.most_receives, receives)
        answer = self._invoke(workflow, event)
        if any(f'"connection": "{B}"' in message["body"] for message in event.get("Records", [])):
            self.done.set()
        return answer


@pytest.fixture
def observed(system: LocalSystem, monkeypatch: pytest.MonkeyPatch) -> Iterator[Observed]:
    """Watches the workers."""
    watching = Observed(system)
    monkeypatch.setattr(system.runtime, "invoke", watching)
    yield watching
    system.stop_workers()


def test_a_backlog_of_500_of_one_does_not_delay_the_single_invoice_of_the_other(
    system: LocalSystem, a: Connection, b: Connection, observed: Observed
) -> None:
    """Under Rillet's own limit; the other waits for a look at each of the 500, never for the limit."""
    backlog = copies(system, a, BACKLOG)
    finalise(system, b)

    system.start_workers()
    assert observed.done.wait(100)
    system.stop_workers()

    in_rillet = len(rillet_invoices(a))
    finished = sum(item.get("state") == "exported" for item in ledger_of(system, A))
    assert len(rillet_invoices(b, FIRST)) == 1
    assert observed.received[(B, FIRST)] == 1
    assert max(observed.received.values()) == 1
    assert 0 < in_rillet <= 60
    # The last one may wait for its second call, which marks it as sent; on a slow machine some more do.
    assert in_rillet - finished <= 3
    assert waiting(system).total == BACKLOG - finished
    assert observed.most_receives == 1
    assert dead_letters(system) == []
    assert a.organisation.counts.refused == 0
    assert len(backlog) == BACKLOG


def test_messages_that_are_handed_back_for_the_rate_limit_are_never_counted_as_failures(
    system: LocalSystem, a: Connection, observed: Observed
) -> None:
    """Also after more of them than would lead to the dead-letter queue."""
    limit = {"pacing": {"requests": 2, "window_seconds": 60}}
    system.put_settings(A, {**a.settings, "rillet": {**a.settings["rillet"], **limit}})
    system.rillet.state.rate_limit = 2
    backlog = copies(system, a, 14)

    until(system, lambda: waiting(system).total == 0, step=10, most=3600)

    assert max(observed.received.values()) > 5
    assert observed.most_receives == 1
    assert [len(rillet_invoices(a, id_)) for id_ in backlog] == [1] * len(backlog)
    assert a.organisation.counts.refused == 0
    assert dead_letters(system) == []


def test_another_client_of_the_organisation_delays_exports_and_fails_none(
    system: LocalSystem, a: Connection, observed: Observed
) -> None:
    """A 429 that comes all the same blocks the connection past its window, and is no failure."""
    use_up_the_rate_limit(system, a)
    backlog = copies(system, a, 3)
    system.settle()
    at_first = a.organisation.counts.refused, waiting(system).total

    until(system, lambda: waiting(system).total == 0, step=61, most=600)

    assert at_first == (1, 3)
    assert a.organisation.counts.refused == 1
    assert observed.most_receives == 1
    assert [len(rillet_invoices(a, id_)) for id_ in backlog] == [1] * 3
