"""Thin wrappers around AWS services, which translate their errors into this package's."""
