"""The deployment's OAuth client at Rillet, and its access to the authorization server."""

from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.credentials import check_credential
from solvimon_rillet.errors import ConnectionBroken
from solvimon_rillet.rillet.oauth import OAuthClient, OAuthEndpoints, RilletOAuth
from solvimon_rillet.settings import RilletSettings

CLIENT_SECRET = "rillet-oauth-client"  # noqa: S105 - the secret's name
_REGISTER = (
    f"Register a client at Rillet and put its client_id (and client_secret, if it has one) into the secret "
    f"…/{CLIENT_SECRET}."
)
_CLIENT_KEYS = ("client_id", "client_secret")


def oauth_client(configuration: Configuration) -> OAuthClient:
    """The deployment's OAuth client at Rillet.

    Raises:
        ConnectionBroken: there is none yet, or it has a character that no credential has.
    """
    try:
        secret = configuration.deployment_secret(CLIENT_SECRET)
    except ConnectionBroken as error:
        raise ConnectionBroken(f"{error} {_REGISTER}") from None
    if not secret.get("client_id"):
        raise ConnectionBroken(f"This deployment has no OAuth client yet. {_REGISTER}")
    values = (check_credential(f"…/{CLIENT_SECRET}", key, secret.get(key, "")) for key in _CLIENT_KEYS)
    return OAuthClient(*values)


def authorization_server(
    configuration: Configuration, settings: RilletSettings, redirect_uri: str = ""
) -> RilletOAuth:
    """Rillet's authorization server for the deployment's client; raises as ``oauth_client``."""
    endpoints = OAuthEndpoints(
        settings.endpoint("authorization"),
        settings.endpoint("token"),
        settings.endpoint("revocation"),
        tuple(settings.oauth.scopes),
    )
    return RilletOAuth(oauth_client(configuration), endpoints, redirect_uri)
