"""The parts of the demo; each module has a `SECTION`, or several by name."""
