"""Solvimon's words that several parts must read the same way."""

CREDIT_TYPES = frozenset({"CREDIT", "ONE_OFF_CREDIT"})
"""Types of an invoice that is a credit note."""
