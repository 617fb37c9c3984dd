"""Dates and service periods: cut in the invoice's own time zone (design 4; dossier, traps 16, 17, 25)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvimon_rillet.errors import Code
from solvimon_rillet.mapping.invoices import document_day, to_rillet_invoice
from solvimon_rillet.settings import InvoiceScope, Settings
from solvimon_rillet.solvimon.models import Invoice
from tests.support.builders import LINKS, Json, group, invoice, items, refusal, sent

AMSTERDAM = "Europe/Amsterdam"


def period(start: str | None, end: str | None, timezone: str | None = AMSTERDAM) -> Json | None:
    """The revenue period of a group that starts and ends at these moments."""
    (item,) = items(invoice(group("10.00", start_at=start, end_at=end), timezone=timezone))
    found: Json | None = item.get("revenue", {}).get("period")
    return found


def invoice_date(moment: str, timezone: str | None, **time_zones: str) -> str:
    """The invoice date that Rillet gets."""
    document = invoice(group("10.00"), invoice_date=moment, timezone=timezone)
    return str(sent(document, time_zones=time_zones)["invoice_date"])


PERIODS = {
    "midnight": ("2025-12-31T23:00:00Z", "2026-01-31T23:00:00Z", "2026-01-01", "2026-01-31"),
    "23:59:59": ("2025-12-31T23:00:00Z", "2026-01-31T22:59:59Z", "2026-01-01", "2026-01-31"),
    "00:00:01": ("2025-12-31T23:00:00Z", "2026-01-31T23:00:01Z", "2026-01-01", "2026-02-01"),
    "offsets": ("2026-01-01T00:00:00+01:00", "2026-02-01T00:00:00+01:00", "2026-01-01", "2026-01-31"),
    "a moment": ("2026-01-11T12:17:21Z", "2026-01-11T12:17:21Z", "2026-01-11", "2026-01-11"),
    "at midnight": ("2026-01-10T23:00:00Z", "2026-01-10T23:00:00Z", "2026-01-11", "2026-01-11"),
    "one day": ("2026-01-10T23:00:00Z", "2026-01-11T23:00:00Z", "2026-01-11", "2026-01-11"),
    "same day": ("2026-01-11T20:00:00Z", "2026-01-11T08:00:00Z", "2026-01-11", "2026-01-11"),
    "dates without time": ("2026-01-01", "2026-01-31", "2026-01-01", "2026-01-31"),
    "date and moment": ("2026-01-01", "2026-01-31T23:00:00Z", "2026-01-01", "2026-01-31"),
    "into summer time": ("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z", "2026-03-01", "2026-03-31"),
    "out of summer time": ("2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", "2026-10-01", "2026-10-31"),
    "the day of 23 hours": ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-29", "2026-03-29"),
    "the day of 25 hours": ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-25", "2026-10-25"),
}


@pytest.mark.parametrize(("start", "end", "first", "last"), PERIODS.values(), ids=PERIODS)
def test_a_period_runs_from_its_first_to_its_last_day_both_inclusive(
    start: str, end: str, first: str, last: str
) -> None:
    assert period(start, end) == {"start": first, "end": last}


def test_a_day_without_midnight_ends_the_period_before_it() -> None:
    # Beirut's clocks went from 23:59:59 on 25 March 2023 to 01:00:00 on the 26th.
    before = period("2023-02-25T22:00:00Z", "2023-03-25T22:00:00Z", "Asia/Beirut")

    assert before == {"start": "2023-02-26", "end": "2023-03-25"}


@pytest.mark.parametrize(
    ("start", "end"), [(None, None), ("2026-01-01T00:00:00Z", None), (None, "2026-01-31T00:00:00Z")]
)
def test_a_period_that_is_not_given_whole_is_no_period(start: str | None, end: str | None) -> None:
    assert period(start, end) is None


def test_a_period_that_ends_before_it_starts_is_rejected_with_its_group() -> None:
    good = group("1.00", start_at="2026-01-01T00:00:00Z", end_at="2026-01-31T00:00:00Z")
    bad = group("2.00", start_at="2026-02-10T00:00:00Z", end_at="2026-02-01T12:00:00Z")

    error = refusal(invoice(good, bad))

    assert error.code is Code.PERIOD_REVERSED
    assert (
        error.message == "The group periods[0].groups[1] ends on 2026-02-01 before it starts on 2026-02-10."
    )
    assert "Correct the period in Solvimon" in error.remedy


@given(
    first=st.dates(date(2000, 1, 1), date(2037, 1, 1)),
    days=st.integers(1, 400),
    timezone=st.sampled_from(
        [AMSTERDAM, "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Etc/GMT+3", "UTC"]
    ),
    inclusive=st.booleans(),
)
def test_any_period_of_whole_days_comes_out_with_these_days(
    first: date, days: int, timezone: str, inclusive: bool
) -> None:
    where = ZoneInfo(timezone)
    after = first + timedelta(days=days)
    start, end = (datetime.combine(day, time.min, where) for day in (first, after))
    end -= timedelta(seconds=1 if inclusive else 0)

    found = period(start.astimezone(UTC).isoformat(), end.astimezone(UTC).isoformat(), timezone)

    assert found == {"start": first.isoformat(), "end": (after - timedelta(days=1)).isoformat()}


@pytest.mark.parametrize(
    ("moment", "timezone", "day"),
    [
        ("2026-01-31T23:30:00Z", AMSTERDAM, "2026-02-01"),
        ("2026-01-31T22:59:59Z", AMSTERDAM, "2026-01-31"),
        ("2026-07-31T22:30:00Z", AMSTERDAM, "2026-08-01"),
        ("2026-02-01T04:59:59Z", "America/New_York", "2026-01-31"),
        ("2026-01-31T23:30:00Z", "UTC", "2026-01-31"),
        ("2026-02-01T04:59:59Z", "UTC-5", "2026-01-31"),
        ("2026-02-01T05:00:00Z", "UTC-5", "2026-02-01"),
        ("2026-01-31T22:59:59Z", "GMT+1", "2026-01-31"),
        ("2026-01-31T23:30:00+00:00", AMSTERDAM, "2026-02-01"),
        ("2026-02-01T00:30:00+05:30", "UTC", "2026-01-31"),
        ("2026-01-31T23:30:00.123456789Z", AMSTERDAM, "2026-02-01"),
        ("2026-01-31T23:30:00", AMSTERDAM, "2026-02-01"),  # no zone in the text: UTC
        ("2026-01-31", "America/New_York", "2026-01-31"),  # a day is a day everywhere
        ("2026-01-31", "Pacific/Kiritimati", "2026-01-31"),
    ],
)
def test_a_moment_is_cut_to_its_day_in_the_invoices_time_zone(moment: str, timezone: str, day: str) -> None:
    assert invoice_date(moment, timezone) == day


@pytest.mark.parametrize(
    ("timezone", "day"),
    [
        ("GMT+1", "2026-02-01"),
        ("UTC+1", "2026-02-01"),
        ("UTC+01:00", "2026-02-01"),
        ("UTC+0100", "2026-02-01"),
        ("UTC+0:30", "2026-02-01"),
        ("UTC+0:29", "2026-01-31"),
        ("UTC-5", "2026-01-31"),
        ("GMT-5", "2026-01-31"),
        ("CET", "2026-02-01"),
        ("EST", "2026-01-31"),
        ("GMT", "2026-01-31"),
        ("", "2026-01-31"),
        (None, "2026-01-31"),
    ],
)
def test_time_zones_have_the_names_that_solvimon_writes(timezone: str | None, day: str) -> None:
    assert invoice_date("2026-01-31T23:30:00Z", timezone) == day


def test_an_invoice_without_time_zone_has_its_billing_entitys() -> None:
    document = invoice(group("10.00"), invoice_date="2026-01-31T23:30:00Z", timezone=None)

    payload = sent(document | {"billing_entity": {"timezone": AMSTERDAM}})

    assert payload["invoice_date"] == "2026-02-01"


@pytest.mark.parametrize(
    "timezone", ["PST", "Mars/Olympus", "UTC+25", "GMT-24:00", "Europe", "../etc/passwd", "\0", "\ud800"]
)
def test_a_time_zone_that_nobody_knows_is_rejected_with_the_setting_that_helps(timezone: str) -> None:
    error = refusal(invoice(group("10.00"), timezone=timezone))

    assert error.code is Code.TIME_ZONE_UNKNOWN
    assert repr(timezone) in error.message
    assert "time_zones" in error.remedy


def test_the_settings_teach_time_zones() -> None:
    zones = {"PST": "America/Los_Angeles", "CET": "America/New_York"}

    assert invoice_date("2026-02-01T07:59:59Z", "PST", **zones) == "2026-01-31"
    assert invoice_date("2026-02-01T08:00:00Z", "PST", **zones) == "2026-02-01"
    assert invoice_date("2026-01-31T23:30:00Z", "CET", **zones) == "2026-01-31"


def test_a_setting_that_names_no_time_zone_is_rejected_too() -> None:
    error = refusal(invoice(group("10.00"), timezone="PST"), time_zones={"PST": "Pacific"})

    assert error.code is Code.TIME_ZONE_UNKNOWN


def test_an_invoice_without_a_date_is_rejected() -> None:
    error = refusal(invoice(group("10.00"), invoice_date=None))

    assert error.code is Code.DATE_MISSING
    assert "invoice_date" in error.message


def test_an_invoice_without_a_due_date_has_none() -> None:
    assert "due_date" not in sent(invoice(group("10.00"), due_date=None))


def test_the_due_date_is_cut_in_the_same_time_zone() -> None:
    assert sent(invoice(group("10.00"), due_date="2026-02-14T23:30:00Z"))["due_date"] == "2026-02-15"


@pytest.mark.parametrize(
    ("moment", "day"), [("2026-01-31T23:30:00Z", "2026-02-01"), ("2026-01-31", "2026-01-31"), (None, "None")]
)
def test_the_day_of_a_document_is_known_before_it_is_mapped(moment: str | None, day: str) -> None:
    document = Invoice.model_validate(invoice(group("10.00"), invoice_date=moment))

    assert str(document_day(document, Settings())) == day


# A day whose books are open, instead of the invoice's own


def booked_on(day: date, scope: str = "FULL", **more: object) -> Json:
    """What is sent for an invoice of 31 January 2026, due on 14 February, on another day."""
    document = Invoice.model_validate(invoice(group("10.00"), group("20.00"), **more))
    payload: Json = to_rillet_invoice(
        document, LINKS, Settings(invoice_scope=InvoiceScope(scope)), day
    ).payload
    return payload


@pytest.mark.parametrize(("day", "due"), [(date(2026, 2, 1), "2026-02-14"), (date(2026, 3, 1), "2026-03-01")])
def test_an_invoice_booked_on_another_day_is_never_due_before(day: date, due: str) -> None:
    payload = booked_on(day)

    assert payload["invoice_date"] == day.isoformat()
    assert payload["due_date"] == due


def test_an_invoice_booked_on_another_day_without_due_date_has_none() -> None:
    assert "due_date" not in booked_on(date(2026, 3, 1), due_date=None)


def test_the_true_date_stays_in_the_memo() -> None:
    payload = booked_on(date(2026, 2, 1), notes=["Thank you."])

    assert payload["memo"] == "Thank you.\nDated 2026-01-31; booked on 2026-02-01, the first open day."
    assert [item["description"] for item in payload["items"]] == ["Platform fee", "Platform fee"]


@pytest.mark.parametrize("scope", ["REVENUE_RECOGNITION_ONLY", "AR_ONLY"])
def test_where_there_is_no_memo_the_true_date_stays_on_the_first_line(scope: str) -> None:
    payload = booked_on(date(2026, 2, 1), scope)

    assert [item["description"] for item in payload["items"]] == [
        "Platform fee (Dated 2026-01-31; booked on 2026-02-01, the first open day.)",
        "Platform fee",
    ]
