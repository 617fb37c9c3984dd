"""The sweep: finds what no webhook announced."""
