"""Exceptions: where a vendor's document contradicts itself, the vendor's other texts, or its API's behaviour.

Each exception says what it allows, and where the fact comes from. An unused one is an error of
`make contracts`, so that the list stays short.
"""

import re
from dataclasses import dataclass

from tests.contract.checker import Violation


@dataclass(frozen=True)
class Excused:
    """A violation that is allowed.

    Attributes:
        name: its name in the report.
        source: where the fact comes from: the dossier's section, a vendor's text, or a decision of ours.
        vendor: whose document.
        kind: the kind of violation.
        field: pattern of the whole field.
        operation: pattern of the whole operation's name.
        side: `request`, `answer` or `webhook`; None for all.
    """

    name: str
    source: str
    vendor: str
    kind: str
    field: str
    operation: str = ".*"
    side: str | None = None

    def covers(self, violation: Violation) -> bool:
        """Whether it is about this violation."""
        return (
            (violation.vendor, violation.kind) == (self.vendor, self.kind)
            and self.side in (None, violation.side)
            and bool(re.fullmatch(self.field, violation.field))
            and bool(re.fullmatch(self.operation, violation.operation))
        )


EXCEPTIONS: tuple[Excused, ...] = (
    Excused(
        name="rillet: Idempotency-Key on POST",
        # "The header is not declared in OAS4", but Getting started and the API's conventions have it.
        source="Rillet, Getting started; dossier rillet.md 2.2",
        vendor="rillet",
        kind="unknown header",
        field="idempotency-key",
        operation="POST .*",
        side="request",
    ),
    Excused(
        name="rillet: invoice_number in FULL scope",
        # The schema for FULL has none, Rillet numbers such invoices itself; the guide's own table has it.
        # The setting `send_invoice_number_in_full_scope` turns it off.
        source="Solvimon's guide, Export Invoices to Rillet; docs/decisions.md; dossier rillet.md 3.6.1",
        vendor="rillet",
        kind="unknown field",
        field=r"\$\.invoice_number",
        operation="POST /invoices",
        side="request",
    ),
    Excused(
        name="rillet: errors as application/problem+json",
        # RFC 9457's own type; the document's `default` answer says application/json. We take either.
        source="Rillet, conventions (RFC 9457); dossier rillet.md 2.4",
        vendor="rillet",
        kind="wrong body",
        field="content-type",
        side="answer",
    ),
    Excused(
        name="rillet: violations in an error",
        # An extension that RFC 9457 allows, seen on validation errors.
        source="hotgluexyz/target-rillet; dossier rillet.md 2.4",
        vendor="rillet",
        kind="unknown field",
        field=r"\$\.violations",
        side="answer",
    ),
    Excused(
        name="solvimon: Idempotency-Key on POST",
        # For all endpoints but the events'; no document declares it, and the SDK has no parameter for it.
        source="docs.solvimon.com, idempotency; dossier solvimon.md 1.4",
        vendor="solvimon",
        kind="unknown header",
        field="idempotency-key",
        operation="POST .*",
        side="request",
    ),
    Excused(
        name="solvimon: 404 of a record that is not there",
        # Few operations list a 404, none of the Transaction API; the troubleshooting guide has it.
        source="docs.solvimon.com, troubleshooting; dossier solvimon.md 1.5",
        vendor="solvimon",
        kind="unknown status",
        field="status",
        operation="(GET|PATCH|POST) .*",
        side="answer",
    ),
)
