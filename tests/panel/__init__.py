"""The panel: who may see and do what, and what its pages show."""
