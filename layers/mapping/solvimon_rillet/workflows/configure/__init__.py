"""Show, change and restore the settings of a connection."""
