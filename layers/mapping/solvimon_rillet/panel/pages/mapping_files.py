"""Links as CSV: the whole list as a file, and a file with what a person has decided."""

import json
from typing import Any

from solvimon_rillet.csv_files import csv_rows
from solvimon_rillet.formatting import clip
from solvimon_rillet.panel.causes import LINKABLE
from solvimon_rillet.panel.functions import InvocationFailed
from solvimon_rillet.panel.list_files import saved_list_path
from solvimon_rillet.panel.page import Outcome, Route
from solvimon_rillet.panel.reading import Json, count, rows, text
from solvimon_rillet.panel.rendering import plural
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.visit import Visit

MAX_FILE_BYTES = 512 * 1024
MAX_DECIDED_ROWS = 200
PATIENCE_SECONDS = 12
"""How long a function may begin further rows, so that its answer comes while a page waits."""
_NEEDED = ("act", "kind", "solvimon_id", "rillet_id")
_SENT = ("act", "kind", "solvimon_id", "solvimon_name", "rillet_id", "rillet_name")
_CSV = ("act", "kind", "solvimon_id", "solvimon_name", "rillet_id", "rillet_name", "row", "error", "remedy")
_NAME_BYTES = 60


def write(visit: Visit, plural: str) -> Outcome:
    """Have the whole list written as a file."""
    listed = _linkable_kind(plural)
    # A long list takes longer than a page waits. Its name is chosen here, so that it can be saved then, too.
    stamp = visit.now.replace("-", "").replace(":", "")
    event = visit.event(csv=listed, file=f"links-{listed}-{stamp}.csv")
    try:
        answered = visit.act("link_records", event)
    except InvocationFailed as error:
        if not error.unknown:
            raise
        return _being_written(listed, event)
    answer, number = answered.answer, count(answered.answer, "rows")
    return Outcome(
        what="Wrote the list",
        on=listed,
        text=f"The list of {listed} is ready: {number:,} rows",
        lines=(
            "Write link, different or unlink into the column act of the rows that you decide, and save it as "
            "CSV UTF-8. Then choose it under “Links from a file”.",
        ),
        answer=answer,
        function="link_records",
        event=answered.invocation.event,
        links=(
            *([("Save the file", path)] if (path := saved_list_path(text(answer, "csv"))) else []),
            ("Links", f"/mappings/{listed}"),
        ),
        path=f"/mappings/{listed}",
    )


def _being_written(listed: str, event: Json) -> Outcome:
    """The result of a list that is not written yet."""
    return Outcome(
        what="Began to write the list",
        on=listed,
        state="sends",
        text=f"The list of {listed} is long, and is still being written",
        lines=("It can be saved within five minutes.",),
        function="link_records",
        event=event,
        links=(("Save the file", saved_list_path(text(event, "file"))), ("Links", f"/mappings/{listed}")),
        path=f"/mappings/{listed}",
    )


def check(visit: Visit, plural: str) -> Outcome:
    """Check what a file says, and change nothing."""
    listed = _linkable_kind(plural)
    try:
        decided = _decided(visit.form.files.get("file", b""))
    except ValueError as problem:
        return _unreadable_file(listed, str(problem))
    answered = visit.act("link_records", visit.event(**_rows(decided), dry_run=True))
    answer = answered.answer
    left = count(answer, "left")
    refused = {count(row, "row") for row in rows(answer, "results")}
    return Outcome(
        what="Checked a file of links",
        on=listed,
        state="needs" if refused else "todo",
        text=_checked_text(len(decided), len(refused), left),
        answer=answer,
        function="link_records",
        event=answered.invocation.event,
        template="links_checked.html.j2",
        view={
            "plural": listed,
            "decided": [row for row in decided if row["row"] not in refused],
            "rows": json.dumps(decided, ensure_ascii=False),
            "left": left,
            "csv": _CSV,
        },
        links=(("Links", f"/mappings/{listed}"),),
        path=f"/mappings/{listed}",
    )


def do(visit: Visit, plural: str) -> Outcome:
    """Do what a checked file says."""
    listed = _linkable_kind(plural)
    try:
        decided = json.loads(visit.form.get("rows"))
    except ValueError:
        decided = None
    if not isinstance(decided, list) or not decided:
        return _unreadable_file(listed, "The rows of the file are missing.")
    answered = visit.act("link_records", visit.event(**_rows(decided)))
    answer = answered.answer
    done = sum(count(answer, name) for name in ("linked", "different", "unlinked"))
    refused, left = rows(answer, "results"), count(answer, "left")
    warnings = [f"Row {text(each, 'row')}: {text(each, 'warning')}" for each in rows(answer, "warnings")]
    return Outcome(
        what="Did what a file says",
        on=listed,
        state="needs" if refused else "sends" if left else "booked",
        text=_done_text(done, len(refused), left),
        lines=(*continued(answer), *filter(None, [text(answer, "why")]), *warnings),
        answer=answer,
        function="link_records",
        event=answered.invocation.event,
        template="links_done.html.j2",
        view={
            "plural": listed,
            "rest": json.dumps(_left_rows(answer), ensure_ascii=False) if left else "",
            "left": left,
            "csv": _CSV,
        },
        links=(("Links", f"/mappings/{listed}"), ("Needs attention", "/needs-attention")),
        path=f"/mappings/{listed}",
    )


def continued(answer: Json) -> tuple[str, ...]:
    """What became of the documents that waited for a link."""
    number = count(answer, "documents_continued")
    verb = "is" if number == 1 else "are"
    return (f"{plural(number, 'document')} that waited {verb} tried again.",) if number else ()


def _left_rows(answer: Json) -> list[Any]:
    """The rows that are left of an answer."""
    following = answer.get("next")
    return list(rows(following, "rows")) if isinstance(following, dict) else []


def _linkable_kind(given: str) -> str:
    return given if given in LINKABLE.values() else "products"


def _rows(decided: list[Any]) -> dict[str, Any]:
    return {"rows": decided, "within_seconds": PATIENCE_SECONDS}


def _decided(content: bytes) -> list[dict[str, Any]]:
    """The rows of a file in which a person has decided something.

    Raises:
        ValueError: there is no such row, or the file cannot be taken; the message says what to do.
    """
    if not content:
        raise ValueError("Choose a file first.")
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"It has {len(content):,} bytes; {MAX_FILE_BYTES:,} are taken here. {_INSTEAD}")
    found = [(number, row) for number, row in csv_rows(content, _NEEDED) if row["act"]]
    if not found:
        raise ValueError("No row of it has anything in the column act, so it decides nothing.")
    if len(found) > MAX_DECIDED_ROWS:
        raise ValueError(f"It decides {len(found):,} rows; {MAX_DECIDED_ROWS} are taken at once. {_INSTEAD}")
    return [
        {"row": number, **{name: clip(row.get(name, ""), _NAME_BYTES) for name in _SENT if row.get(name)}}
        for number, row in found
    ]


_INSTEAD = (
    "Split it, or put it into the folder lists/ of the bucket of reports and invoke link_records with csv_in."
)


def _unreadable_file(listed: str, problem: str) -> Outcome:
    return Outcome(
        "Did not read a file",
        problem,
        on=listed,
        state="needs",
        lines=("Nothing was changed.",),
        links=(("Back to the form", f"/mappings/{listed}#file"),),
        path=f"/mappings/{listed}",
    )


def _checked_text(number: int, refused: int, left: int) -> str:
    good = number - refused - left
    parts = [f"{plural(good, 'row') if good else 'None'} of {number} can be done"]
    parts += [f"{refused} would be refused"] if refused else []
    parts += [f"{left} not checked yet"] if left else []
    return ", ".join(parts)


def _done_text(done: int, refused: int, left: int) -> str:
    parts = [f"{plural(done, 'row')} done"]
    parts += [f"{refused} refused"] if refused else []
    parts += [f"{left} left"] if left else []
    return ", ".join(parts)


_PATH = "/mappings/<plural>"
ROUTES = [
    Route("POST", f"{_PATH}/file", Role.VIEWER, write, "dry-run"),
    Route("POST", f"{_PATH}/check", Role.VIEWER, check, "dry-run"),
    Route("POST", f"{_PATH}/rows", Role.OPERATOR, do, "link"),
]
"""The routes of files of links."""
