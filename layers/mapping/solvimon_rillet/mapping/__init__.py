"""Solvimon to Rillet and back: pure functions of documents, links and settings."""
