"""What a connection needs beside its credentials: rights, reference types, products, links, alarms."""

from typing import Any

from solvimon_rillet.aws.s3_sns import Topic
from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.connection import Connections
from solvimon_rillet.connections.write_evidence import Evidence
from solvimon_rillet.errors import Recoverable, SolvimonRilletError
from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.settings import InvoiceScope, Settings
from solvimon_rillet.solvimon.client import PAGE_SIZE
from solvimon_rillet.workflows.connect.checklist import Check

NEEDS_LINK = "CUSTOMER_CUSTOM"
"""The reference type on which Rillet requires a link."""
_NEEDED_SCOPES = ("read", "write")
_MAX_RECORDS = 1000  # of a kind that are looked at, so that the answer comes in time
_AGAIN = "Request the status again in a minute."
_DOCUMENT_COLLECTIONS = {"invoices", "credit-memos"}


class Readiness:
    """Checks one connection.

    Args:
        connection: its name.
        settings: its settings.
        configuration: knows the names of secrets.
        connections: clients of both vendors, and what they answered to writes.
    """

    def __init__(
        self, connection: str, settings: Settings, configuration: Configuration, connections: Connections
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._configuration = configuration
        self._connections = connections

    def may_write(self, grant: dict[str, Any], connected_at: int) -> Check:
        """Whether both credentials may write, by their scopes and by the last answers to writes.

        Args:
            grant: authentication and scopes at Rillet.
            connected_at: when the grant in force was given (unix seconds); earlier answers say nothing.
        """
        name = "may write"
        try:
            at_rillet = [each for each in self._evidence("rillet") if each.at >= connected_at]
            at_solvimon = self._evidence("solvimon")
        except Recoverable as error:
            return Check(name, False, f"not known: {error}", f"Complete the connection first. {_AGAIN}")
        by_oauth = grant["auth"] == "oauth"
        missing = [scope for scope in _NEEDED_SCOPES if by_oauth and scope not in grant["scopes"]]
        connect = f'invoke connect_rillet with {{"connection": "{self._connection}"}}'
        if missing:
            return Check(
                name,
                False,
                f"the authorisation has the scopes {', '.join(grant['scopes']) or 'none'}; "
                f"{' and '.join(missing)} is missing, so nothing can be booked",
                f"See that rillet.oauth.scopes in the settings has read and write, then {connect} and grant "
                "both.",
            )
        if refused := next((each for each in at_rillet if not each.allowed), None):
            secret = self._configuration.secret_name(self._connection, "rillet")
            return Check(
                name,
                False,
                f"Rillet refused our last write to {refused.collection} ({_at(refused)}, 403): the "
                f"{'user who authorised it' if by_oauth else 'key'} may only read",
                f"Let a user whose role may write authorise it: {connect}. The documents wait."
                if by_oauth
                else "Make an API key in Rillet without the mark Read-only, and put it into the secret "
                f"{secret}, under api_key. The documents wait, and continue automatically.",
            )
        if refused := next((each for each in at_solvimon if not each.allowed), None):
            return Check(
                name,
                False,
                f"Solvimon refused our last write to {refused.collection} ({_at(refused)}, 403)",
                "Give the API key in Solvimon the permission to update them, or put another key into the "
                f"secret {self._configuration.secret_name(self._connection, 'solvimon')}, under api_key.",
            )
        solvimon = f"Solvimon took one {_at(at_solvimon[0])}" if at_solvimon else "none to Solvimon yet"
        if at_rillet:
            return Check(name, True, f"Rillet took our last write {_at(at_rillet[0])}; {solvimon}")
        if by_oauth:
            scopes = ", ".join(grant["scopes"])
            return Check(
                name, True, f"the authorisation has the scopes {scopes}; nothing was written to Rillet yet"
            )
        return Check(
            name,
            False,
            "not known yet: nothing was written to Rillet with this key, and Rillet does not say what a key "
            "may do",
            "See that the key was made without the mark Read-only, and export one document: its answer "
            "shows it.",
        )

    def reference_types(self) -> Check:
        """The types of the references that documents carry, and whether Rillet kept those of the last one."""
        name, types = "reference types", self._settings.reference_types
        on_lines = types.invoice_line
        with_lines = self._settings.invoice_scope is not InvoiceScope.FULL and on_lines
        lines = f", lines {on_lines}" if with_lines else ""
        found = f"invoices carry {', '.join(types.invoice_types)}{lines}"
        used = [*types.invoice_types, *([on_lines] if with_lines else [])]
        if NEEDS_LINK in used and not self._settings.solvimon.invoice_link(""):
            remedy = "Set solvimon.desk_invoice_url in the settings."
            return Check(name, False, f"{found}; {NEEDS_LINK}: Rillet requires a link on it", remedy)
        if used.count(NEEDS_LINK) > 1:
            return Check(
                name,
                False,
                f"{found}; {NEEDS_LINK}: Rillet takes it once in header and lines together",
                "Set reference_types.invoice_line to another type, such as CUSTOMER_HISTORICAL.",
            )
        wanted = {*types.invoice_types, types.customer}
        try:
            noted = [each for each in self._evidence("rillet") if wanted & set(each.types)]
        except Recoverable:
            noted = []
        dropped = [(each, kind) for each in noted for kind in each.dropped if kind in wanted]
        if dropped:
            where, kind = dropped[0]
            return Check(
                name,
                False,
                f"{found}; Rillet did not keep {kind} on our last write to {where.collection} ({_at(where)})",
                f"In Rillet, add the type {kind} under Settings → External References. Without it a lost "
                "answer is found by number, amount and date only.",
            )
        kept = next((each for each in noted if each.collection in _DOCUMENT_COLLECTIONS), None)
        if kept:
            return Check(name, True, f"{found}; Rillet kept {', '.join(kept.types)} {_at(kept)}")
        return Check(name, True, f"{found}; whether Rillet has them shows a booking")

    def fallback_products(self) -> Check:
        """Whether Rillet has the products for groups without a product."""
        name = "fallback products"
        chosen = {kind: each for kind, each in self._settings.fallback_products.model_dump().items() if each}
        if not chosen:
            return Check(name, True, "none set: a group without a product is rejected, with the remedy")
        try:
            found = self._connections.open(self._connection).directory.in_rillet("product").by_id
        except (SolvimonRilletError, RequestRejected) as error:
            return Check(name, False, f"not known: {error}", _AGAIN, blocking=False)
        missing = {kind: each for kind, each in chosen.items() if each not in found or found[each].archived}
        if missing:
            listed = ", ".join(f"{kind} ({each})" for kind, each in missing.items())
            return Check(
                name,
                False,
                f"Rillet has no active product for {listed}",
                self._configure(f"fallback_products.{next(iter(missing))}", "id of a Rillet product"),
            )
        listed = ", ".join(f"{kind}: {found[each].name}" for kind, each in chosen.items())
        return Check(name, True, listed)

    def start_date(self) -> Check:
        """From which day invoices are booked."""
        day = self._settings.start_date
        if day:
            return Check("start_date", True, f"invoices dated before {day} are skipped")
        return Check(
            "start_date",
            False,
            "not set: every invoice that is finalised is booked, whatever its date",
            self._configure("start_date", "2026-12-01"),
            blocking=False,
        )

    def records_linked(self) -> Check:
        """The numbers of Solvimon's records that have no record in Rillet."""
        name, parts, without = "records linked", list[str](), dict[str, int]()
        pinned = set(self._settings.subsidiaries.values())
        try:
            directory = self._connections.open(self._connection).directory
            for kind in ("customer", "product", "subsidiary"):
                plural = "subsidiaries" if kind == "subsidiary" else f"{kind}s"
                records = directory.first_in_solvimon(kind, _MAX_RECORDS)
                active = [each for each in records if not each.archived]
                alone = [each for each in active if not each.linked and each.id not in pinned]
                more = "the first " if len(records) in {PAGE_SIZE, _MAX_RECORDS} else ""
                parts.append(f"{plural}: {len(alone)} of {more}{len(active)} without link")
                without[plural] = len(alone)
        except (SolvimonRilletError, RequestRejected) as error:
            return Check(name, False, f"not known: {error}", _AGAIN, blocking=False)
        created = self._settings.create_missing_customers
        open_kinds = [
            kind for kind, count in without.items() if count and not (kind == "customers" and created)
        ]
        found = "; ".join(parts)
        if without["customers"] and created:
            found += " (an invoice creates its customer in Rillet)"
        remedy = "".join(
            f'Invoke link_records with {{"connection": "{self._connection}", "list": "{kind}"}}. '
            for kind in open_kinds
        )
        return Check(name, not open_kinds, found, remedy.rstrip(), blocking=False)

    def _evidence(self, vendor: str) -> list[Evidence]:
        proof = self._connections.credential_proof(self._connection, vendor)
        return self._connections.evidence.of(self._connection, vendor, proof)

    def _configure(self, path: str, value: str) -> str:
        event = f'{{"connection": "{self._connection}", "set": {{"{path}": "{value}"}}, "dry_run": true}}'
        return f"Invoke configure with {event}, look at the effect, then send it with the version it names."


def alarm_address(topic: Topic) -> Check:
    """Whether a person gets the alarms."""
    name = "alarm address"
    try:
        found = topic.subscriptions()
    except Recoverable as error:
        return Check(name, False, f"not known: {error}", _AGAIN, blocking=False)
    waiting = f"{found.pending} not confirmed yet" if found.pending else ""
    if found.confirmed:
        return Check(name, True, ", ".join(filter(None, (f"{found.confirmed} confirmed", waiting))))
    if waiting:
        remedy = (
            "Open AWS's mail “Subscription Confirmation” and follow its link; nobody gets alarms until then."
        )
        return Check(name, False, waiting, remedy, blocking=False)
    return Check(
        name,
        False,
        "nobody gets the alarms",
        "Deploy with the parameter AlarmEmail, or subscribe an address to the topic in the output "
        "AlarmTopicArn.",
        blocking=False,
    )


def _at(evidence: Evidence) -> str:
    return f"at {format_timestamp(evidence.at)}"
