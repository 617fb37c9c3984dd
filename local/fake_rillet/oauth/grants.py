"""What a person granted, and the codes and tokens that stand for it."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

ACCESS = "access"
REFRESH = "refresh"
CODE_SECONDS = 60


@dataclass
class Grant:
    """One consent: all tokens that descend from it are a family."""

    client_id: str
    organisation_id: str
    scope: tuple[str, ...]
    revoked: bool = False


@dataclass
class Code:
    """An authorization code, which is good once and for 60 seconds."""

    value: str = field(repr=False)
    grant: Grant
    redirect_uri: str
    code_challenge: str
    issued_at: float
    used: bool = False

    def expired(self, now: float) -> bool:
        """Tell whether its time is over."""
        return now >= self.issued_at + CODE_SECONDS

    def verified_by(self, code_verifier: str) -> bool:
        """Tell whether the PKCE verifier belongs to the challenge."""
        digest = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest())
        return hmac.compare_digest(digest.rstrip(b"="), self.code_challenge.encode())


@dataclass
class Token:
    """An access or refresh token.

    Attributes:
        kind: `ACCESS` or `REFRESH`.
        scope: an access token may have less than its grant.
        issued_at: Unix seconds.
        expires_at: Unix seconds; fixed when it was issued.
        rotated_at: when a refresh token was first replaced by another one.
        revoked: by itself; its whole grant may be revoked as well.
    """

    value: str = field(repr=False)
    kind: str
    grant: Grant
    scope: tuple[str, ...]
    issued_at: float
    expires_at: float
    rotated_at: float | None = None
    revoked: bool = False

    def alive(self, now: float) -> bool:
        """Tell whether it is neither expired nor revoked; a rotated one may still be."""
        return not self.revoked and not self.grant.revoked and now < self.expires_at
