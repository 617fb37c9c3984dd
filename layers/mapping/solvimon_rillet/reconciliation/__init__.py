"""Comparing both sides' books: pure, and read by people."""
