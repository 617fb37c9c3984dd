"""The dashboard: the code counts each metric that it shows, and its references are the template's."""

import json
import re
from collections.abc import Iterator

import boto3
import pytest

from local.system import ROOT, LocalSystem
from tests.infrastructure.views import Json, Template

OWN_METRICS = "SolvimonRillet/${AWS::StackName}"
QUESTIONS = [
    "Is everything connected?",
    "Is anything stuck?",
    "What was rejected, and why?",
    "How much of Rillet's request budget is used?",
    "How long from finalised to booked?",
    "Is last night tied out?",
]
SHOWN = {
    "ConnectionBroken",
    "SettingsInvalid",
    "WaitingSeconds",
    "SweepFailed",
    "DocumentsRejected",
    "DocumentsDiffer",
    "RowsFailed",
    "RilletCalls",
    "RateLimited",
    "BookedAfterSeconds",
    "ReconciliationTiedOut",
    "ReconciliationDifferences",
    "ReconciliationFailed",
}
SEARCH = re.compile(r"SEARCH\('\{(.+),service,connection\} MetricName=\"(\w+)\"', '\w+', \d+\)")
LAMBDA_SEARCH = re.compile(
    r"SEARCH\('\{AWS/Lambda,FunctionName\} MetricName=(\S+|\(.+?\)) FunctionName=\((.+)\)', 'Sum', 300\)"
)
QUERY = re.compile(r'SELECT SUM\((\w+)\) FROM SCHEMA\("(.+)", connection, service\) GROUP BY connection')


@pytest.fixture(scope="module")
def body(template: Template) -> Json:
    """The dashboard's body, with the template's references as they are."""
    [dashboard] = template.of_type("AWS::CloudWatch::Dashboard").values()
    text, parts = dashboard["DashboardBody"]["Fn::Sub"]
    for name, part in parts.items():
        text = text.replace(f"${{{name}}}", part if isinstance(part, str) else part["Fn::Sub"])
    parsed: Json = json.loads(text)
    return parsed


def metrics(body: Json) -> Iterator[list[object]]:
    """Yield every line of every chart."""
    for widget in body["widgets"]:
        yield from widget["properties"].get("metrics", ())


def of_functions(body: Json) -> dict[str, set[str]]:
    """Return the logical ids of the functions of which a chart shows a metric of AWS/Lambda, by metric."""
    shown = {}
    for line in metrics(body):
        if isinstance(line[0], dict) and (found := LAMBDA_SEARCH.fullmatch(line[0]["expression"])):
            for metric in re.findall(r"\w+", found[1].replace(" OR ", " ")):
                shown[metric] = set(re.findall(r'"\$\{(\w+)\}"', found[2]))
    return shown


def counted() -> set[str]:
    """Return the metrics that the code counts."""
    files = [*(ROOT / "layers/mapping").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    outcomes = re.search(r"^_METRICS = \{(.+?)^\}", source, flags=re.DOTALL | re.MULTILINE)
    assert outcomes
    return set(re.findall(r'count\(\s*"(\w+)"', source)) | set(re.findall(r': "(\w+)"', outcomes[1]))


def test_it_answers_the_operators_questions_in_their_order(body: Json) -> None:
    texts = [widget["properties"]["markdown"] for widget in body["widgets"] if widget["type"] == "text"]

    titles = [text.splitlines()[0] for text in texts]

    assert titles == [f"## {number}. {question}" for number, question in enumerate(QUESTIONS, 1)]


def test_every_metric_of_ours_is_counted_by_the_code_and_shown_by_connection(body: Json) -> None:
    shown = set()
    for line in metrics(body):
        if isinstance(line[0], dict):
            expression = line[0]["expression"]
            if LAMBDA_SEARCH.fullmatch(expression):
                continue
            found, query = SEARCH.fullmatch(expression), QUERY.fullmatch(expression)
            namespace, name = found.groups() if found else (query[2], query[1]) if query else ("", "")
            assert namespace == OWN_METRICS, expression
            assert line[0]["label"].endswith(("${!PROP('Dim.connection')}", "(${!PROP('Dim.service')})"))
            shown.add(name)

    assert shown == SHOWN
    assert shown <= counted()


def test_every_metric_of_aws_is_of_a_queue_of_the_template(template: Template, body: Json) -> None:
    of_aws = [line for line in metrics(body) if not isinstance(line[0], dict)]

    waits = {line[3] for line in of_aws if line[1] == "ApproximateAgeOfOldestMessage"}
    dead = {line[3] for line in of_aws if line[1] == "ApproximateNumberOfMessagesVisible"}

    assert {(line[0], line[2]) for line in of_aws} == {("AWS/SQS", "QueueName")}
    assert waits == {f"${{{consumer.queue_id}.QueueName}}" for consumer in template.consumers}
    assert dead == {f"${{{name}.QueueName}}" for name in template.dead_letter_queues}
    assert len(of_aws) == len(waits) + len(dead)


def test_it_says_which_function_failed_and_whose_execution(template: Template, body: Json) -> None:
    assert of_functions(body) == {
        # The panel by its name: a reference would fail where a parameter leaves it out.
        "Errors": set(template.functions) - {"PanelPages"},
        "DurableExecutionFailed": set(template.durable),
        "DurableExecutionTimedOut": set(template.durable),
    }
    for line in metrics(body):
        if isinstance(line[0], dict) and "AWS/Lambda" in line[0]["expression"]:
            assert line[0]["label"].endswith("${!PROP('Dim.FunctionName')}")


def test_every_chart_that_an_alarm_refers_to_is_there(template: Template, body: Json) -> None:
    titles = [widget["properties"]["title"] for widget in body["widgets"] if widget["type"] == "metric"]
    texts = [" ".join(alarm["AlarmDescription"]["Fn::Sub"].split()) for alarm in template.alarms.values()]

    referred = {name for text in texts for name in re.findall(r'dashboard\'s chart "(.+?)"', text)}

    assert len(referred) >= 6
    for name in referred:
        assert any(title.startswith(name) for title in titles), name


def test_the_list_of_rejected_documents_asks_the_log_of_every_export(template: Template, body: Json) -> None:
    [log] = [widget["properties"]["query"] for widget in body["widgets"] if widget["type"] == "log"]
    groups = set(re.findall(r"SOURCE '\$\{(\w+)\}'", log))
    queue_processor = (ROOT / "layers/mapping/solvimon_rillet/entrypoints/queue_processor.py").read_text(
        encoding="utf-8"
    )

    assert groups == {
        consumer.function["LoggingConfig"]["LogGroup"]["Ref"]
        for consumer in template.consumers
        if consumer.function_id != "Sweep"  # it publishes documents and books none
    }
    assert groups <= template.of_type("AWS::Logs::LogGroup").keys()
    for word in ("document done", "connection", "document", "outcome", "code", "cause"):
        assert f'"{word}"' in queue_processor, "the query looks for what is logged"
        assert word in log


def test_no_two_charts_overlap(body: Json) -> None:
    cells = [
        (x, y)
        for widget in body["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_it_is_deployed_with_every_reference_resolved_and_its_address_is_an_output(
    system: LocalSystem,
) -> None:
    name = system.deployment.resources["Dashboard"]
    deployed = boto3.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]

    assert json.loads(deployed)["widgets"]
    left = set(re.findall(r"\$\{(.+?)\}", deployed))
    assert {each.lstrip("!") for each in left} == {
        *("PROP('Dim.connection')", "PROP('Dim.service')", "PROP('Dim.FunctionName')", "PROP('MetricName')")
    }
    assert system.deployment.outputs["DashboardUrl"].endswith(f"#dashboards/dashboard/{name}")
