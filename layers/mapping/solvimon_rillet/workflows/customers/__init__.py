"""Synchronise customers, and what all work on a customer has in common."""
