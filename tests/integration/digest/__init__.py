"""The morning digest: once a day, and never calm when a person is needed."""
