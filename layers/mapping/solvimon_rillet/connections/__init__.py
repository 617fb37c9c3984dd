"""A connection: its settings, its secrets and its Rillet tokens."""
