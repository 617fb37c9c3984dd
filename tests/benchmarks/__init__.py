"""Measurements: ratios in one run, call counts, and the share of the rate limit used."""
