"""The comparison of both sides' books. Pure."""
