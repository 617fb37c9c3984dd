"""Refusals, written as RFC 9457 problem documents."""

import json
from collections.abc import Sequence
from http import HTTPStatus

from werkzeug.wrappers import Response

_TYPES = "https://rillet.io"

Violation = dict[str, str]


class Problem(Exception):
    """A refusal that the caller sees as a problem document.

    Rillet's `Error` schema requires `type` and `title`; `violations` is an extension seen on validation
    errors. The media type is the RFC's own, although the OpenAPI document says `application/json`.
    """

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        kind: str | None = None,
        violations: Sequence[Violation] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind or title_of(status).lower().replace(" ", "_")
        self.violations = list(violations)

    def document(self) -> dict[str, object]:
        """Return the problem document as JSON-ready data."""
        document: dict[str, object] = {
            "type": f"{_TYPES}/{self.kind}",
            "title": title_of(self.status),
            "status": self.status,
        }
        if self.detail is not None:
            document["detail"] = self.detail
        if self.violations:
            document["violations"] = self.violations
        return document

    def response(self) -> Response:
        """Return the problem as an HTTP response."""
        return Response(json.dumps(self.document()), self.status, mimetype="application/problem+json")


def title_of(status: int) -> str:
    """Return the standard phrase of a status code, or a plain word for a code that has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def not_found(what: str) -> Problem:
    """Build the refusal for something that the path names and that is not there."""
    return Problem(404, f"{what} not found")


def invalid(violations: Sequence[Violation]) -> Problem:
    """Build the refusal of a body or query with every field that is wrong."""
    detail = "; ".join(f"{violation['field']} {violation['message']}" for violation in violations)
    return Problem(400, detail, violations=violations)


def refused(kind: str, detail: str) -> Problem:
    """Build the refusal of a well-formed request that breaks a rule of the organisation."""
    return Problem(400, detail, kind=f"exception/{kind}")
