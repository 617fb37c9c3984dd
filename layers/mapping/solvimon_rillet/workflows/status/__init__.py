"""Status: an overview, the history of a document, and manual resolutions."""
