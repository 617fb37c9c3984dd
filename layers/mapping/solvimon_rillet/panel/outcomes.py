"""The results of document functions in words: what became of a document that was tried, or would become."""

from solvimon_rillet.panel.reading import Json, rows, text

_OUTCOME_TEXTS = {
    "exported": ("booked", "Booked in Rillet{as_number}"),
    "already_exported": ("booked", "It is booked in Rillet already{as_number}"),
    "marked": ("booked", "The payment is noted in Solvimon"),
    "synced": ("booked", "The customer in Rillet is as in Solvimon"),
    "unchanged": ("booked", "Nothing had changed"),
    "outdated": ("booked", "A newer change was noted before"),
    "differs": ("differs", "Rillet does not have it as it was booked"),
    "rejected": ("needs", "It still needs you"),
    "skipped": ("skipped", "It is not for Rillet"),
    "not_ours": ("skipped", "It is none of this connection's"),
    "queued": ("waits", "It waits, and is tried again automatically"),
    "try_again": ("waits", "A service does not answer now"),
    "would_export": ("booked", "It would be booked"),
    "would_mark": ("booked", "The payment would be noted in Solvimon"),
    "would_sync": ("booked", "The customer would be changed in Rillet"),
    "would_reject": ("needs", "It would be rejected"),
    "would_skip": ("skipped", "It would be skipped"),
}


def first_result(answer: Json) -> Json:
    """The result of the only document of an answer; empty if there is none."""
    return next(iter(rows(answer, "results")), {})


def result_text(result: Json) -> tuple[str, str]:
    """The class of a result's mark, and the result in one sentence."""
    outcome = text(result, "outcome")
    state, words = _OUTCOME_TEXTS.get(outcome, ("needs", outcome or "The function said nothing about it"))
    number = text(result, "rillet_number")
    return state, words.format(as_number=f" as {number}" if number else "")


def result_lines(result: Json) -> tuple[str, ...]:
    """What else a result says: its cause, what to do, and warnings."""
    said = [text(result, name) for name in ("message", "reason", "remedy")]
    warnings = result.get("warnings")
    return (*filter(None, said), *(map(str, warnings) if isinstance(warnings, list) else ()))
