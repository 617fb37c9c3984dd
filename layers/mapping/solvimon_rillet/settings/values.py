"""The values that several groups of settings have: addresses, links and time zones. Each is checked."""

from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

from solvimon_rillet.http.allowed_hosts import AllowedHosts


class SettingsGroup(BaseModel):
    """A group of settings; an unknown name is rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _web_address(value: str, info: ValidationInfo) -> str:
    hosts = info.context if isinstance(info.context, AllowedHosts) else AllowedHosts()
    return hosts.check(value)


def _is_link(value: str) -> bool:
    """Whether people can follow it as a link that takes no credential along."""
    parts = urlsplit(value)
    whole = all("!" <= sign <= "~" for sign in value) and parts.scheme == "https" and parts.hostname
    return bool(whole) and "@" not in parts.netloc


def _desk_link(value: str) -> str:
    if value != "auto" and not _is_link(value):
        raise ValueError("should be an https:// address without blanks and user, or auto")
    return value


def _document_link(value: str) -> str:
    if not _is_link(value) or "{id}" not in value:
        raise ValueError("should be an https:// address without blanks and user, with {id} for the id")
    return value


def _checked_time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        raise ValueError("should be an IANA time zone, such as Europe/Amsterdam") from None
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
DeskLink = Annotated[str, AfterValidator(_desk_link)]
DocumentLink = Annotated[str, AfterValidator(_document_link)]
TimeZone = Annotated[str, AfterValidator(_checked_time_zone)]
