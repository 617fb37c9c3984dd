"""Documents and refusals far above what a ledger record may hold are booked or recorded, never a crash."""

import json

from solvimon_rillet.ledger.record_size import size_of
from tests.support.arrange import load
from tests.support.assertions import dead_letters, rillet_invoice
from tests.support.builders import DEMO_PRODUCT, ORIGINAL, invoice, original, taxed
from tests.support.connected import Connected

LIMIT = 64 * 1024
LINES = 6_000
VIOLATIONS = 4_000


def test_an_invoice_of_6000_lines_is_booked(default: Connected) -> None:
    groups = [
        taxed("1.00", "0.21", products=[DEMO_PRODUCT], type="PRICING", reference=f"{number}")
        for number in range(LINES)
    ]
    lines = {
        name: invoice(*groups)[name] for name in ("periods", "invoice_amount_including_tax", "tax_summary")
    }
    load(default, original() | lines)

    [shown] = default.export(ORIGINAL, dry_run=True)
    [result] = default.export(ORIGINAL)

    assert (shown["outcome"], result["outcome"]) == ("would_export", "exported")
    assert len(json.dumps(shown, default=str)) < 6 * 1024 * 1024
    assert len(rillet_invoice(default, ORIGINAL)["items"]) == LINES
    default.assert_exported(ORIGINAL, only=True)
    assert size_of(default.record(ORIGINAL)) < LIMIT


def test_a_vendors_refusal_of_4000_violations_and_40_retries_of_it_are_recorded(default: Connected) -> None:
    violations = [
        {"field": f"items[{number}].price", "message": "must not be " + "refused " * 20}
        for number in range(VIOLATIONS)
    ]
    body = {"title": "Bad Request", "status": 400, "violations": violations}
    load(default, original())
    default.system.rillet.state.misbehave("status", times=0, status=400, body=body)

    outcomes = [default.export(ORIGINAL)[0] for _ in range(41)]

    kept = default.record(ORIGINAL)
    assert {each["outcome"] for each in outcomes} == {"rejected"}
    assert (kept["state"], kept["code"]) == ("rejected", "refused_by_rillet")
    assert "items[0].price" in kept["message"]
    assert f"{VIOLATIONS:,} violations" in kept["message"]
    assert size_of(kept) < LIMIT
    assert 0 <= kept["history"][0]["at"] - kept["created_at"] <= 5  # the first entry is kept
    assert dead_letters(default.system) == []
    assert len(str(outcomes[-1])) < 4_000, "and the answer is one that a person can read"
