"""Headings and examples of a page in Markdown."""

import re


def anchor(title: str) -> str:
    """Return the anchor that a renderer of Markdown makes of a heading."""
    return re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")


def blocks(page: str, language: str) -> list[str]:
    """Return the fenced blocks of a language, in order."""
    return re.findall(rf"^ *```{language}\n(.+?)^ *```$", page, flags=re.DOTALL | re.MULTILINE)
