"""What the tests of the webhooks share."""

import hashlib
import hmac
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from local import sample_data
from local.system import Connection, LocalSystem

Json = dict[str, Any]

FIRST = sample_data.invoice_id("first")
REFUSAL = {"message": "signature not accepted"}


@dataclass(frozen=True)
class Answer:
    """What Solvimon is told."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> object:
        """The body as JSON."""
        return json.loads(self.body)


def envelope(action: str = "INVOICE.STATUS_TO_FINAL", **data: object) -> bytes:
    """The body of a webhook."""
    whole = {"id": FIRST, "object_type": "INVOICE", "type": "STANDARD", "status": "FINAL", **data}
    return json.dumps(
        {"created_at": "2026-11-01T08:00:00Z", "type": action, "environment": "TEST", "data": whole}
    ).encode()


def post(
    system: LocalSystem, body: bytes, headers: Mapping[str, str], path: str = "/webhooks/solvimon/default"
) -> Answer:
    """Send a request to the HTTP API, with the path and the bytes exactly as given."""
    connection = http.client.HTTPConnection(urlsplit(system.gateway.url).netloc, timeout=10)
    try:
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def event(
    body: object, headers: Mapping[str, str] | None, connection: object = "default", **more: object
) -> Json:
    """An event of the HTTP API (payload format 2.0), for what no HTTP client would send."""
    made: Json = {
        "rawPath": "/webhooks/solvimon/default",
        "body": body,
        "pathParameters": {"connection": connection},
        "isBase64Encoded": False,
    }
    lowered = {name.lower(): value for name, value in (headers or {}).items()}
    return {**made, **({} if headers is None else {"headers": lowered}), **more}


def signed(system: LocalSystem, body: bytes, *secrets: str, after: float = 0) -> dict[str, str]:
    """Headers with the signatures of these secrets, made so many seconds from now."""
    stamp = datetime.fromtimestamp(system.clock.now() + after, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digests = [hmac.new(s.encode(), stamp.encode() + b"." + body, hashlib.sha256) for s in secrets]
    return {
        "Content-Type": "application/json",
        "X-PAYLOAD-SIGNATURE-TIMESTAMP": stamp,
        "X-PAYLOAD-SIGNATURE": ",".join(f"v1={digest.hexdigest()}" for digest in digests),
    }


def put_webhook_secrets(system: LocalSystem, connection: Connection, **secrets: str) -> None:
    """Write the connection's secret of Solvimon and let the function read it anew."""
    system.put_secret(connection.name, "solvimon", {"api_key": connection.solvimon_api_key, **secrets})
    system.runtime.reset()
