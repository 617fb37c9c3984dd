"""Who is notified, and where that is set: partly by settings, partly by parameters of the stack."""

from dataclasses import dataclass

from solvimon_rillet.panel.reading import Json, rows, text

_CHECK = "alarm address"
PARAMETERS = 'AlarmEmail="finance@example.com" SlackWorkspaceId="T01AB2CDE" SlackChannelId="C01AB2CDE"'
"""The parameters of the stack, with values such as they may have."""


@dataclass(frozen=True, slots=True)
class Notices:
    """Where alarms and the digest go.

    Attributes:
        mark: class of the mark.
        state: whether somebody gets them, in words.
        remedy: what to do if nobody does; empty otherwise.
        parameters: what sets them, in ``samconfig.toml``.
    """

    mark: str
    state: str
    remedy: str
    parameters: str = PARAMETERS


def notices(check: Json) -> Notices:
    """Where alarms and the digest go, from the last check of the connection.

    Args:
        check: its answer; empty if there is none.
    """
    found = next((row for row in rows(check, "checklist") if text(row, "check") == _CHECK), None)
    if found is None:
        return Notices("todo", "Not checked yet", "Overview checks it: press Refresh there.")
    ok = bool(found.get("ok"))
    return Notices(
        "booked" if ok else "needs",
        text(found, "found"),
        "" if ok else text(found, "remedy"),
    )
