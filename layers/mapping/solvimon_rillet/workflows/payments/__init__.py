"""Payments: synchronise payment states from Rillet to Solvimon, and record edits in Rillet."""
