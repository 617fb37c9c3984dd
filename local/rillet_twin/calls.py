"""The log of everything the twin was asked and what it answered."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Request, Response

_HEADERS = ("X-Rillet-API-Version", "Idempotency-Key", "Content-Type", "Accept", "User-Agent")


@dataclass
class Call:
    """One call, as the twin saw it.

    Attributes:
        time: Unix seconds of the arrival.
        status: the code that was sent; None while the call runs and when the connection was closed instead.
        idempotency_key: the header, None without it.
        headers: the request headers of interest; never the API key.
        request_body: parsed JSON (numbers as Decimal), or the text where it is not JSON.
        response_body: what was answered or, when the connection was closed, would have been answered.
        organisation_id: whose key it was; None when it was not accepted or not needed.
        replayed: answered from the idempotency store.
        misbehaviour: the kind of the misbehaviour that changed the answer.
    """

    time: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    idempotency_key: str | None
    request_body: Any
    status: int | None = None
    response_body: Any = None
    organisation_id: str | None = field(default=None)
    replayed: bool = False
    misbehaviour: str | None = None

    @classmethod
    def of(cls, request: Request, now: float) -> "Call":
        """Describe a request that just arrived."""
        return cls(
            time=now,
            method=request.method,
            path=request.path,
            query=request.args.to_dict(),
            headers={name: request.headers[name] for name in _HEADERS if name in request.headers},
            idempotency_key=request.headers.get("Idempotency-Key") or None,
            request_body=_readable(request.get_data()),
        )

    def note(self, response: Response) -> None:
        """Keep what was answered."""
        self.status = response.status_code
        self.response_body = _readable(response.get_data())


def _readable(body: bytes) -> Any:  # noqa: ANN401 - a JSON value is anything
    if not body:
        return None
    try:
        return json.loads(body, parse_float=Decimal)
    except ValueError:
        return body.decode(errors="replace")
