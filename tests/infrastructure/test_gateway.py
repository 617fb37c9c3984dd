"""HTTP requests reach a function as API Gateway would send them, and its answers come back."""

import base64
import http.client
import json
from urllib.parse import urlsplit

import pytest
import requests

from local.system import LocalSystem
from tests.infrastructure.arrange import Behaviour, Json, Stub, raising

PATH = "/webhooks/solvimon/default"
CALLBACK = "/oauth/rillet/callback"


def _post(system: LocalSystem, data: bytes = b"{}", path: str = PATH, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Content-Type": "application/json", **named}
    return requests.post(f"{system.gateway.url}{path}", data=data, headers=sent, timeout=10)


def test_a_request_becomes_a_payload_2_event(system: LocalSystem, receive_webhook: Stub) -> None:
    _post(system, b'{"a": 1}', f"{PATH}?x=1&x=2&y=%20z", X_Payload_Signature="v1=AB", User_Agent="Solvimon")

    event = receive_webhook.event
    context: Json = event["requestContext"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == context["routeKey"] == "POST /webhooks/solvimon/{connection}"
    assert event["rawPath"] == PATH
    assert event["rawQueryString"] == "x=1&x=2&y=%20z"
    assert event["queryStringParameters"] == {"x": "1,2", "y": " z"}
    assert event["pathParameters"] == {"connection": "default"}
    assert event["headers"]["x-payload-signature"] == "v1=AB"
    assert event["headers"]["content-length"] == "8"
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    assert context["http"] == {
        "method": "POST",
        "path": PATH,
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "Solvimon",
    }
    assert context["stage"] == "$default"
    assert context["requestId"]
    assert json.loads(json.dumps(event)) == event


def test_cookies_travel_apart_from_the_headers(system: LocalSystem, receive_webhook: Stub) -> None:
    _post(system, Cookie="a=1; b=2")

    assert receive_webhook.event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in receive_webhook.event["headers"]


def test_a_header_that_comes_twice_is_joined_by_a_comma(system: LocalSystem, receive_webhook: Stub) -> None:
    connection = http.client.HTTPConnection(urlsplit(system.gateway.url).netloc, timeout=10)
    connection.putrequest("POST", PATH)
    for name, value in (("X-Twice", "one"), ("X-Twice", "two"), ("Content-Length", "0")):
        connection.putheader(name, value)

    connection.endheaders()
    connection.getresponse().read()
    connection.close()

    assert receive_webhook.event["headers"]["x-twice"] == "one,two"


def test_a_request_without_body_has_no_body_in_the_event(system: LocalSystem, receive_webhook: Stub) -> None:
    _post(system, b"")

    assert not {"body", "queryStringParameters", "cookies"} & receive_webhook.event.keys()
    assert receive_webhook.event["isBase64Encoded"] is False


@pytest.mark.parametrize(
    ("content_type", "data", "is_base64"),
    [
        ("application/octet-stream", b"a=1", True),
        ("application/x-www-form-urlencoded", b"a=1", True),
        ("image/png", b"a=1", True),
        ("", b"a=1", True),
        ("application/json", b"\xff{}", True),
        ("text/plain", "grüß".encode(), False),
        ("application/json; charset=utf-8", "grüß".encode(), False),
        ("application/xml", "grüß".encode(), False),
        ("application/a+json", "grüß".encode(), False),
    ],
)
def test_text_travels_as_it_is_and_anything_else_in_base64(
    system: LocalSystem, receive_webhook: Stub, content_type: str, data: bytes, is_base64: bool
) -> None:
    _post(system, data, Content_Type=content_type)

    body = receive_webhook.event["body"]
    assert receive_webhook.event["isBase64Encoded"] is is_base64
    assert (base64.b64decode(body) if is_base64 else body.encode()) == data


def test_a_path_parameter_is_decoded_and_the_raw_path_is_not(
    system: LocalSystem, receive_webhook: Stub
) -> None:
    _post(system, path="/webhooks/solvimon/caf%C3%A9%2Fbar")

    assert receive_webhook.event["pathParameters"] == {"connection": "café/bar"}
    assert receive_webhook.event["rawPath"] == "/webhooks/solvimon/caf%C3%A9%2Fbar"


def test_an_answer_with_a_status_becomes_the_response(system: LocalSystem, receive_webhook: Stub) -> None:
    receive_webhook.behaviour = lambda event, context: {
        "statusCode": 401,
        "headers": {"content-type": "application/problem+json", "X-Number": 7},
        "cookies": ["a=1", "b=2"],
        "body": '{"title": "no"}',
    }

    response = _post(system)

    assert (response.status_code, response.json()) == (401, {"title": "no"})
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-number"] == "7"
    assert response.cookies.get_dict() == {"a": "1", "b": "2"}


def test_an_answer_in_base64_is_decoded(system: LocalSystem, receive_webhook: Stub) -> None:
    answer = {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(b"\x00\xff").decode()}
    receive_webhook.behaviour = lambda event, context: answer

    assert _post(system).content == b"\x00\xff"


def test_an_answer_without_a_status_is_the_json_body_of_a_200(
    system: LocalSystem, receive_webhook: Stub
) -> None:
    receive_webhook.behaviour = lambda event, context: {"hello": "world"}

    response = _post(system)

    assert (response.status_code, response.json()) == (200, {"hello": "world"})
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "behaviour",
    [
        lambda event, context: {"statusCode": "many"},
        lambda event, context: {"statusCode": 200, "body": {1, 2}},
        raising(RuntimeError("the secret is hunter2")),
    ],
    ids=["no status", "no text", "an error"],
)
def test_a_failure_and_an_answer_that_is_none_are_a_500_without_details(
    system: LocalSystem, receive_webhook: Stub, behaviour: Behaviour
) -> None:
    receive_webhook.behaviour = behaviour

    response = _post(system)

    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_the_query_of_a_get_travels_raw_and_decoded(system: LocalSystem, connect_rillet: Stub) -> None:
    requests.get(f"{system.gateway.url}{CALLBACK}?code=a%2Fb&state=x+y&state=z&empty=", timeout=10)

    event = connect_rillet.event
    assert event["routeKey"] == f"GET {CALLBACK}"
    assert event["rawQueryString"] == "code=a%2Fb&state=x+y&state=z&empty="
    assert event["queryStringParameters"] == {"code": "a/b", "state": "x y,z", "empty": ""}
    assert "body" not in event
    assert "pathParameters" not in event


def test_both_vendors_webhooks_reach_the_same_function(system: LocalSystem, receive_webhook: Stub) -> None:
    _post(system)
    _post(system, path="/webhooks/rillet/default")

    assert [event["routeKey"] for event in receive_webhook.events] == [
        "POST /webhooks/solvimon/{connection}",
        "POST /webhooks/rillet/{connection}",
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, f"{CALLBACK}?code=a&state=b") for method in ("HEAD", "OPTIONS", "POST", "PUT", "DELETE")),
        ("GET", PATH),
        ("POST", "/webhooks/solvimon"),
        ("POST", "/webhooks/solvimon/"),
        ("POST", f"{PATH}/more"),
        ("POST", "/"),
    ],
)
def test_what_is_no_route_is_a_404_and_calls_nothing(
    system: LocalSystem, receive_webhook: Stub, connect_rillet: Stub, method: str, path: str
) -> None:
    response = requests.request(method, f"{system.gateway.url}{path}", timeout=10)

    assert response.status_code == 404
    assert response.text == ("" if method == "HEAD" else '{"message": "Not Found"}')
    assert receive_webhook.events == connect_rillet.events == []


def test_a_body_over_ten_megabytes_is_refused(system: LocalSystem, receive_webhook: Stub) -> None:
    response = _post(system, b"x" * (10 * 1024 * 1024 + 1))

    assert response.status_code == 413
    assert not receive_webhook.events
