"""Where credentials may be sent: the hosts that the deployment allows in a connection's settings.

Otherwise a person who may edit settings could have the vendors' credentials sent to any address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

HOSTS_VARIABLE, HTTP_VARIABLE = "VENDOR_HOSTS", "LOCAL_SYSTEM_ALLOWS_HTTP"


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The hosts of both vendors.

    Attributes:
        names: host names, or all names below one, such as ``*.rillet.com``.
        http: whether addresses may be http and have a port. Only the local system sets it, by a variable that
            the template does not have.
    """

    names: tuple[str, ...] = ("*.solvimon.com", "*.rillet.com")
    http: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The hosts of the stack's parameter ``VendorHosts``; without it, the vendors' own."""
        listed = environment.get(HOSTS_VARIABLE, "").replace(",", " ").casefold().split()
        return cls(tuple(listed) or cls().names, environment.get(HTTP_VARIABLE) == "true")

    def check(self, address: str) -> str:
        """Return an address of a vendor's API, without a slash at its end.

        Raises:
            ValueError: what is wrong with it; the address is not quoted.
        """
        if not all("!" <= sign <= "~" for sign in address) or "\\" in address:
            raise ValueError("should be an address without blanks, control characters and backslashes")
        try:
            parts = urlsplit(address)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise ValueError("should be an https:// address") from None
        if not host or not (parts.scheme == "https" or (self.http and parts.scheme == "http")):
            raise ValueError("should be an https:// address")
        if "@" in parts.netloc or "?" in address or "#" in address:
            raise ValueError("should be an address without user, query and fragment")
        if port not in {None, 443} and not self.http:
            raise ValueError("should be an address without a port")
        if not any(_is_host(host, name) for name in self.names):
            raise ValueError(
                f"should be on a host that the deployment allows ({', '.join(self.names)}); the stack's "
                "parameter VendorHosts has the list"
            )
        return address.rstrip("/")


def _is_host(host: str, name: str) -> bool:
    return host.endswith(name[1:]) and len(host) >= len(name) if name.startswith("*.") else host == name
