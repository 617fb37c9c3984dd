"""The YAML files beside this module."""

from pathlib import Path

import yaml

from local.sample_data.identity import Json


def rows(name: str) -> Json:
    """Return the rows of a file such as `invoices`, by their names."""
    text = (Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8")
    found: Json = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return found
