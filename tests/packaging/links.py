"""Installed packages as a folder of their own: all that a function may see of this machine's packages."""

import re
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path


def linked(names: Iterable[str], folder: Path) -> Path:
    """Fill a folder with links to the packages of some distributions.

    Args:
        names: distributions that are installed here.
        folder: is made.
    """
    folder.mkdir(parents=True)
    for name in names:
        found = distribution(name)
        for top in {
            file.parts[0] for file in found.files or () if file.parts[0] not in {"..", "__pycache__"}
        }:
            (folder / top).symlink_to(Path(str(found.locate_file(top))))
    return folder


def locked_names(requirements: Path) -> list[str]:
    """The distributions that a lock pins."""
    return re.findall(r"^([\w.-]+)==", requirements.read_text(encoding="utf-8"), re.MULTILINE)
