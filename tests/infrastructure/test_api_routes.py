"""The HTTP API of the template: routes, limits, the access log, and the panel, which can be left out."""

import json
import re

from local.aws.template import load
from local.system import ROOT
from tests.infrastructure.views import Json, Template


def test_a_webhook_is_answered_before_solvimon_stops_waiting(template: Template) -> None:
    assert template.functions["ReceiveWebhook"]["Timeout"] < 10


def test_the_api_limits_its_callers_and_writes_an_access_log(template: Template) -> None:
    [stage] = template.of_type("AWS::ApiGatewayV2::Stage").values()
    [api] = template.of_type("AWS::ApiGatewayV2::Api").values()

    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == {"Ref": "WebhookRateLimit"}
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == {"Ref": "WebhookBurstLimit"}
    assert stage["AccessLogSettings"]["DestinationArn"] == {"Fn::GetAtt": ["ApiLogGroup", "Arn"]}
    assert json.loads(stage["AccessLogSettings"]["Format"])["request_id"] == "$context.requestId"
    assert "CorsConfiguration" not in api
    assert "x-amazon-apigateway-cors" not in api["Body"]


def test_the_access_log_holds_nothing_of_a_request_but_its_method_and_route(template: Template) -> None:
    [stage] = template.of_type("AWS::ApiGatewayV2::Stage").values()

    logged = re.findall(r"\$context\.([\w.]+)", stage["AccessLogSettings"]["Format"])

    assert set(logged) == {
        *("requestTime", "requestId", "identity.sourceIp", "httpMethod", "routeKey"),
        *("status", "responseLength", "responseLatency", "integrationErrorMessage"),
    }


PANEL_ROUTES = {"/panel", "/panel/{proxy+}"}


def test_the_routes_are_the_webhooks_the_callback_of_an_authorisation_and_the_panel(
    template: Template,
) -> None:
    [api] = template.of_type("AWS::ApiGatewayV2::Api").values()
    routes = {}
    for path, methods in api["Body"]["paths"].items():
        assert ("Fn::If" in methods) == (path in PANEL_ROUTES), "a parameter leaves the panel out"
        for method, given in _chosen(methods).items():
            operation = _chosen(given)
            integration = operation["x-amazon-apigateway-integration"]
            routes[method, path] = re.findall(
                r"functions/\$\{(\w+)\.Arn\}", _chosen(integration["uri"])["Fn::Sub"]
            )
            assert integration["payloadFormatVersion"] == "2.0"
            # Closed unless it says otherwise (SAM's NONE): `sam deploy --guided` has nothing to ask about.
            assert operation["security"] == [{"NONE": []}]

    closed = api["Body"]["components"]["securitySchemes"]["AWS_IAM"]
    assert closed["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert routes == {
        ("post", "/webhooks/solvimon/{connection}"): ["ReceiveWebhook"],
        ("post", "/webhooks/rillet/{connection}"): ["ReceiveWebhook"],
        ("get", "/oauth/rillet/callback"): ["ConnectRillet"],
        ("x-amazon-apigateway-any-method", "/panel"): ["PanelPages"],
        ("x-amazon-apigateway-any-method", "/panel/{proxy+}"): ["PanelPages"],
    }


def test_the_panels_routes_have_a_limit_of_their_own(template: Template) -> None:
    [stage] = template.of_type("AWS::ApiGatewayV2::Stage").values()
    limits = {key: _chosen(each) for key, each in stage["RouteSettings"].items()}

    for path in PANEL_ROUTES:
        assert limits.pop(f"ANY {path}") == {"ThrottlingRateLimit": 10, "ThrottlingBurstLimit": 20}
    for each in limits.values():
        assert each["ThrottlingRateLimit"] == {"Ref": "WebhookRateLimit"}
        assert each["ThrottlingBurstLimit"] == {"Ref": "WebhookBurstLimit"}


def test_a_parameter_leaves_out_all_of_the_panel(template: Template) -> None:
    of_the_panel = {name for name in template.resources if name.startswith("Panel")}

    without = load(ROOT / "template.yaml", {"Panel": "off"}, "", "solvimon-rillet")

    assert len(of_the_panel) >= 7
    for name in of_the_panel:
        assert template.resources[name]["Condition"] == "HasPanel", name
    assert not of_the_panel & without.body["Resources"].keys()
    assert len(without.routes) == 3
    others = json.dumps(without.body["Resources"])
    assert not [name for name in of_the_panel if f'"{name}"' in others]
    assert not [name for name in without.body["Outputs"] if name.startswith("Panel")]


def _chosen(value: Json) -> Json:
    """What `Fn::If` chooses where its condition holds."""
    found: Json = value["Fn::If"][1] if "Fn::If" in value else value
    return found


def test_an_authorisation_is_answered_before_the_api_stops_waiting(template: Template) -> None:
    assert template.functions["ConnectRillet"]["Timeout"] < 30
