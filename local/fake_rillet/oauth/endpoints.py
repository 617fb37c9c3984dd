"""The HTTP side of the authorization server; none of it counts against the rate limit."""

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from local.fake_rillet.context import state
from local.fake_rillet.oauth.clients import (
    AUTH_METHODS,
    GRANT_TYPES,
    RESPONSE_TYPES,
    WITH_SECRET,
    Client,
    authenticate,
    describe_client,
    read_client,
)
from local.fake_rillet.oauth.parameters import OAUTH_SCOPES, ErrorPage, OAuthError, Parameters, RedirectBack
from local.fake_rillet.oauth.server import AUTHORIZE_PATH, AuthorisationRequest, AuthorisationServer
from local.fake_rillet.store import Json

_SIGNATURES = [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)]

blueprint = Blueprint("oauth", __name__, template_folder="templates")


@blueprint.get("/.well-known/oauth-authorization-server")
def metadata() -> Json:
    """Describe the server (RFC 8414) with the keys of api.rillet.com's own document."""
    issuer = request.host_url.rstrip("/")
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE_PATH,
        "token_endpoint": f"{issuer}/oauth2/token",
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "jwks_uri": f"{issuer}/oauth2/jwks",
        "response_types_supported": list(RESPONSE_TYPES),
        "grant_types_supported": list(GRANT_TYPES),
        "revocation_endpoint": f"{issuer}/oauth2/revoke",
        "revocation_endpoint_auth_methods_supported": list(WITH_SECRET),
        "introspection_endpoint": f"{issuer}/oauth2/introspect",
        "introspection_endpoint_auth_methods_supported": list(WITH_SECRET),
        "code_challenge_methods_supported": ["S256"],
        "tls_client_certificate_bound_access_tokens": True,
        "dpop_signing_alg_values_supported": _SIGNATURES,
        "scopes_supported": list(OAUTH_SCOPES),
        "registration_endpoint": f"{issuer}/oauth2/register",
        "client_id_metadata_document_supported": True,
    }


@blueprint.get("/oauth2/jwks")
def keys() -> Json:
    """Return no keys: the tokens are opaque."""
    return {"keys": []}


@blueprint.get(AUTHORIZE_PATH)
def ask() -> str:
    """Ask the logged-in person for an organisation and a decision."""
    return render_template("consent.html", asked=_asked(), organisations=_server().choices())


@blueprint.post(AUTHORIZE_PATH)
def decide() -> Response:
    """Take the decision of the consent page: {organisation: id, decision: grant or deny}."""
    chosen = request.form.get("organisation", ""), request.form.get("decision", "")
    return _redirect(_server().decide(_asked(), *chosen))


@blueprint.post("/oauth2/token")
def token() -> Json:
    """Turn a code or a refresh token into tokens."""
    client, parameters = _sender(AUTH_METHODS)
    return _server().answer_token_request(client, parameters)


@blueprint.post("/oauth2/revoke")
def revoke() -> Json:
    """Revoke a token; for clients with a secret only, as the metadata says."""
    client, parameters = _sender(WITH_SECRET)
    _server().revoke(client, parameters.require("token"))
    return {}


@blueprint.post("/oauth2/introspect")
def introspect() -> Json:
    """Describe a token; for clients with a secret only, as the metadata says."""
    client, parameters = _sender(WITH_SECRET)
    return _server().introspect(client, parameters.require("token"))


@blueprint.post("/oauth2/register")
def register() -> tuple[Json, int]:
    """Register a client."""
    client = _server().register(read_client(request.get_json(silent=True)))
    return describe_client(client, _server().clock()), 201


@blueprint.after_request
def keep_nothing(response: Response) -> Response:
    """Forbid caches to keep what may hold a token (RFC 6749, 5.1)."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


@blueprint.errorhandler(OAuthError)
def answer_error(error: OAuthError) -> tuple[Json, int, dict[str, str]]:
    """Answer a refusal as JSON."""
    headers = {"WWW-Authenticate": 'Basic realm="Rillet"'} if error.status == 401 else {}
    return error.document, error.status, headers


@blueprint.errorhandler(RedirectBack)
def answer_redirect(refusal: RedirectBack) -> Response:
    """Send the browser back to the client with a refusal."""
    return _redirect(refusal.location)


@blueprint.errorhandler(ErrorPage)
def answer_page(page: ErrorPage) -> tuple[str, int]:
    """Show a refusal to the person and send the browser nowhere."""
    return render_template("error.html", message=str(page)), 400


def _server() -> AuthorisationServer:
    return state().oauth


def _asked() -> AuthorisationRequest:
    return _server().read_request(Parameters(request.args.items(multi=True)))


def _sender(accepted: tuple[str, ...]) -> tuple[Client, Parameters]:
    """Authenticate the client, and read the form; parameters in the URL do not count (RFC 6749, 3.2)."""
    parameters = Parameters(request.form.items(multi=True))
    parameters.check()
    return authenticate(request, parameters, _server().clients, accepted), parameters


def _redirect(location: str) -> Response:
    """Redirect without a body: Werkzeug's own would repeat the code in its text."""
    return Response(status=303, headers={"Location": location})
