"""HTTP requests reach a function as API Gateway would send them, and its answers come back."""

import base64
import http.client
import json
from urllib.parse import urlsplit

import pytest
import requests

from local.system import LocalSystem
from tests.infrastructure.stubs import Json, Stub

PATH = "/webhooks/solvimon/default"
CALLBACK = "/oauth/rillet/callback"


def _post(system: LocalSystem, data: bytes = b"{}", path: str = PATH, **headers: str) -> requests.Response:
    sent = {
        "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return requests.post(f"{system.gateway.url}{path}", data=data, headers=sent, timeout=10)


def test_a_request_becomes_a_payload_2_event(system: LocalSystem, receive_webhook: Stub) -> None:
    _post(system, b'{"a": 1}', f"{PATH}?x=1&x=2&y=%20z", X_Payload_Signature="v1=AB", User_Agent="Solvimon")

    [event] = receive_webhook.events
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


def test_cookies_travel_apart_from_the_headers(system: LocalSystem, receive_webhook: Stub) -> None:
    _post(system, Cookie="a=1; b=2")

    [event] = receive_webhook.events
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]


def test_a_header_that_comes_twice_is_joined_by_a_comma(system: LocalSystem, receive_webhook: Stub) -> None:
    connection = http.client.HTTPConnection(urlsplit(system.gateway.url).netloc, timeout=10)
    connection.putrequest("POST", PATH)
    connection.putheader("X-Twice", "one")
    connection.putheader("X-Twice", "two")
    connection.putheader("Content-Length", "0")

    connection.endheaders()
    connection.getresponse().read()
    connection.close()

    [event] = receive_webhook.events
    assert event["headers"]["x-twice"] == "one,two"


def test_a_request_without_body_has_no_body_in_the_event(system: LocalSystem, receive_webhook: Stub) -> None:
    _post(system, b"")

    [event] = receive_webhook.events
    assert "body" not in event
    assert event["isBase64Encoded"] is False
    assert "queryStringParameters" not in event
    assert "cookies" not in event


@pytest.mark.parametrize(
    "content_type", ["application/octet-stream", "application/x-www-form-urlencoded", "image/png", ""]
)
def test_what_is_no_text_travels_in_base64(
    system: LocalSystem, receive_webhook: Stub, content_type: str
) -> None:
    _post(system, b"a=1", Content_Type=content_type)

    [event] = receive_webhook.events
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"a=1", True)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json; charset=utf-8", "application/xml", "application/a+json"]
)
def test_text_travels_as_it_is(system: LocalSystem, receive_webhook: Stub, content_type: str) -> None:
    _post(system, "grüß".encode(), Content_Type=content_type)

    [event] = receive_webhook.events
    assert (event["body"], event["isBase64Encoded"]) == ("grüß", False)


def test_bytes_that_are_no_utf_8_keep_their_value(system: LocalSystem, receive_webhook: Stub) -> None:
    _post(system, b"\xff{}")

    [event] = receive_webhook.events
    assert base64.b64decode(event["body"]) == b"\xff{}"


def test_a_path_parameter_is_decoded_and_the_raw_path_is_not(
    system: LocalSystem, receive_webhook: Stub
) -> None:
    _post(system, path="/webhooks/solvimon/caf%C3%A9%2Fbar")

    [event] = receive_webhook.events
    assert event["pathParameters"] == {"connection": "café/bar"}
    assert event["rawPath"] == "/webhooks/solvimon/caf%C3%A9%2Fbar"


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
    receive_webhook.behaviour = lambda event, context: {
        "statusCode": 200,
        "isBase64Encoded": True,
        "body": base64.b64encode(b"\x00\xff").decode(),
    }

    assert _post(system).content == b"\x00\xff"


def test_an_answer_without_a_status_is_the_json_body_of_a_200(
    system: LocalSystem, receive_webhook: Stub
) -> None:
    receive_webhook.behaviour = lambda event, context: {"hello": "world"}

    response = _post(system)

    assert (response.status_code, response.json()) == (200, {"hello": "world"})
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("answer", [{"statusCode": "many"}, {"statusCode": 200, "body": {1, 2}}])
def test_an_answer_that_is_none_is_a_500(system: LocalSystem, receive_webhook: Stub, answer: object) -> None:
    receive_webhook.behaviour = lambda event, context: answer

    response = _post(system)

    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_a_function_that_fails_is_a_500_that_tells_nothing(
    system: LocalSystem, receive_webhook: Stub
) -> None:
    def fail(event: Json, context: object) -> object:
        raise RuntimeError("the secret is hunter2")

    receive_webhook.behaviour = fail

    response = _post(system)

    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_the_query_of_a_get_travels_raw_and_decoded(system: LocalSystem, connect_rillet: Stub) -> None:
    requests.get(f"{system.gateway.url}{CALLBACK}?code=a%2Fb&state=x+y&state=z&empty=", timeout=10)

    [event] = connect_rillet.events
    assert event["routeKey"] == f"GET {CALLBACK}"
    assert event["rawQueryString"] == "code=a%2Fb&state=x+y&state=z&empty="
    assert event["queryStringParameters"] == {"code": "a/b", "state": "x y,z", "empty": ""}
    assert "body" not in event
    assert "pathParameters" not in event


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
def test_a_method_that_a_route_does_not_have_is_a_404_and_calls_nothing(
    system: LocalSystem, connect_rillet: Stub, method: str
) -> None:
    response = requests.request(method, f"{system.gateway.url}{CALLBACK}?code=a&state=b", timeout=10)

    assert response.status_code == 404
    assert response.text == ("" if method == "HEAD" else '{"message": "Not Found"}')
    assert not connect_rillet.events


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
        ("GET", PATH),
        ("POST", "/webhooks/solvimon"),
        ("POST", "/webhooks/solvimon/"),
        ("POST", f"{PATH}/more"),
        ("POST", "/"),
    ],
)
def test_what_is_no_route_is_a_404_and_calls_nothing(
    system: LocalSystem, receive_webhook: Stub, method: str, path: str
) -> None:
    response = requests.request(method, f"{system.gateway.url}{path}", timeout=10)

    assert (response.status_code, response.json()) == (404, {"message": "Not Found"})
    assert not receive_webhook.events


def test_a_body_over_ten_megabytes_is_refused(system: LocalSystem, receive_webhook: Stub) -> None:
    response = _post(system, b"x" * (10 * 1024 * 1024 + 1))

    assert response.status_code == 413
    assert not receive_webhook.events


def test_the_event_is_what_json_can_carry(system: LocalSystem, receive_webhook: Stub) -> None:
    _post(system)

    [event] = receive_webhook.events
    assert json.loads(json.dumps(event)) == event
