"""Refusals of the authorization server: as JSON, by redirect, or as a page that leads nowhere."""


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
