"""The preview of an import: what would become of each row, and why, by name.

The answer has the first rows; all of them are in a CSV file in the bucket of reports. Each page's rows are
stored as soon as they are known, so that no step has to hold them all.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from solvimon_rillet.aws.s3_sns import ReportBucket
from solvimon_rillet.csv_files import csv_text
from solvimon_rillet.ledger.matches import Match
from solvimon_rillet.workflows.imports.context import RowResult
from solvimon_rillet.workflows.imports.resource import ImportCandidate, Json

PREVIEW_COLUMNS = (
    *("rillet_id", "name", "outcome", "fields", "looks_like", "solvimon_ids", "same", "why", "remedy"),
)
_MAX_ALIKE = 5  # records that a proposal names
_PAGES_NAME = "preview"
_SEVERAL = "; "


class Preview:
    """The rows of one dry run.

    Args:
        reports: the bucket, made on first use.
        run: name of the execution, the same after a crash.
        connection: name of the connection.
        plural: what is imported, such as ``customers``.
    """

    def __init__(self, reports: Callable[[], ReportBucket], run: str, connection: str, plural: str) -> None:
        self._reports = reports
        self._run = hashlib.sha256(run.encode()).hexdigest()[:20]
        self._connection = connection
        self._plural = plural

    def put(self, page: int, rows: Sequence[Json]) -> None:
        """Store the rows of a page; a repeated page replaces them.

        Raises:
            RetryLater: the bucket does not answer.
        """
        self._reports().put_part(self._run, _PAGES_NAME, page, rows)

    def write(self, pages: int, started: int) -> str:
        """Write the rows of all pages as CSV, and return the file's key.

        Args:
            pages: how many pages were read.
            started: when the import began, in unix seconds.

        Raises:
            RetryLater: the bucket does not answer.
        """
        at = datetime.fromtimestamp(started, UTC).strftime("%Y%m%dT%H%M%SZ")
        name = f"{_PAGES_NAME}-{self._plural}-{at}-{self._run[:8]}.csv"
        text = csv_text(PREVIEW_COLUMNS, self._cells(pages))
        return self._reports().put_list(self._connection, name, text)

    def _cells(self, pages: int) -> Iterator[Json]:
        for rows in self._reports().parts(self._run, _PAGES_NAME, pages):
            yield from map(_as_cells, rows)


def previewed(candidate: ImportCandidate, row: RowResult) -> Json:
    """The result that a row would have."""
    shown: Json = {"rillet_id": candidate.id, "name": candidate.name, "outcome": row.outcome}
    shown |= {"fields": list(row.fields)} if row.fields and row.outcome == "updated" else {}
    shown |= {"looks_like": proposal(candidate, row.matches)["looks_like"]} if row.matches else {}
    return shown | ({"why": " ".join(row.notes)} if row.notes else {})


def previewed_failure(failure: Json) -> Json:
    """A row that needs a person, as the answer lists it among the failures."""
    shown = {"rillet_id": failure["rillet_id"], "name": failure["name"], "outcome": "failed"}
    return {**shown, "why": failure["what"], "remedy": failure["remedy"]}


def proposal(candidate: ImportCandidate, matches: Sequence[Match]) -> Json:
    """A row that Solvimon probably has, as the answer lists it."""
    alike = [
        {"solvimon_id": match.solvimon_id, "name": match.solvimon_name, "same": list(match.alike)}
        for match in matches[:_MAX_ALIKE]
    ]
    return {"rillet_id": candidate.id, "name": candidate.name, "looks_like": alike}


def _as_cells(row: Json) -> Json:
    alike = row.get("looks_like", ())
    return {
        **row,
        "fields": ", ".join(row.get("fields", ())),
        "looks_like": _SEVERAL.join(each["name"] for each in alike),
        "solvimon_ids": _SEVERAL.join(each["solvimon_id"] for each in alike),
        "same": ", ".join(sorted({kind for each in alike for kind in each["same"]})),
    }
