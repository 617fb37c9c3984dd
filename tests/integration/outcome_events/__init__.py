"""Outcomes as events on the bus: published after the ledger has them, and never in the way."""
