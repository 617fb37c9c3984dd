"""The runbook: every alarm has a section, and every command does on the local system what the page says."""

import json
import re

import pytest

from local.aws.template import translate
from local.system import ROOT, Connection, LocalSystem
from tests.docs.aws_cli import Json, commands, for_stack, run, written_files
from tests.docs.markdown import anchor
from tests.infrastructure.arrange import raising
from tests.infrastructure.views import Template
from tests.integration.sync_status.support import finalised, relinked, some, states, unlinked
from tests.support.arrange import finalise, until
from tests.support.assertions import dead_letters, record, rillet_invoices
from tests.support.builders import FIRST

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]}
EARLIER = SECTIONS.pop("Alarms of earlier versions")
PARTS = ["What it means.", "How to look.", "How to fix.", "How to know that it is over."]
OPERATE = SECTIONS.pop("Operate")


@pytest.fixture(scope="module")
def alarms() -> dict[str, Json]:
    """The alarms of the template."""
    return Template(translate(ROOT / "template.yaml", {})).alarms


def do(system: LocalSystem, connection: Connection, section: str, *words: str) -> list[Json]:
    """Run the commands of a section that contain some words, and return their answers."""
    found = commands(*for_stack(system, SECTIONS[section], FIRST))
    chosen = [each for each in found if all(word in each.text for word in words)]
    assert chosen, f"no such command in {section}: {words}"
    return [run(system, each, written_files(system, connection)) for each in chosen]


def test_every_alarm_is_in_the_section_that_its_description_points_to(alarms: dict[str, Json]) -> None:
    listed: dict[str, str] = {}
    for title, section in SECTIONS.items():
        found = re.search(r"^Alarms?: (.+?)\n\n", section, flags=re.DOTALL | re.MULTILINE)
        assert found, title
        listed |= dict.fromkeys(re.findall(r"`(\w+Alarm)`", found[1]), anchor(title))

    pointers = {
        name: alarm["AlarmDescription"]["Fn::Sub"].rpartition(" Runbook: ${RunbookUrl}#")[2]
        for name, alarm in alarms.items()
    }

    assert pointers == listed
    assert all(len(alarm["AlarmDescription"]["Fn::Sub"]) <= 924 for alarm in alarms.values()), (
        "CloudFormation's limit"
    )


def test_every_alarm_of_earlier_versions_has_an_alarm_today(alarms: dict[str, Json]) -> None:
    rows = [row.split(" | ") for row in re.findall(r"^\| (`.+) \|$", EARLIER, flags=re.MULTILINE)]
    earlier = {now: set(re.findall(r"`(\w+)`", before)) for before, now in rows}
    unchanged = earlier.pop("unchanged")
    merged = {now.strip("`"): before for now, before in earlier.items()}

    assert merged.keys() | unchanged <= alarms.keys()
    assert not alarms.keys() & set().union(*merged.values())
    assert sum(map(len, merged.values())) + len(unchanged) == 50


def test_every_section_on_several_functions_names_the_chart_that_says_which(alarms: dict[str, Json]) -> None:
    sections = {anchor(title): " ".join(section.split()) for title, section in SECTIONS.items()}

    for name, alarm in alarms.items():
        description = alarm["AlarmDescription"]["Fn::Sub"]
        section = sections[description.rpartition("#")[2]]
        for chart in re.findall(r'chart "(.+?)"', " ".join(description.split())):
            assert f'chart "{chart}"' in section, name


@pytest.mark.parametrize("title", SECTIONS)
def test_every_section_says_what_it_means_how_to_look_how_to_fix_and_when_it_is_over(title: str) -> None:
    assert re.findall(r"^\*\*(.+?)\*\*", SECTIONS[title], flags=re.MULTILINE) == PARTS


def test_every_log_filter_looks_for_something_that_is_logged() -> None:
    code = [*(ROOT / "layers/mapping").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in code)
    fields = dict[str, set[str]]()
    for name, value in re.findall(r'\$\.(\w+) = "([\w *]+)"', PAGE):
        fields.setdefault(name, set()).add(value)

    assert fields.pop("status") == {"5*"}
    assert fields.pop("level") == {"ERROR"}
    assert fields.pop("outcome") == {"rejected"}
    assert fields.pop("why") == {"ConnectionBroken"}
    assert fields.keys() == {"message"}
    for message in fields["message"]:
        assert f'"{message}"' in source, message


def test_a_broken_connection_is_seen_and_fixed_by_the_pages_commands(
    system: LocalSystem, default: Connection
) -> None:
    system.put_secret("default", "solvimon", {"api_key": "revoked"})
    system.runtime.reset()
    finalise(system, default)
    system.settle()

    [before] = do(system, default, "Connection broken", "connect-rillet", "status")
    do(system, default, "Connection broken", "put-secret-value", "solvimon")
    until(system, lambda: bool(rillet_invoices(default, FIRST)), most=1900)
    [after] = do(system, default, "Connection broken", "connect-rillet", "status")

    assert "revoked" not in json.dumps(before)
    assert before != after
    assert record(system, FIRST)["state"] == "exported"


def test_rejected_invoices_are_seen_fixed_and_over_by_the_pages_commands(
    system: LocalSystem, default: Connection
) -> None:
    taken = unlinked(default)
    rejected = finalised(system, default, *some(1))

    [seen] = do(system, default, "Document rejected", "sync-status", '{"connection": "default"}')
    relinked(default, taken)
    [counted, queued] = do(system, default, "Document rejected", "export-invoice", "product_not_linked")
    system.settle()
    [over] = do(system, default, "Document rejected", "sync-status", '{"connection": "default"}')

    assert [(group["code"], group["documents"]) for group in seen["failures"]] == [("product_not_linked", 1)]
    assert (counted["dry_run"], queued["dry_run"]) == (True, False)
    assert over["failures"] == []
    assert states(system, rejected) == {"exported"}


def test_a_dead_letter_is_seen_moved_back_and_booked_by_the_pages_commands(
    system: LocalSystem, default: Connection
) -> None:
    queue = system.deployment.queues["export_invoice"]
    default.platform.finalise(FIRST)
    detail = {"connection": "default", "id": FIRST}
    body = json.dumps({"source": "solvimon", "detail-type": "Invoice Finalised", "detail": detail})
    system.aws.sqs.send_message(QueueUrl=queue.dead_letters_url, MessageBody=body)

    [seen] = do(system, default, "Dead letters", "get-queue-attributes")
    do(system, default, "Dead letters", "start-message-move-task")
    [over] = do(system, default, "Dead letters", "get-queue-attributes")
    system.deliver()

    assert seen["Attributes"]["ApproximateNumberOfMessages"] == "1"
    assert over["Attributes"]["ApproximateNumberOfMessages"] == "0"
    assert dead_letters(system) == []
    assert len(rillet_invoices(default, FIRST)) == 1


def test_invalid_settings_are_seen_and_fixed_by_the_pages_commands(
    system: LocalSystem, default: Connection
) -> None:
    system.put_settings("default", {**default.settings, "invoice_scope": "EVERYTHING"})
    system.runtime.reset()

    [before] = do(system, default, "Settings invalid", "status")
    [shown] = do(system, default, "Settings invalid", "get-parameter ")
    do(system, default, "Settings invalid", "put-parameter")
    system.runtime.reset()
    [after] = do(system, default, "Settings invalid", "status")

    assert "invoice_scope" in json.dumps(before)
    assert "EVERYTHING" in shown["Parameter"]["Value"]
    assert "invoice_scope" not in json.dumps(after)


def test_an_execution_that_failed_is_seen_and_its_event_read_by_the_pages_commands(
    system: LocalSystem, default: Connection
) -> None:
    system.runtime.replace("import_customers", lambda environment, clock: raising(ValueError("no")))
    system.runtime.start("import_customers", {"dry_run": True}).result.exception()

    [listed] = do(system, default, "Execution failed", "list-durable-executions-by-function")
    [letters] = do(system, default, "Dead letters", "receive-message", "execution-dead-letters")
    do(system, default, "Dead letters", "purge-queue")
    system.runtime.reset()
    [again] = do(system, default, "Execution failed", "invoke", "import-customers")

    [execution], [message] = listed["DurableExecutions"], letters["Messages"]
    assert execution["Status"] == "FAILED"
    assert json.loads(message["Body"]) == {"dry_run": True}
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "ValueError: no"
    assert "created" in again["summary"]
