"""An invoice with more payments than its record can hold is recorded as far as it can be, with a warning."""

from decimal import Decimal
from types import SimpleNamespace
from typing import cast
from unittest.mock import Mock

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.workflows.payments.payment_records import MAX_RECORDED, PaymentRecords


def test_400_payments_of_one_invoice_are_recorded_and_the_others_are_named() -> None:
    euro = SimpleNamespace(amount=Decimal(1), currency="EUR")
    payments = [
        SimpleNamespace(id=f"p-{number}", status="SUCCESSFUL", paid_on=None, amount=euro)
        for number in range(MAX_RECORDED + 7)
    ]
    solvimon = Mock(find_all=Mock(return_value=[]))
    connection = SimpleNamespace(
        name="default",
        solvimon=solvimon,
        rillet=SimpleNamespace(payments=lambda _: payments),
        clock=lambda: 1_800_000_000,
    )

    kept, warnings = PaymentRecords(cast("Connection", connection)).synchronize(
        "invo_1", "r-1", [], "EUR", collected=False
    )

    assert len(kept) == solvimon.create.call_count == MAX_RECORDED
    assert len(warnings) == 1
    assert warnings[0].startswith("7 more payments are not recorded")
