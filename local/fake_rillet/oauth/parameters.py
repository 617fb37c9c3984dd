"""Checked access to OAuth parameters (empty counts as absent: RFC 6749, 3.1), and all refusals."""

from collections import Counter
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

OAUTH_SCOPES = ("read", "write")


class OAuthError(Exception):
    """A refusal in the words of RFC 6749, sections 4.1.2.1 and 5.2.

    Attributes:
        document: the error as a client reads it, in JSON or in a redirect.
        status: the HTTP code where it is answered as JSON.
    """

    def __init__(self, error: str, description: str) -> None:
        """Describe a refusal in plain words without quotes, backslashes and secrets."""
        super().__init__(f"{error}: {description}")
        self.document = {"error": error, "error_description": description}
        self.status = 401 if error == "invalid_client" else 400


class RedirectBack(Exception):
    """A refusal that travels to the client through the browser."""

    def __init__(self, location: str) -> None:
        super().__init__("the browser is sent back with an error")
        self.location = location


class ErrorPage(Exception):
    """A refusal that only the person in the browser sees, because no address is safe to redirect to."""


class Parameters:
    """The parameters of one request."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        given = [(name, value) for name, value in pairs if value]
        counted = Counter(name for name, _ in given)
        self._values = dict(given)
        self._repeated = {name for name, times in counted.items() if times > 1}

    @classmethod
    def of_url(cls, url: str) -> "Parameters":
        """Read the query of a URL."""
        return cls(parse_qsl(urlsplit(url).query))

    def check(self) -> None:
        """Refuse repeated parameters.

        Raises:
            OAuthError: invalid_request.
        """
        if self._repeated:
            raise OAuthError("invalid_request", f"repeated: {', '.join(sorted(self._repeated))}")

    def get(self, name: str) -> str | None:
        """Return a parameter; one that is repeated says nothing and counts as absent."""
        return None if name in self._repeated else self._values.get(name)

    def require(self, name: str) -> str:
        """Return a parameter that must be there.

        Raises:
            OAuthError: invalid_request.
        """
        value = self.get(name)
        if value is None:
            raise OAuthError("invalid_request", f"{name} is required")
        return value


def read_scope(text: str | None, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Read a space-separated scope; left out, it means everything that is allowed.

    Raises:
        OAuthError: invalid_scope.
    """
    wanted = tuple(dict.fromkeys((text or "").split())) or allowed
    if not set(wanted) <= set(allowed):
        raise OAuthError("invalid_scope", f"the scope must be within: {' '.join(allowed)}")
    return wanted
