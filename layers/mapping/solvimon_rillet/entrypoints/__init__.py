"""Lambda glue: from an event to a workflow, and from its result to an answer."""
