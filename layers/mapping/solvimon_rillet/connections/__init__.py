"""Connections: settings, secrets and Rillet tokens."""
