"""Thin wrappers around AWS services: arguments in, our own errors out."""
