"""What the vendor's texts leave open, or an organisation can choose."""

from dataclasses import dataclass, field, fields
from typing import Any

_ALLOWED = "allowed"


def _one_of(*allowed: Any) -> Any:  # noqa: ANN401 - a dataclass field stands for its value
    """Make a switch whose first position is the one it starts in."""
    return field(default=allowed[0], metadata={_ALLOWED: allowed})


@dataclass
class Switches:
    """The switches of one organisation; each starts in the first position named.

    Attributes:
        full_scope_number: an `invoice_number` in a FULL invoice, which v4 does not know: "assigned" drops it
            and gives a number of Rillet's own series, "kept" keeps it, "refused" answers 400.
        duplicate_numbers: "accept" or "refuse" a number that another invoice or credit memo has.
        closed_period_policy: "refuse" or "accept" documents dated in a closed period.
        strict_scale: rounded amounts must have exactly the currency's decimals.
        rev_rec: revenue recognition is on, so recorded invoices need references on header and items.
        memo_total: whether a credit memo's total must be "positive", or may be "any".
        over_application: "refuse" or "accept" crediting more than is open on an invoice.
        overpayment: "refuse" or "accept" a payment of more than is open on an invoice.
        mixed_status: which of the two an invoice's status names when it has both: "payment" or "credit".
        credit_event: what an invoice announces when a credit on it changes: "payment-updated" or "updated".
        token_form: a webhook's token becomes the HMAC key by decoding it ("base64") or as it is ("text").
        webhook_timestamp: a retry carries the time of the "event", or that of the "attempt".
        webhook_names: entity and event in the headers as in the OpenAPI document ("upper", with underscores)
            or as one integrator expects them ("lower", with hyphens).
        late_keys: a POST that is carried out late has asked for its idempotency key on "arrival", so that a
            second call with the key was executed meanwhile and both are; or asks on "execution".
        signatures: "one", or "several" in the header, ours last.
    """

    full_scope_number: str = _one_of("assigned", "kept", "refused")
    duplicate_numbers: str = _one_of("accept", "refuse")
    closed_period_policy: str = _one_of("refuse", "accept")
    strict_scale: bool = _one_of(True, False)
    rev_rec: bool = _one_of(False, True)
    memo_total: str = _one_of("positive", "any")
    over_application: str = _one_of("refuse", "accept")
    overpayment: str = _one_of("refuse", "accept")
    mixed_status: str = _one_of("payment", "credit")
    credit_event: str = _one_of("payment-updated", "updated")
    token_form: str = _one_of("base64", "text")
    webhook_timestamp: str = _one_of("event", "attempt")
    webhook_names: str = _one_of("upper", "lower")
    late_keys: str = _one_of("arrival", "execution")
    signatures: str = _one_of("one", "several")

    def set(self, **values: object) -> None:
        """Change some switches.

        Raises:
            ValueError: a switch does not exist, or has no such position.
        """
        known = {switch.name: switch.metadata[_ALLOWED] for switch in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no switch is called {name!r}; there are {', '.join(sorted(known))}")
            if value not in known[name]:
                positions = ", ".join(map(repr, known[name]))
                raise ValueError(f"{name} cannot be {value!r}; it can be {positions}")
        for name, value in values.items():
            setattr(self, name, value)
