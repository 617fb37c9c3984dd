"""`make contracts` as a program, and a short part of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import sample_data
from local.fake_solvimon import FakeSolvimon
from local.system import LocalSystem
from tests.contract import __main__ as command
from tests.contract import payloads
from tests.contract.checker import Violation
from tests.contract.documents import MISSING, MISSING_REASON, SOURCES
from tests.contract.exceptions import EXCEPTIONS, Excused
from tests.contract.report import Report, checked_traffic
from tests.contract.scenarios import WORKFLOW_SCENARIOS
from tests.contract.sdk import INSTALLED, sdk, unreadable, use
from tests.contract.suites import uncalled_methods

ROOT = Path(__file__).parents[2]
needs_documents = pytest.mark.skipif(MISSING, reason=MISSING_REASON)
KEY = "a-key"


def test_without_the_documents_it_says_where_they_come_from_and_ends_with_2(tmp_path: Path) -> None:
    environment = {**os.environ, "CONTRACTS_DIR": str(tmp_path), "PYTHONPATH": "layers/mapping"}

    run = subprocess.run(
        [sys.executable, "-m", "tests.contract"], cwd=ROOT, env=environment, capture_output=True, text=True
    )

    assert run.returncode == 2
    assert run.stdout == ""
    for name, source in SOURCES.items():
        assert f"{name}  from {source}" in run.stderr
    assert str(tmp_path) in run.stderr


@needs_documents
def test_a_violation_is_listed_with_its_operation_field_and_reason_and_ends_it_with_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = Report([])
    report.payload("rillet", "PUT", "/customers/0198c1d2-0000-4000-8000-000000000001", {"colour": "red"})

    code = command.print_report(report, [])

    lines = capsys.readouterr().out.splitlines()
    operation = "VIOLATION rillet PUT /customers/{customer_id} (request)"
    assert code == 1
    assert lines[:2] == [
        f"{operation} $.colour: unknown field, not in the schema",
        f"{operation} $.name: missing field, required by the schema",
    ]
    assert lines[2].startswith("CONTRACTS ")
    assert json.loads(lines[2].removeprefix("CONTRACTS ")) == {
        "operations": 0,
        "requests": 1,
        "responses": 0,
        "violations": 2,
        "exceptions": [],
    }


def test_an_exception_that_nothing_needs_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    needless = Excused("needless", source="nobody", vendor="rillet", kind="unknown field", field=r"\$\.x")

    code = command.print_report(Report([needless]), [])

    assert code == 1
    assert "VIOLATION exception that nothing needs: needless" in capsys.readouterr().out


def test_nothing_found_ends_it_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.print_report(Report([]), []) == 0
    assert '"violations": 0' in capsys.readouterr().out


def test_an_exception_covers_its_own_case_and_no_other() -> None:
    [number] = [each for each in EXCEPTIONS if "invoice_number" in each.name]
    found = Violation("rillet", "POST /invoices", "request", 0, "$.invoice_number", "unknown field", "")

    assert number.covers(found)
    for other in (
        {"field": "$.items[0].invoice_number"},
        {"kind": "missing field"},
        {"operation": "POST /credit-memos"},
        {"side": "answer"},
        {"vendor": "solvimon"},
    ):
        assert not number.covers(Violation(**{**found.__dict__, **other}))


def test_every_exception_has_a_name_of_its_own_and_a_source() -> None:
    assert len({each.name for each in EXCEPTIONS}) == len(EXCEPTIONS)
    assert all(each.source for each in EXCEPTIONS)


@needs_documents
def test_random_documents_fit_in_every_scope_and_setting() -> None:
    report = Report()

    payloads.random_documents(report, 10)

    assert report.violations == []
    assert report.requests >= 100


@needs_documents
@pytest.mark.parametrize(
    "name",
    [
        "exports that need a second look",
        "payments recorded one by one",
        "documents booked by hand",
        "OAuth, status and disconnecting",
    ],
)
def test_what_a_workflow_sends_and_the_fakes_answer_fits_the_documents(
    system: LocalSystem, name: str
) -> None:
    with checked_traffic(system) as report:
        WORKFLOW_SCENARIOS[name](system)
    report.webhooks(system)

    assert report.violations == []
    assert report.responses > 10


IMPORT_WRITES = {
    *("POST /customers", "PATCH /customers/{resourceIdOrReference}"),
    *("POST /products", "PATCH /products/{resourceIdOrReference}"),
    "POST /products/{resourceIdOrReference}/archive",
    "POST /products/{resourceIdOrReference}/activate",
    *("POST /product-categories", "POST /products/search"),
    *("POST /billing-entities", "PATCH /billing-entities/{resourceIdOrReference}"),
    "POST /custom-fields",
}


@needs_documents
def test_every_request_of_an_import_fits_the_vendors_documents(system: LocalSystem) -> None:
    with checked_traffic(system) as report:
        WORKFLOW_SCENARIOS["imports"](system)

    assert report.violations == []
    asked = {name.removeprefix("solvimon ") for name in report.operations if name.startswith("solvimon")}
    assert {name for name in asked if not name.startswith("GET")} == IMPORT_WRITES


@needs_documents
@pytest.mark.skipif(not INSTALLED, reason="solvimon-python-sdk is not installed")
def test_solvimons_own_sdk_works_with_the_fake_and_reads_all_bodies() -> None:
    report = Report()

    with FakeSolvimon() as fake:
        fake.state.add_platform(KEY, sample_data.solvimon_seed())
        with sdk(fake.origin, KEY) as loaded:
            with report.recording(fake.recorder):
                use(loaded, fake, KEY)
            unread = unreadable(loaded, report.bodies)
            planted = unreadable(loaded, {"CustomerCreateRequest": [b'{"type": "PERSON"}']})

    assert report.violations == []
    assert unread == []
    assert report.bodies.keys() >= {"Invoice", "CustomerCreateRequest", "PaymentCreateRequest"}
    assert len(planted) == 1


def test_a_method_of_a_client_that_was_not_called_is_reported() -> None:
    class Client:
        def read(self) -> str:
            return "read"

        def write(self) -> str:
            return "written"

    with uncalled_methods(Client) as uncalled:
        answer = Client().read()

    assert answer == "read"
    assert uncalled == {"Client.write"}
    assert Client.read.__qualname__.endswith("Client.read")
