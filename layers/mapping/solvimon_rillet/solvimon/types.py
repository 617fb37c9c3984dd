"""Solvimon's enum values that several modules use."""

CREDIT_TYPES = frozenset({"CREDIT", "ONE_OFF_CREDIT"})
"""Types of invoices that are credit notes."""
RILLET_INVOICE_ID_FIELD = "rillet_invoice_id"
"""Reference of the custom field with Rillet's id of a document, unless the settings name another."""
