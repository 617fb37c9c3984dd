"""Refusals of the authorization server: as JSON, by redirect, or as a page that leads nowhere."""


class OAuthError(Exception):
    """A refusal in the words of RFC 6749, sections 4.1.2.1 and 5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        """Describe a refusal.

        Args:
            error: the error code.
            description: plain words without quotes, backslashes and secrets.
            status: the HTTP code where the error is answered as JSON.
        """
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status

    def document(self) -> dict[str, str]:
        """Return the error as a client reads it, in JSON or in a redirect."""
        return {"error": self.error, "error_description": self.description}


class RedirectBack(Exception):
    """A refusal that travels to the client through the browser."""

    def __init__(self, location: str) -> None:
        super().__init__("the browser is sent back with an error")
        self.location = location


class ErrorPage(Exception):
    """A refusal that only the person in the browser sees, because no address is safe to redirect to."""


def invalid_request(description: str) -> OAuthError:
    """Build the refusal of a request that lacks, repeats or malforms a parameter."""
    return OAuthError("invalid_request", description)


def invalid_client(description: str) -> OAuthError:
    """Build the refusal of a client that did not authenticate."""
    return OAuthError("invalid_client", description, 401)


def invalid_grant(description: str) -> OAuthError:
    """Build the refusal of a code or refresh token that is not good, or not for this client."""
    return OAuthError("invalid_grant", description)
