"""What people have decided about records, row by row: done as far as there is time, or refused."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from solvimon_rillet.errors import NeedsAttention, Recoverable
from solvimon_rillet.invalid_values import problems_in_words
from solvimon_rillet.workflows.linking.request import LinkRequest, PairRequest, UnlinkRequest

Json = dict[str, Any]
AnswerRow = Callable[[str, PairRequest | UnlinkRequest, LinkRequest], list[str]]
Publish = Callable[..., Json]
ACTS = {"link": "linked", "different": "different", "unlink": "unlinked"}
"""What a row may ask for, and the name under which an answer counts it."""
MAX_LISTED_WARNINGS = 20
FILE_REMEDY = 'Take the file that {"csv": "products"} writes, and fill its column act.'


class LinkRows:
    """Does rows, and keeps what came of them.

    Attributes:
        counts: the rows that were done, by what they asked for, and those that were refused.
        refused: the rows that were refused, each with the cause and the remedy.
        warnings: what else a person should know of a row that was done.
        touched: the Solvimon ids of the records that documents may wait for.
        next_row: the number of the first row that was not done; ``None`` if all were.
        stopped: why it was not done; ``None`` if only the time was over.

    Args:
        request: the request.
        answer_row: does one row, and returns warnings.
    """

    def __init__(self, request: LinkRequest, answer_row: AnswerRow) -> None:
        self._request = request
        self._answer_row = answer_row
        self.counts = dict.fromkeys((*ACTS.values(), "refused"), 0)
        self.refused: list[Json] = []
        self.warnings: list[Json] = []
        self.touched: list[str] = []
        self.next_row: int | None = None
        self.stopped: Recoverable | None = None

    def run(self, rows: Iterable[tuple[int, Mapping[str, str]]], has_time: Callable[[], bool]) -> None:
        """Do rows, as long as there is time; each may be done again without harm."""
        for number, row in rows:
            if not has_time():
                self.next_row = number
                return
            try:
                self._do(number, row)
            except Recoverable as why:
                self.stopped, self.next_row = why, number
                return

    def when(self) -> Json:
        """When the rest can go on, and why it was not done; empty if there is none."""
        if self.next_row is None:
            return {}
        after = 0 if self.stopped is None else round(self.stopped.after or 60)
        when = f"after {after} seconds" if after else "now"
        return {
            "after_seconds": after,
            "what_now": f"Invoke it again {when} with the event under next.",
            **({"why": self.stopped.message} if self.stopped else {}),
        }

    def _do(self, number: int, row: Mapping[str, str]) -> None:
        act = row["act"].casefold()
        if not act:
            return
        try:
            pair = _pair(act, row)
            warnings = self._answer_row(act, pair, self._request)
        except NeedsAttention as why:
            self._refuse(number, row, why.message, why.remedy)
        except ValidationError as invalid:
            self._refuse(number, row, problems_in_words(invalid, whole=f"row {number}"), FILE_REMEDY)
        except ValueError as why:
            self._refuse(number, row, str(why), "Write link, different or unlink, or leave it empty.")
        else:
            self.counts[ACTS[act]] += 1
            self.warnings += [{"row": number, "warning": each} for each in warnings]
            if act != "unlink":
                self.touched.append(pair.solvimon_id)

    def _refuse(self, number: int, row: Mapping[str, str], error: str, remedy: str) -> None:
        self.counts["refused"] += 1
        self.refused.append({**row, "row": number, "error": error, "remedy": remedy})


def run_rows(
    connection: str,
    request: LinkRequest,
    answer_row: AnswerRow,
    publish: Publish,
    has_time: Callable[[], bool],
) -> Json:
    """Do the rows that a request has in it.

    Raises:
        RetryLater: the bus does not answer.
    """
    given = request.rows or []
    rows = [(each.row or number, each.cells()) for number, each in enumerate(given, start=2)]
    done = LinkRows(request, answer_row)
    done.run(rows, has_time)
    published = publish(done.touched, dry_run=request.dry_run)
    answer: Json = {
        "connection": connection,
        "dry_run": request.dry_run,
        "rows": len(rows),
        **done.counts,
        "results": done.refused,
        "warnings": done.warnings[:MAX_LISTED_WARNINGS],
        **published,
        "complete": done.next_row is None,
    }
    if done.next_row is not None:
        begin = [number for number, _ in rows].index(done.next_row)
        rest = request.model_copy(update={"rows": given[begin:]})
        answer |= {"left": len(given) - begin, "next": rest.model_dump(exclude_defaults=True), **done.when()}
    return answer


def _pair(act: str, row: Mapping[str, str]) -> PairRequest | UnlinkRequest:
    """The records of a row.

    Raises:
        ValueError: the act is unknown, or an id or the kind is none.
    """
    if act not in ACTS:
        raise ValueError(f"The act {act[:40]!r} is unknown.")
    facts = {"kind": row["kind"].casefold(), "solvimon_id": row["solvimon_id"]}
    if act == "unlink":
        return UnlinkRequest.model_validate(facts)
    return PairRequest.model_validate({**facts, "rillet_id": row["rillet_id"].casefold()})
