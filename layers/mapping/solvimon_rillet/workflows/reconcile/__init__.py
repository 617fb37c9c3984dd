"""Reconciliation: both sides' documents of a period, compared."""
