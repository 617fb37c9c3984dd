"""Solvimon's enum values that several modules use."""

CREDIT_TYPES = frozenset({"CREDIT", "ONE_OFF_CREDIT"})
"""Types of invoices that are credit notes."""
