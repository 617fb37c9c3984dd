"""The parts of the story; each has a `SECTION`."""
