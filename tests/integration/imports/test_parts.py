"""The parts below the imports: batches of the ledger, and what Solvimon's answers mean."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from local.system import LocalSystem
from solvimon_rillet.aws import dynamodb
from solvimon_rillet.errors import NeedsAttention, OutcomeUnknown, RetryLater
from solvimon_rillet.http.client import Http
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.ledger.import_state import ImportAlreadyRunning, ImportedRow, ImportState
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.solvimon.rejections import AlreadyExists, NotFound
from tests.integration.imports.support import Json


class Partly:
    """A DynamoDB that does one record of a batch at a time, so many times."""

    def __init__(self, system: LocalSystem, times: int) -> None:
        self._client = system.aws.dynamodb
        self._left = times

    def batch_get_item(self, RequestItems: Json) -> Json:
        [(table, asked)] = RequestItems.items()
        now, rest = self._split(asked["Keys"])
        answer: Any = self._client.batch_get_item(RequestItems={table: {"Keys": now}})
        unprocessed = {"UnprocessedKeys": {table: {"Keys": rest}}} if rest else {}
        return {"Responses": answer["Responses"], **unprocessed}

    def batch_write_item(self, RequestItems: Json) -> Json:
        [(table, asked)] = RequestItems.items()
        now, rest = self._split(asked)
        self._client.batch_write_item(RequestItems={table: now})
        return {"UnprocessedItems": {table: rest} if rest else {}}

    def _split(self, items: list[Any]) -> tuple[list[Any], list[Any]]:
        if not self._left:
            return items, []
        self._left -= 1
        return items[:1], items[1:]


def table(system: LocalSystem, times: int = 0) -> dynamodb.Table:
    return dynamodb.Table(system.deployment.outputs["LedgerTableName"], Partly(system, times))  # type: ignore[arg-type]


RECORDS: dict[str, Json] = {f"key{number}": {"number": number} for number in range(3)}


@pytest.mark.parametrize("times", [0, 2])
def test_a_batch_that_dynamodb_does_in_parts_is_done_whole(system: LocalSystem, times: int) -> None:
    table(system, times).put_many(RECORDS)

    found = table(system, times).get_many([*RECORDS, "key0", "absent"])

    assert {key: item["number"] for key, item in found.items()} == {"key0": 0, "key1": 1, "key2": 2}


def test_nothing_to_read_is_no_request() -> None:
    assert dynamodb.Table("nowhere", None).get_many([]) == {}  # type: ignore[arg-type]


def ledger(system: LocalSystem, now: list[float]) -> ImportState:
    name = system.deployment.outputs["LedgerTableName"]
    return ImportState("default", "customer", dynamodb.Table(name, system.aws.dynamodb), lambda: now[0])


def test_a_row_is_remembered_with_its_link(system: LocalSystem) -> None:
    memory = ledger(system, [1000.0])
    known = ImportedRow("cust_1", "hash", "created", "run")

    memory.store_row("r1", known, {"rillet_id": "r1"}, 60)
    memory.store_row("r2", ImportedRow("", "hash", "skipped", "run"), None, 60)

    assert memory.imported_rows(["r1", "r2", "r3"]) == {
        "r1": known,
        "r2": ImportedRow("", "hash", "skipped", "run"),
    }
    link = system.ledger_item("default#link-customer#cust_1", "RECORD")
    assert link is not None
    assert (link["rillet_id"], int(link["expires_at"])) == ("r1", 1060)


def test_one_run_at_a_time_holds_the_lease_and_may_take_it_again(system: LocalSystem) -> None:
    now = [1000.0]
    memory = ledger(system, now)

    assert memory.acquire_lease("first", 60) == 1000
    now[0] = 1030.0
    with pytest.raises(ImportAlreadyRunning) as other:
        memory.acquire_lease("second", 60)

    assert (other.value.since, other.value.until) == (1000, 1060)
    assert memory.acquire_lease("first", 60, 1000) == 1000
    now[0] = 1090.0
    assert memory.acquire_lease("second", 60) == 1090


def test_a_lease_that_was_given_back_is_free_and_only_its_holder_gives_it_back(system: LocalSystem) -> None:
    memory = ledger(system, [1000.0])
    memory.acquire_lease("first", 60)

    memory.release_lease("second")
    with pytest.raises(ImportAlreadyRunning):
        memory.acquire_lease("second", 60)
    memory.release_lease("first")

    assert memory.acquire_lease("second", 60) == 1000


def client(answer: object) -> SolvimonClient:
    """A client each of whose requests gets an answer, or an exception."""
    request = Mock(side_effect=answer) if isinstance(answer, Exception) else Mock(return_value=answer)
    return SolvimonClient(Mock(spec=Http, get=request, post=request, patch=request))


def refused(status: int, code: str = "", **more: object) -> RequestRejected:
    return RequestRejected("Solvimon", status, {"code": code, "message": "words", **more})


@pytest.mark.parametrize(
    "answer",
    [
        refused(404),
        refused(404, "RESOURCE_NOT_FOUND"),
        refused(400, "RESOURCES_NOT_FOUND"),
        refused(400, "CUSTOMER_NOT_FOUND"),
    ],
)
def test_not_found_is_told_by_status_or_code(answer: RequestRejected) -> None:
    assert client(answer).find("customers", "x") is None
    with pytest.raises(NotFound):
        client(answer).update("customers", "x", {})


def test_something_else_that_is_missing_is_a_refusal() -> None:
    answer = refused(404, "RESOURCE_NOT_FOUND", field="category_id")

    with pytest.raises(NeedsAttention) as refusal:
        client(answer).create("products", {}, "key")
    assert "category_id, words" in refusal.value.message
    with pytest.raises(NeedsAttention):
        client(answer).find("products", "x")


@pytest.mark.parametrize("code", ["RESOURCE_ALREADY_EXISTS", "CUSTOM_FIELD_VALUE_ALREADY_EXISTS"])
@pytest.mark.parametrize("status", [400, 409])
def test_what_exists_already_is_told_by_its_code(code: str, status: int) -> None:
    with pytest.raises(AlreadyExists) as taken:
        client(refused(status, code, resource_id="cust_9")).create("customers", {}, "key")

    assert taken.value.resource_id == "cust_9"
    assert "cust_9" in taken.value.message


def test_an_answer_without_id_to_a_write_leaves_open_what_happened() -> None:
    with pytest.raises(OutcomeUnknown):
        client({"name": "no id"}).create("customers", {}, "key")


READS: list[tuple[Callable[[SolvimonClient], object], object]] = [
    (lambda solvimon: solvimon.find("customers", "x"), {"id": ""}),
    (lambda solvimon: solvimon.find("customers", "x"), []),
    (lambda solvimon: solvimon.find_all("customers"), {"rows": []}),
    (lambda solvimon: solvimon.find_all("customers"), {"data": [{"name": "no id"}]}),
]


@pytest.mark.parametrize(("read", "answer"), READS)
def test_an_answer_that_nobody_can_use_is_asked_for_again(
    read: Callable[[SolvimonClient], object], answer: object
) -> None:
    with pytest.raises(RetryLater):
        read(client(answer))


def test_a_list_that_is_refused_says_why() -> None:
    with pytest.raises(NeedsAttention) as refusal:
        client(refused(400, "INVALID_FIELD")).find_all("custom-fields")

    assert "INVALID_FIELD" in refusal.value.message
