"""Long lists of names, written as text so that a person can read them."""


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(text.split())
