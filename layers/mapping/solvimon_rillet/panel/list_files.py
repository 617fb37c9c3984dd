"""Lists in the bucket that a person saves: previews of imports, and links as CSV."""

import re
from urllib.parse import quote

_FILE_NAME = re.compile(r"(links|preview)-[a-z]{1,20}-\d{8}T\d{6}Z(-[0-9a-f]{8})?\.csv", re.ASCII)


def is_list_name(name: str) -> bool:
    """Whether a text has the form of a list's name."""
    return _FILE_NAME.fullmatch(name) is not None


def saved_list_path(key: str) -> str:
    """The path at which a list is saved, by its key in the bucket; empty for a key of another form."""
    name = key.rpartition("/")[2]
    return f"/lists/{quote(name)}" if is_list_name(name) else ""
