"""Links as CSV files: written for people, and read again with what they have decided.

A file that people give back may have more rows than one invocation can do: a link of a customer takes up to
four calls to Rillet. So an invocation does as many rows as it has time and calls for, and its answer has the
event that continues it. Every row may be done again without harm. Rows that were refused are in a file of
their own, with the cause and the remedy: it can be corrected and given back in turn.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from solvimon_rillet.aws.s3_sns import LIST_PREFIX, ReportBucket
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.csv_files import csv_rows, csv_text
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.workflows.linking.link_lists import LinkLists
from solvimon_rillet.workflows.linking.link_rows import (
    FILE_REMEDY,
    MAX_LISTED_WARNINGS,
    AnswerRow,
    LinkRows,
    Publish,
)
from solvimon_rillet.workflows.linking.request import KIND_OF_PLURAL, LINK_COLUMNS, LinkRequest

Json = dict[str, Any]
NEEDED_COLUMNS = ("act", "kind", "solvimon_id", "rillet_id")
ERROR_COLUMNS = (*LINK_COLUMNS, "row", "error", "remedy")
MAX_ROWS = 20_000


def write_links(
    connection: Connection, lists: LinkLists, reports: ReportBucket, request: LinkRequest
) -> Json:
    """Write the records of a kind as CSV, and return where it is.

    Raises:
        RetryLater: the bucket, the ledger or a vendor does not answer.
    """
    plural = str(request.csv)
    only = request.only if "only" in request.model_fields_set else None
    counts = Counter[str]()

    def rows() -> Iterator[Json]:
        for row in lists.rows(KIND_OF_PLURAL[plural]):
            if only in (None, row["state"]):
                counts[row["state"]] += 1
                yield {**row, "kind": KIND_OF_PLURAL[plural], "same": ", ".join(row.get("alike", ()))}

    text = csv_text(LINK_COLUMNS, rows())
    at = datetime.fromtimestamp(connection.clock(), UTC).strftime("%Y%m%dT%H%M%SZ")
    key = reports.put_list(connection.name, request.file or f"links-{plural}-{at}.csv", text)
    return {
        "connection": connection.name,
        "kind": KIND_OF_PLURAL[plural],
        "csv": key,
        "bucket": reports.name,
        "rows": counts.total(),
        "by_state": dict(counts),
        "what_now": "Write link, different or unlink into the column act of the rows that you decide, and "
        "save it as CSV UTF-8 in the same folder of the bucket. Then invoke link_records with its key: "
        f'{{"csv_in": "{key}"}}.',
    }


class LinkFileReader:
    """Does what the rows of a CSV file say.

    Args:
        connection: the connection.
        reports: the bucket that has the file.
        has_time: whether there is time for another row.
    """

    def __init__(self, connection: Connection, reports: ReportBucket, has_time: Callable[[], bool]) -> None:
        self._connection = connection
        self._reports = reports
        self._has_time = has_time

    def run(self, request: LinkRequest, answer_row: AnswerRow, publish: Publish) -> Json:
        """Do the rows of a file, from ``request.from_row`` on, for as long as there is time.

        Args:
            request: the request.
            answer_row: does one row, and returns warnings.
            publish: publishes the documents that waited for Solvimon ids.

        Raises:
            NeedsAttention: there is no such file, or it cannot be read.
            RetryLater: the bucket or the bus does not answer.
        """
        key = str(request.csv_in)
        rows = self._rows(key)
        errors_key = f"{key.removesuffix('.csv')}-errors.csv"
        earlier = self._earlier_errors(errors_key, request.from_row)
        done = LinkRows(request, answer_row)
        done.run(((number, row) for number, row in rows if number >= request.from_row), self._has_time)
        published = publish(done.touched, dry_run=request.dry_run)
        refused = [*earlier, *done.refused]
        self._put(errors_key, refused)
        event = request.model_dump(exclude_defaults=True) | {"from_row": done.next_row}
        return {
            "connection": self._connection.name,
            "dry_run": request.dry_run,
            "csv_in": key,
            "rows": len(rows),
            **done.counts,
            "refused_in_all": len(refused),
            "errors": errors_key if refused else None,
            "bucket": self._reports.name,
            "warnings": done.warnings[:MAX_LISTED_WARNINGS],
            **published,
            "complete": done.next_row is None,
            **({"next": event, **done.when()} if done.next_row is not None else {}),
        }

    def _rows(self, key: str) -> list[tuple[int, dict[str, str]]]:
        try:
            content = self._reports.list_file(self._connection.name, key)
            if content is None:
                raise ValueError("The bucket of reports has no such file.")
            rows = list(csv_rows(content, NEEDED_COLUMNS))
            if len(rows) > MAX_ROWS:
                raise ValueError(f"It has more than {MAX_ROWS:,} rows. Split it.")
        except ValueError as why:
            raise NeedsAttention(
                Code.FILE_UNREADABLE, f"The file cannot be read. {why}", FILE_REMEDY, quoted=key
            ) from None
        return rows

    def _earlier_errors(self, key: str, from_row: int) -> list[Json]:
        """The refused rows of the parts before this one; a repeated part replaces its own."""
        content = self._reports.list_file(self._connection.name, key) if from_row > 2 else None
        rows = (row for _, row in csv_rows(content, ("row",))) if content else iter(())
        return [dict(row) for row in rows if row["row"].isdecimal() and int(row["row"]) < from_row]

    def _put(self, key: str, errors: list[Json]) -> None:
        name = key.removeprefix(f"{LIST_PREFIX}{self._connection.name}/")
        self._reports.put_list(self._connection.name, name, csv_text(ERROR_COLUMNS, errors))
