"""The errors behind Rillet's 4xx answers."""

from solvimon_rillet.errors import Code, Conflict, NeedsAttention
from solvimon_rillet.formatting import clip
from solvimon_rillet.http.failures import RequestRejected

_MAX_REASON_BYTES = 900  # bytes of Rillet's text, so that the message fits a record


def write_error(rejected: RequestRejected) -> Exception:
    """The error for a rejected write; after a 409 it may be in progress or done."""
    if rejected.status == 409:
        return Conflict("Rillet answered 409: this request may be in progress or done.")
    return needs_attention(rejected)


def needs_attention(rejected: RequestRejected) -> NeedsAttention:
    """The error for a rejected request, from the problem document (RFC 9457) in Rillet's answer."""
    problem = rejected.problem
    reason = " ".join(filter(None, (str(problem.get(key) or "") for key in ("title", "detail"))))
    violations = problem.get("violations")
    if isinstance(violations, list):
        fields = [f"{v.get('field')}: {v.get('message')}" for v in violations if isinstance(v, dict)]
        reason = "; ".join(filter(None, (reason, *fields)))
    message = f"Rillet refused it ({rejected.status})."
    quoted = clip(reason, _MAX_REASON_BYTES) or "without a reason"
    if isinstance(violations, list) and len(reason.encode(errors="replace")) > _MAX_REASON_BYTES:
        quoted += f". It names {len(violations):,} violations in all"
    problem_type, lower = str(problem.get("type") or ""), reason.lower()
    if (
        problem_type.endswith("external_reference_type_not_found")
        or "external reference type does not exist" in lower
    ):
        return NeedsAttention(
            Code.REFERENCE_TYPE_MISSING,
            message,
            "In Rillet, add the reference type under Settings → External References (the settings' "
            "reference_types name it), then retry.",
            quoted=quoted,
        )
    if "restricted type" in lower:
        return NeedsAttention(
            Code.REFERENCE_TYPE_RESTRICTED,
            message,
            "Set reference_types.invoice_line in the settings to another type, or to null, then retry.",
            quoted=quoted,
        )
    if "period" in lower and "closed" in lower:
        return NeedsAttention(
            Code.RILLET_PERIOD_CLOSED,
            message,
            "Open the period in Rillet, then retry; or book the document by hand.",
            quoted=quoted,
        )
    if rejected.status == 404 or "not found" in lower or "does not exist" in lower:
        return NeedsAttention(
            Code.RILLET_RECORD_MISSING,
            message,
            "A linked customer, product or subsidiary is no longer in Rillet. Correct its Rillet id in "
            "Solvimon's custom field, then retry.",
            quoted=quoted,
        )
    return NeedsAttention(
        Code.REFUSED_BY_RILLET,
        message,
        "Correct what Rillet names, in Solvimon or in the settings, then retry.",
        quoted=quoted,
    )
