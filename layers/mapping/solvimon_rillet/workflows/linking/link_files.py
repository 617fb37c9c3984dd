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

from pydantic import ValidationError

from solvimon_rillet.aws.s3_sns import LIST_PREFIX, ReportBucket
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.csv_files import csv_rows, csv_text
from solvimon_rillet.errors import Code, NeedsAttention, Recoverable
from solvimon_rillet.invalid_values import problems_in_words
from solvimon_rillet.workflows.linking.link_lists import LinkLists
from solvimon_rillet.workflows.linking.request import KIND_OF_PLURAL, LinkRequest, PairRequest, UnlinkRequest

Json = dict[str, Any]
AnswerRow = Callable[[str, PairRequest | UnlinkRequest, LinkRequest], list[str]]
LINK_COLUMNS = ("act", "kind", "state", "solvimon_id", "solvimon_name", "rillet_id", "rillet_name", "same")
NEEDED_COLUMNS = ("act", "kind", "solvimon_id", "rillet_id")
ERROR_COLUMNS = (*LINK_COLUMNS, "row", "error", "remedy")
MAX_ROWS = 20_000
MIN_SECONDS_FOR_LINK = 75.0  # before the function's time limit; no row starts later
_ROW_OUTCOMES = {"link": "linked", "different": "different", "unlink": "unlinked"}
_MAX_WARNINGS = 20
_EXAMPLE = 'Take the file that {"csv": "products"} writes, and fill its column act.'


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
    key = reports.put_list(connection.name, f"links-{plural}-{at}.csv", text)
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
        time_left: seconds until the function's time limit.
    """

    def __init__(self, connection: Connection, reports: ReportBucket, time_left: Callable[[], float]) -> None:
        self._connection = connection
        self._reports = reports
        self._seconds_left = time_left
        self._counts = dict.fromkeys((*_ROW_OUTCOMES.values(), "refused"), 0)
        self._errors: list[Json] = []
        self._warnings: list[Json] = []
        self._touched: list[str] = []

    def run(
        self,
        request: LinkRequest,
        answer_row: AnswerRow,
        publish: Callable[..., Json],
    ) -> Json:
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
        stopped: Recoverable | None = None
        next_row: int | None = None
        for number, row in rows:
            if number < request.from_row:
                continue
            if self._seconds_left() < MIN_SECONDS_FOR_LINK:
                next_row = number
                break
            try:
                self._do(number, row, request, answer_row)
            except Recoverable as why:
                stopped, next_row = why, number
                break
        published = publish(self._touched, dry_run=request.dry_run)
        refused = [*earlier, *self._errors]
        self._put(errors_key, refused)
        return {
            "connection": self._connection.name,
            "dry_run": request.dry_run,
            "csv_in": key,
            "rows": len(rows),
            **self._counts,
            "refused_in_all": len(refused),
            "errors": errors_key if refused else None,
            "bucket": self._reports.name,
            "warnings": self._warnings[:_MAX_WARNINGS],
            **published,
            **self._next(request, next_row, stopped),
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
                Code.FILE_UNREADABLE, f"The file cannot be read. {why}", _EXAMPLE, quoted=key
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

    def _do(self, number: int, row: dict[str, str], request: LinkRequest, answer_row: AnswerRow) -> None:
        act = row["act"].casefold()
        if not act:
            return
        try:
            pair = _pair(act, row)
            warnings = answer_row(act, pair, request)
        except NeedsAttention as why:
            self._refuse(number, row, why.message, why.remedy)
        except ValidationError as invalid:
            self._refuse(number, row, problems_in_words(invalid, whole=f"row {number}"), _EXAMPLE)
        except ValueError as why:
            self._refuse(number, row, str(why), "Write link, different or unlink, or leave it empty.")
        else:
            self._counts[_ROW_OUTCOMES[act]] += 1
            self._warnings += [{"row": number, "warning": each} for each in warnings]
            if act != "unlink":
                self._touched.append(pair.solvimon_id)

    def _refuse(self, number: int, row: dict[str, str], error: str, remedy: str) -> None:
        self._counts["refused"] += 1
        self._errors.append({**row, "row": number, "error": error, "remedy": remedy})

    def _next(self, request: LinkRequest, row: int | None, stopped: Recoverable | None) -> Json:
        """Whether the file is done; else the event that continues it, and when."""
        if row is None:
            return {"complete": True}
        event = request.model_dump(exclude_defaults=True) | {"from_row": row}
        after = 0 if stopped is None else round(stopped.after or 60)
        when = f"after {after} seconds" if after else "now"
        return {
            "complete": False,
            "next": event,
            "after_seconds": after,
            "what_now": f"Invoke it again {when} with the event under next.",
            **({"why": stopped.message} if stopped else {}),
        }


def _pair(act: str, row: dict[str, str]) -> PairRequest | UnlinkRequest:
    """The records of a row.

    Raises:
        ValueError: the act is unknown, or an id or the kind is none.
    """
    if act not in _ROW_OUTCOMES:
        raise ValueError(f"The act {act[:40]!r} is unknown.")
    facts = {"kind": row["kind"].casefold(), "solvimon_id": row["solvimon_id"]}
    if act == "unlink":
        return UnlinkRequest.model_validate(facts)
    return PairRequest.model_validate({**facts, "rillet_id": row["rillet_id"].casefold()})
