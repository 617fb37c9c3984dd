"""HTML from Jinja templates: escaped, and strict about names. Pure; Jinja is imported on first use."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def template_environment(folder: Path, filters: Mapping[str, Callable[..., Any]]) -> "Environment":
    """The templates of a folder.

    Args:
        folder: has the templates.
        filters: by their names in the templates.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters |= filters
    return environment
