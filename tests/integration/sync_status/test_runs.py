"""`sync_status {"runs": true}` lists imports and reconciliations with the results that nobody waits for."""

import json
from typing import Any

import pytest

from local.aws.durable import ExecutionFailedError
from local.aws.template import translate
from local.system import ROOT, LocalSystem
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.ledger.record_size import size_of
from solvimon_rillet.ledger.run_log import RunLog
from solvimon_rillet.workflows.imports.steps import ImportSteps
from solvimon_rillet.workflows.status.runs import EXECUTION_SECONDS
from tests.integration.imports.support import connect, customers
from tests.support.arrange import HOUR, connect_demo, ledger_table, patched

Json = dict[str, Any]


def runs(system: LocalSystem, **request: object) -> Json:
    answer: Json = system.invoke("sync_status", {"runs": True, **request})
    return answer


def crash(*_: object, **__: object) -> None:
    raise ZeroDivisionError("secret-of-a-vendor")


def unreachable(*_: object, **__: object) -> None:
    raise RetryLater("The ledger does not answer.")


def test_a_finished_import_is_listed_with_its_result(system: LocalSystem) -> None:
    connect(system, customers=customers(3))
    answer = system.invoke("import_customers", {"dry_run": True})

    listed = runs(system)

    [run] = listed["finished"]
    assert (run["kind"], run["connection"], run["state"]) == ("import_customers", "default", "completed")
    assert run["request"] == {"dry_run": True}
    assert run["result"] == answer
    assert run["started"] <= run["ended"]
    assert run["execution"] in run["every_detail"]
    assert (listed["under_way"], listed["without_end"]) == ([], [])


def test_an_import_under_way_shows_its_rows_so_far(system: LocalSystem) -> None:
    connect(system, customers=customers(250))
    seen: list[Json] = []
    page = ImportSteps.page

    def look_then_page(*arguments: Any) -> Any:  # noqa: ANN401
        seen.append(runs(system))
        return page(*arguments)

    with patched(ImportSteps, "page", look_then_page):
        system.invoke("import_customers", {"dry_run": True})

    [run] = seen[-1]["under_way"]
    assert (run["state"], run["progress"]["step"]) == ("running", "page 2")
    assert run["progress"]["rows"] == {"created": 200}
    assert run["result"] is None
    assert runs(system)["under_way"] == []


def test_what_a_run_waits_for_is_named(system: LocalSystem) -> None:
    connect(system, customers=customers(3))
    system.rillet.state.misbehave("status", "GET", "/customers", 2, status=503)
    seen: list[Json] = []
    write = RunLog.record_progress

    def note(log: RunLog, run: Json, progress: Json) -> Json:
        seen.append(progress)
        return write(log, run, progress)

    with patched(RunLog, "record_progress", note):
        system.invoke("import_customers", {})

    assert any("waits_for" in progress for progress in seen)


def test_an_import_that_stopped_shows_the_error_and_the_remedy(system: LocalSystem) -> None:
    connect(system, settings={"workflows": {"import_customers": False}})
    system.invoke("import_customers", {})

    [run] = runs(system)["finished"]

    assert run["state"] == "stopped"
    assert run["result"]["error"]
    assert run["result"]["remedy"]


def test_a_request_that_is_refused_is_listed_too(system: LocalSystem) -> None:
    connect(system)
    system.invoke("import_customers", {"dry_rum": True})

    [run] = runs(system)["finished"]

    assert run["request"] == {"dry_rum": True}
    assert "dry_rum" in run["result"]["error"]


def test_a_run_that_crashed_says_so(system: LocalSystem) -> None:
    connect(system, customers=customers(3))
    with patched(ImportSteps, "page", crash), pytest.raises(ExecutionFailedError):
        system.invoke("import_customers", {})

    [run] = runs(system)["finished"]

    assert run["state"] == "failed"
    assert "unexpected error" in run["result"]["error"]
    assert "start it again" in run["result"]["remedy"]
    assert "secret-of-a-vendor" not in json.dumps(run), "the text is in the log, which never has a secret"


@pytest.mark.parametrize(
    ("later", "where", "words"),
    [
        (600, "under_way", "It is under way."),
        (2 * HOUR, "under_way", "may have crashed"),
        (EXECUTION_SECONDS + 60, "without_end", "Start it again."),
    ],
)
def test_a_run_without_an_end_after_its_maximum_time_says_so(
    system: LocalSystem, later: int, where: str, words: str
) -> None:
    connect(system, customers=customers(3))
    with patched(RunLog, "end", unreachable):
        system.invoke("import_customers", {})
    system.advance(later)

    [run] = runs(system)[where]

    assert words in run["in_words"]
    assert run["result"] is None


def test_the_maximum_time_is_the_templates() -> None:
    resources = translate(ROOT / "template.yaml", {})["Resources"].values()
    limits = {
        resource["Properties"]["DurableConfig"]["ExecutionTimeout"]
        for resource in resources
        if "DurableConfig" in resource["Properties"]
    }

    assert limits == {EXECUTION_SECONDS}


def test_runs_of_a_connection_are_its_own_and_those_of_all_connections(system: LocalSystem) -> None:
    for name in ("default", "acme"):
        connect_demo(system, name)
    system.invoke("import_subsidiaries", {"connection": "acme", "dry_run": True})
    system.invoke("import_subsidiaries", {"dry_run": True})
    system.invoke("reconcile", {"redrive": False})
    system.lambda_api.wait()  # for the execution of each connection

    def listed(**request: object) -> list[tuple[str, str]]:
        return sorted((run["kind"], run["connection"]) for run in runs(system, **request)["finished"])

    every, acme, default = (
        ("reconcile", "all"),
        ("import_subsidiaries", "acme"),
        ("import_subsidiaries", "default"),
    )
    own = {name: ("reconcile", name) for name in ("acme", "default")}
    assert listed() == sorted([every, acme, default, *own.values()])
    assert listed(connection="acme") == sorted([every, acme, own["acme"]])
    assert listed(connection="default") == sorted([every, default, own["default"]])


def test_an_import_goes_on_when_its_record_cannot_be_written(system: LocalSystem) -> None:
    connect(system, customers=customers(3))

    with patched(RunLog, "_write", unreachable):
        answer = system.invoke("import_customers", {"dry_run": True})

    assert answer["complete"]
    assert runs(system)["finished"] == []


def test_a_long_result_stays_below_64_kb_and_the_answer_below_6_mb(system: LocalSystem) -> None:
    connect(system)
    log = RunLog(ledger_table(system), system.clock.now)
    failures = [{"rillet_id": str(number), "what": "w" * 5_000} for number in range(100)]
    for number in range(30):
        run = log.begin("default", "import_customers", f"arn-{number}", {"text": "r" * 50_000})
        ended = log.end(
            run, "completed", {"summary": "seen 100", "failures": failures, "notes": ["n" * 9_000]}
        )

    answer = runs(system)

    assert size_of(ended) < 64 * 1024
    assert len(json.dumps(answer)) < 6 * 1024 * 1024
    assert len(answer["finished"]) == 20
    assert answer["finished"][0]["result"]["summary"] == "seen 100"
    assert answer["finished"][0]["result"]["failures"][-1].endswith("more")
