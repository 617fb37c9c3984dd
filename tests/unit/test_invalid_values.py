"""Invalid settings are described in words that a person knows."""

import json
import re
from typing import Any

import pytest
from pydantic import ValidationError

from solvimon_rillet.invalid_values import InvalidValue, closest_setting, invalid_values, setting_paths
from solvimon_rillet.settings import Settings

Json = dict[str, Any]
PYDANTIC = re.compile(
    r"Input should|Extra inputs|Value error|Field required|String should|valid (string|integer)"
)


def problems(values: object) -> list[InvalidValue]:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate_json(values if isinstance(values, str) else json.dumps(values))
    return invalid_values(caught.value, Settings)


CASES: list[tuple[object, str, str]] = [
    (
        {"invoice_scope": "full"},
        "invoice_scope",
        '"full" is not one of FULL, REVENUE_RECOGNITION_ONLY or AR_ONLY – did you mean FULL?',
    ),
    ({"payments": "each"}, "payments", '"each" is not one of state or record_each'),
    (
        {"matching": "lnk"},
        "matching.customers",
        '"lnk" is not one of propose, link or create – did you mean link?',
    ),
    (
        {"workflows": {"sync_customer": "perhaps"}},
        "workflows.sync_customer",
        '"perhaps" is not true or false',
    ),
    ({"start_date": "soon"}, "start_date", '"soon" is not a day such as 2026-01-31'),
    ({"start_date": "2026-13-01"}, "start_date", '"2026-13-01" is not a day such as 2026-01-31'),
    ({"ledger_restored_to": "x"}, "ledger_restored_to", '"x" is not a time such as 2026-01-31T08:00:00Z'),
    ({"tax_country": "nl"}, "tax_country", '"nl" is not two capital letters such as NL'),
    ({"tax_types": {"NL": "BTW"}}, "tax_types.NL", '"BTW" is not one of VAT, SALES_TAX or none'),
    ({"time_zones": {"PST": None}}, "time_zones.PST", "null is not a text in quotes"),
    ({"rillet": {"pacing": {"requests": 0}}}, "rillet.pacing.requests", "0 is not at least 1"),
    ({"rillet": {"pacing": {"requests": 1.5}}}, "rillet.pacing.requests", "1.5 is not a whole number"),
    ({"rillet": {"pacing": {"window_seconds": 0}}}, "rillet.pacing.window_seconds", "0 is not more than 0"),
    ({"sweep": {"lookback_days": 367}}, "sweep.lookback_days", "367 is not at most 366"),
    ({"reference_types": {"invoice": 7}}, "reference_types.invoice", "7 is not a text in quotes"),
    ({"reference_types": {"invoice": []}}, "reference_types.invoice", "should not be empty"),
    ({"rillet": {"oauth": {"scopes": [1]}}}, "rillet.oauth.scopes.0", "1 is not a text in quotes"),
    ({"workflows": 7}, "workflows", "7 is not an object in braces"),
    ({"subsidiaries": []}, "subsidiaries", "[] is not an object in braces"),
    ([], "", "[] is not an object in braces"),
    ({"invoce_scope": "FULL"}, "invoce_scope", "there is no such setting"),
    ("{", "", "is not a JSON object: EOF while parsing an object at line 1 column 1"),
]


@pytest.mark.parametrize(("values", "path", "words"), CASES)
def test_each_kind_of_mistake_is_named_with_its_path_and_in_words(
    values: object, path: str, words: str
) -> None:
    found = problems(values)[0]

    assert (found.path, found.quoted) == (path, words)
    assert not PYDANTIC.search(f"{found.quoted} {found.in_words()}")


def test_what_may_be_logged_quotes_no_value() -> None:
    found = problems({"invoice_scope": "pasted-secret", "tax_country": "pasted-secret"})

    assert "pasted-secret" not in " ".join(each.in_words() for each in found)
    assert all("pasted-secret" in each.quoted for each in found)


def test_a_long_value_is_shortened() -> None:
    [found] = problems({"invoice_scope": "x" * 5000})

    assert len(found.quoted) < 300


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("invoce_scope", "invoice_scope"),
        ("Invoice_Scope", "invoice_scope"),
        ("workflows.export_invoices", "workflows.export_invoice"),
        ("export_credit_memos", "workflows.export_credit_memo"),
        ("rillet.pacing.request", "rillet.pacing.requests"),
        ("lookback_days", "sweep.lookback_days"),
        ("zzz", None),
    ],
)
def test_did_you_mean_names_the_setting_that_is_most_alike(written: str, meant: str | None) -> None:
    assert closest_setting(written, list(setting_paths(Settings))) == meant
