"""Payments: what Rillet says was paid, marked in Solvimon."""
