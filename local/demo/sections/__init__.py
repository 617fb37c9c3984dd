"""The parts of the demo; each has a `SECTION`."""
