"""Every route, every role, and every way in which a request can be wrong: nothing happens."""

import secrets
from typing import Any
from unittest.mock import Mock

import pytest
import requests
from botocore.exceptions import ClientError

from local.system import Connection, LocalSystem
from solvimon_rillet.entrypoints.services import create_aws_client
from solvimon_rillet.panel.documents import ID_NAMES
from solvimon_rillet.panel.page import Route
from solvimon_rillet.panel.pages import PAGES
from solvimon_rillet.panel.reports import Reports
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.sessions import IDLE_SECONDS
from tests.panel.visitor import CONNECTION, Visitor, invocations, kept, signed_in, state_of
from tests.support.builders import FIRST, Json

PARTS = {
    "<kind>": "invoice",
    "<document>": FIRST,
    "<plural>": "products",
    "<run>": "panel-x",
    "<file>": "report.html",
    "<period>": "2026-11-01_2026-11-30",
    "<moment>": "20261130T020000Z",
}
"""What stands in the addresses of the routes here."""
SENT = {
    "/configurations/review": {"restore": "1", "version": "1"},
    "/configurations/confirm": {"set": '{"mark_as_sent": false}', "version": "1"},
    "/needs-attention/link": {
        **{"kind": "product", "solvimon_id": "prod_x"},
        "rillet_id": "0198c1d2-0000-4000-8000-000000000001",
    },
    "/mappings/<plural>/rows": {"rows": '[{"act": "unlink", "kind": "product", "solvimon_id": "prod_x"}]'},
    "/needs-attention/retry": {"kind": "invoice", "code": "product_not_linked"},
    "/reconciliation/start": {"from": "2026-10-01", "to": "2026-10-31"},
    "/synchronise/backfill": {"kind": "invoice", "from": "2026-10-01", "to": "2026-10-31"},
    "/synchronise/dry-run": {"one": FIRST},
}
"""What forms hold, where they need more than the hidden fields."""
FILES = {"/mappings/<plural>/check": {"file": ("x.csv", b"act,kind,solvimon_id,rillet_id\nlink,x,y,z\n")}}
"""Files that forms hold."""
ROUTES = {f"{route.method} {route.path or '/'}": route for page in PAGES for route in page.routes}
POSTS = {name: route for name, route in ROUTES.items() if route.method == "POST"}


def address(route: Route) -> str:
    """An address of a route."""
    path = route.path
    for part, value in PARTS.items():
        path = path.replace(part, value)
    assert "<" not in path, f"add the part of {route.path} to PARTS"
    return f"{CONNECTION}{path}"


def fields(system: LocalSystem, **more: str) -> Json:
    """The hidden fields of a form of the newest session."""
    newest = max(kept(system, "session"), key=lambda item: item["begun"])
    return {"token": newest["token"], "action_id": secrets.token_urlsafe(16), **more}


def ask(visitor: Visitor, route: Route, sent: Json) -> requests.Response:
    """Open the address of a route, or send a form to it."""
    path = address(route)
    return visitor.get(path) if route.method == "GET" else visitor.post(path, sent)


def test_nobody_sees_or_does_anything_without_a_session(system: LocalSystem, default: Connection) -> None:
    before = (state_of(system), invocations(system))

    for name, route in ROUTES.items():
        assert ask(Visitor(system), route, {"token": "x"}).status_code == 401, name

    assert (state_of(system), invocations(system)) == before


def test_nobody_sees_or_does_anything_with_a_session_that_has_ended(
    system: LocalSystem, default: Connection
) -> None:
    visitor = signed_in(system, "admin")
    sent = [fields(system) for _ in ROUTES]
    system.advance(IDLE_SECONDS)
    before = (state_of(system), invocations(system))

    for name, form in zip(ROUTES, sent, strict=True):
        assert ask(visitor, ROUTES[name], form).status_code == 401, name

    assert (state_of(system), invocations(system)) == before


@pytest.mark.parametrize("role", list(Role))
def test_a_route_is_closed_to_the_roles_that_are_not_enough(
    system: LocalSystem, default: Connection, role: Role
) -> None:
    visitor = signed_in(system, role)
    closed = {name: route for name, route in ROUTES.items() if not role.allows(route.role)}
    before = (state_of(system), invocations(system))

    for name, route in closed.items():
        answer = ask(visitor, route, fields(system))
        assert answer.status_code == 403, name
        assert f"This needs the role {route.role}; yours is {role}." in answer.text

    assert bool(closed) == (role is not Role.ADMIN)
    assert (state_of(system), invocations(system)) == before


@pytest.mark.parametrize("role", list(Role))
def test_a_route_is_open_to_the_roles_that_are_enough(
    system: LocalSystem, default: Connection, role: Role
) -> None:
    visitor = signed_in(system, role)

    for name, route in ROUTES.items():
        if role.allows(route.role):
            answer = ask(visitor, route, fields(system))
            assert answer.status_code in ({200, 404} if route.method == "GET" else {303}), name


FORGERIES: dict[str, tuple[Json, dict[str, str]]] = {
    "without-token": ({"token": None}, {}),
    "with-another-token": ({"token": secrets.token_urlsafe(32)}, {}),
    "without-action-id": ({"action_id": None}, {}),
    "from-another-site": ({}, {"Sec_Fetch_Site": "cross-site"}),
    "from-a-subdomain": ({}, {"Sec_Fetch_Site": "same-site"}),
    "by-an-older-browser-from-another-site": ({}, {"Sec_Fetch_Site": "", "Origin": "https://evil.example"}),
    "with-a-contradicting-origin": ({}, {"Origin": "https://evil.example"}),
    "from-nowhere": ({}, {"Sec_Fetch_Site": "", "Origin": "null"}),
    "as-json": ({}, {"Content_Type": "text/plain"}),
}
"""What differs from the panel's own form: fields, of which none is sent that is `None`, and headers."""


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_form_that_the_panel_did_not_make_for_this_person_changes_nothing(
    system: LocalSystem, default: Connection, forgery: str
) -> None:
    visitor = signed_in(system, "admin")
    before = (state_of(system), invocations(system))
    forged, headers = FORGERIES[forgery]

    for name, route in POSTS.items():
        answer = visitor.post(address(route), {**fields(system), **forged}, None, **headers)
        assert answer.status_code == 403, name

    assert (state_of(system), invocations(system)) == before


def test_a_get_where_a_form_is_sent_changes_nothing(system: LocalSystem, default: Connection) -> None:
    visitor = signed_in(system, "admin")
    before = state_of(system)

    for name, route in POSTS.items():
        query = "&".join(f"{field}={value}" for field, value in fields(system).items())
        assert visitor.get(f"{address(route)}?{query}").status_code in {200, 404}, name

    assert state_of(system) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_another_method_changes_nothing(system: LocalSystem, default: Connection, method: str) -> None:
    visitor = signed_in(system, "admin")
    before = (state_of(system), invocations(system))

    for name, route in ROUTES.items():
        sent_here = {"Sec-Fetch-Site": "same-origin"}
        answer = visitor.request(method, address(route), sent_here, data=fields(system))
        assert answer.status_code == 404, name

    assert (state_of(system), invocations(system)) == before


def test_a_form_that_is_sent_twice_is_worth_one_action_and_leads_to_the_same_result(
    system: LocalSystem, default: Connection
) -> None:
    visitor = signed_in(system, "admin")

    for name, route in POSTS.items():
        sent = fields(system, **SENT.get(route.path, {}))
        first = visitor.post(address(route), sent, FILES.get(route.path))
        system.lambda_api.wait()
        before: Any = (state_of(system), invocations(system))
        again = [visitor.post(address(route), sent, FILES.get(route.path)) for _ in range(2)]

        assert first.status_code == 303, name
        assert [answer.headers["location"] for answer in again] == [first.headers["location"]] * 2
        assert (state_of(system), invocations(system)) == before, name


def test_every_event_of_a_form_carries_who_sent_it(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = signed_in(system, "admin", "ada@tideway.example")
    invoke, start = Mock(wraps=system.runtime.invoke), Mock(wraps=system.runtime.start)
    monkeypatch.setattr(system.runtime, "invoke", invoke)
    monkeypatch.setattr(system.runtime, "start", start)

    for route in POSTS.values():
        visitor.post(address(route), fields(system, **SENT.get(route.path, {})), FILES.get(route.path))

    invoked = [call.args[:2] for call in invoke.call_args_list]
    sent = [event for workflow, event in invoked if workflow != "panel" and event.keys() - {"connection"}]
    sent += [call.args[1] for call in start.call_args_list]
    assert len(sent) >= len(POSTS) - 2
    assert all(event["by"] == "ada@tideway.example (admin)" for event in sent)


def test_the_role_may_invoke_functions_and_use_its_own_table_and_nothing_else(system: LocalSystem) -> None:
    name = system.deployment.functions["panel"].name
    grants = system.aws.permissions.granted()[name]
    table = system.deployment.resources["PanelTable"]

    actions = {grant.action for grant in grants}
    assert actions <= {
        *("lambda:InvokeFunction", "logs:CreateLogStream", "logs:PutLogEvents"),
        *("xray:PutTraceSegments", "xray:PutTelemetryRecords", "ssm:GetParameter"),
        *("s3:GetObject", "s3:ListBucket"),
        *(
            f"dynamodb:{each}"
            for each in ("GetItem", "BatchGetItem", "BatchWriteItem", "PutItem", "UpdateItem")
        ),
        *("dynamodb:DeleteItem", "dynamodb:Query"),
    }
    for grant in grants:
        if grant.action.startswith("dynamodb:"):
            assert grant.resource.endswith(f":table/{table}")
        if grant.action.startswith("ssm:"):
            assert grant.resource.endswith(":parameter/solvimon-rillet/api-url")
        if grant.action == "lambda:InvokeFunction":
            function = grant.resource.partition(":function:")[2]
            assert function.startswith("solvimon-rillet-")
            assert not function.startswith("solvimon-rillet-panel")
            deployed = system.deployment.functions[
                function.removeprefix("solvimon-rillet-").partition(":")[0].replace("-", "_")
            ]
            assert function.endswith(":live") == deployed.durable
        if grant.action.startswith("s3:"):
            ends = ("/reports/*", "/lists/*") if grant.action == "s3:GetObject" else ()
            assert grant.resource.endswith(ends) or "reports/*" in str(grant.conditions)


def test_the_role_reads_reports_and_lists_and_no_other_file_of_the_bucket(system: LocalSystem) -> None:
    name = system.deployment.functions["panel"].name
    bucket = system.deployment.outputs["ReportBucketName"]
    s3 = create_aws_client("s3", name)
    reports = Reports(bucket, lambda: s3)
    system.aws.s3.put_object(Bucket=bucket, Key="reports/default/2026-11/1/report.json", Body=b'{"a": 1}')
    system.aws.s3.put_object(Bucket=bucket, Key="work/run/part.json", Body=b"[]")

    assert reports.folders("default/") == ["2026-11"]
    assert reports.read("default/2026-11/1/report.json") == {"a": 1}
    assert reports.read("default/2026-11/2/report.json") is None
    assert requests.get(reports.address("default/2026-11/1/report.json"), timeout=30).json() == {"a": 1}
    system.aws.s3.put_object(Bucket=bucket, Key="lists/default/links-products.csv", Body=b"act")
    assert requests.get(reports.list_address("default/links-products.csv"), timeout=30).text == "act"
    assert reports.list_address("default/links-customers.csv") == ""
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=bucket, Key="work/run/part.json")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=bucket, Prefix="lists/")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="lists/default/x.csv", Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=bucket, Prefix="work/")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=bucket)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="reports/default/x.json", Body=b"")
    system.aws.permissions.denied.pop(name)


@pytest.mark.parametrize("kind", ID_NAMES)
def test_every_kind_of_document_can_be_tried_again_and_rehearsed(
    system: LocalSystem, operator: Visitor, kind: str
) -> None:
    for action in ("retry", "dry-run"):
        answer = operator.post(f"{CONNECTION}/documents/{kind}/invo_1/{action}", fields(system))
        assert answer.status_code == 303
        result = operator.get(f"{answer.headers['location']}?as=json").json()
        assert result["event"][f"{ID_NAMES[kind]}s"] == ["invo_1"]
        assert result["answer"]["results"]
