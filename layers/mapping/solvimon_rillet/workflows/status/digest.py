"""The morning digest: once a day, what was booked, what needs a person, and whether the books tie out.

::

    {connection}#digest#{day}    a day's digest: being sent until a time, or sent; expires after a week

The sweep sends it, so that it needs no schedule of its own. A run that ends while it sends it leaves a row
that another run takes over after a quarter of an hour.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.aws.s3_sns import Topic
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, INVOICE
from solvimon_rillet.ledger.record_store import BY_STATE
from solvimon_rillet.ledger.records import SCHEMA, Document
from solvimon_rillet.settings import DigestSettings

_DAY_SECONDS = 86_400
_SENDING_SECONDS = 900
_DIGEST_TTL = 7 * _DAY_SECONDS
_MAX_SUBJECT = 100  # characters, ASCII only (SNS, Publish)
_SUBJECTS = {
    "booked": "nothing waits",
    "waiting": "work waits, and continues automatically",
    "needs_you": "needs you",
    "stopped": "stopped, needs you",
}


class Digest:
    """The digests of one connection.

    Args:
        connection: its name.
        settings: when to send them.
        table: the ledger's table.
        topic: where they go.
        panel: the panel's address; empty if there is none.
        clock: unix seconds.
    """

    def __init__(
        self,
        connection: str,
        settings: DigestSettings,
        table: Table,
        topic: Callable[[], Topic],
        panel: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._table = table
        self._topic = topic
        self._panel = panel
        self._clock = clock

    def send_if_due(self, report: Callable[[], Mapping[str, Any]]) -> bool:
        """Send the day's digest, unless it is too early for it or it was sent.

        Args:
            report: makes the answer of ``sync_status`` for the connection.

        Returns:
            Whether it was sent.

        Raises:
            RetryLater: the ledger or the topic does not answer; the next sweep sends it.
        """
        if self._settings.hour is None:
            return False
        now = datetime.fromtimestamp(self._clock(), UTC).astimezone(ZoneInfo(self._settings.time_zone))
        key = Document(self._connection, "digest", now.date().isoformat()).key
        if now.hour < self._settings.hour or not self._take(key):
            return False
        try:
            subject, body = digest_text(report(), self._booked(), self._panel())
            self._topic().publish(subject, body)
        except RetryLater:
            self._write(key, {"state": "failed", "sending_until": 0})
            raise
        self._write(key, {"state": "sent", "sent_at": int(self._clock())})
        return True

    def _take(self, key: str) -> bool:
        """Whether this run is the one that sends the digest."""
        item, now = self._table.get(key) or {}, int(self._clock())
        if item.get("state") == "sent" or int(item.get("sending_until", 0)) > now:
            return False
        facts = {"state": "sending", "sending_until": now + _SENDING_SECONDS}
        try:
            self._write(key, facts, "attribute_not_exists(pk) OR sending_until <= :now", {":now": now})
        except ConditionFailed:  # another run was faster
            return False
        return True

    def _write(self, key: str, facts: Mapping[str, Any], *condition: Any) -> None:
        head = {"schema_version": SCHEMA, "expires_at": int(self._clock()) + _DIGEST_TTL}
        self._table.put(key, {**head, **facts}, *condition)

    def _booked(self) -> int:
        """The number of documents that were booked within a day."""
        since = int(self._clock()) - _DAY_SECONDS
        return sum(self._count_since(kind.name, since) for kind in (INVOICE, CREDIT_MEMO))

    def _count_since(self, kind: str, since: int) -> int:
        key = Document(self._connection, kind, "").index_key("exported")
        return self._table.count(BY_STATE, "listed", key, ("updated_at", since))


def digest_text(report: Mapping[str, Any], booked: int, panel: str = "") -> tuple[str, str]:
    """Subject and text of a digest.

    Args:
        report: the answer of ``sync_status`` for a connection; its headline says what needs a person.
        booked: number of documents that were booked since the last digest.
        panel: the panel's address; empty if there is none.
    """
    connection, said = report["connection"], report["headline"]
    # An unknown state is none that is calm.
    subject = f"{connection}: {booked:,} booked, {_SUBJECTS.get(said['state'], 'needs you')}"
    lines = [f"{booked:,} booked since yesterday.", _situation(report), *_tie_out(report)]
    ask = f'Details: invoke sync_status with {{"connection": "{connection}"}}.'
    if panel:
        ask = f"Details: {panel}/connections/{connection}"
    return subject[:_MAX_SUBJECT], "\n".join([*lines, "", ask])


def _situation(report: Mapping[str, Any]) -> str:
    """The headline; where a connection is stopped, without the causes, which may quote a vendor."""
    if report["headline"]["state"] != "stopped":
        return str(report["headline"]["text"])
    groups = [*report["failures"], *(group for group in report["waiting"] if group["needs_person"])]
    count = sum(int(group["documents"]) for group in groups)
    noun = "document needs" if count == 1 else "documents need"
    held = f" {count:,} {noun} you." if count else ""
    return f"Stopped: a credential or a setting is broken; sync_status says which.{held}"


def _tie_out(report: Mapping[str, Any]) -> list[str]:
    last = report.get("last_reconciliation")
    if not last:
        return ["No reconciliation has run yet."]
    if last["tied_out"]:
        return [f"{last['period']} ties out."]
    count = int(last.get("differences") or 0)
    return [f"{last['period']} does not tie out: {count:,} {'difference' if count == 1 else 'differences'}."]
