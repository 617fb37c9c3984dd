"""Long work in steps: the steps of a durable execution, and the record of a run."""
