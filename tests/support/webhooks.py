"""Webhooks as the vendors send them, and faulty ones: bodies, signatures, requests and events."""

import base64
import hashlib
import hmac
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from local.system import LocalSystem
from tests.support.builders import FIRST, Json

SOLVIMON_ROUTE = "POST /webhooks/solvimon/{connection}"
RILLET_ROUTE = "POST /webhooks/rillet/{connection}"
REFUSAL = {"message": "signature not accepted"}
RILLET_ID = "0b9c6f0e-5f0c-4c36-8d4c-4f2f6f2a7c11"


@dataclass(frozen=True)
class Answer:
    """The answer to a webhook."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> object:
        """The body as JSON."""
        return json.loads(self.body)


def envelope(action: str = "INVOICE.STATUS_TO_FINAL", **data: object) -> bytes:
    """The body of a Solvimon webhook."""
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
        "routeKey": SOLVIMON_ROUTE,
        "body": body,
        "pathParameters": {"connection": connection},
        "isBase64Encoded": False,
    }
    lowered = {name.lower(): value for name, value in (headers or {}).items()}
    return {**made, **({} if headers is None else {"headers": lowered}), **more}


def signed_by_solvimon(now: float, body: bytes, *secrets: str) -> dict[str, str]:
    """Headers as Solvimon sends them, with the signatures of these secrets."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digests = [hmac.new(s.encode(), stamp.encode() + b"." + body, hashlib.sha256) for s in secrets]
    return {
        "Content-Type": "application/json",
        "X-PAYLOAD-SIGNATURE-TIMESTAMP": stamp,
        "X-PAYLOAD-SIGNATURE": ",".join(f"v1={digest.hexdigest()}" for digest in digests),
    }


def signed_by_rillet(
    now: float, body: bytes, *keys: bytes, entity: str = "INVOICE", action: str = "UPDATED"
) -> dict[str, str]:
    """Headers as Rillet sends them, with the signatures of these keys."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    text = ".".join((stamp, RILLET_ID, entity, action)).encode() + b"." + body
    digests = [hmac.new(key, text, hashlib.sha256).digest() for key in keys]
    return {
        "Content-Type": "application/json",
        "X-Rillet-Signature": ",".join(base64.b64encode(digest).decode() for digest in digests),
        "X-Rillet-Timestamp": stamp,
        "X-Rillet-Id": RILLET_ID,
        "X-Rillet-Entity": entity,
        "X-Rillet-Event": action,
    }


def signed(system: LocalSystem, body: bytes, *secrets: str, after: float = 0) -> dict[str, str]:
    """Headers of Solvimon's, signed so many seconds from now."""
    return signed_by_solvimon(system.clock.now() + after, body, *secrets)
