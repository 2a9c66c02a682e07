"""What clients call: token, revocation, introspection, pushed requests, metadata."""

import functools
from collections.abc import Callable
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from flask import Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from marketplace.core.limits import limiter
from marketplace.core.permissions import public
from marketplace.installs.models import ClientKind
from marketplace.installs.oauth import metadata as discovery
from marketplace.installs.oauth.answers import issuer
from marketplace.installs.oauth.authorization import (
    RefusedRequestError,
    UnsafeRequestError,
    check_request,
)
from marketplace.installs.oauth.clients import (
    BASIC,
    NONE,
    POST,
    Client,
    UnknownClientError,
    read_credentials,
)
from marketplace.installs.oauth.parameters import (
    Parameters,
    ServerRequest,
    from_pairs,
    refuse_repeated,
)
from marketplace.installs.oauth.pushed import PUSHED_LIFE, push
from marketplace.installs.oauth.server import server
from marketplace.installs.oauth.views.blueprints import endpoints

MAX_BODY_BYTES = 64 * 1024
FORM = "application/x-www-form-urlencoded"
# Secrets have 256 random bits: this keeps noise and load down, it is not what protects them.
FAILURES = "30 per minute"
TOKEN_REQUESTS = "300 per minute"  # noqa: S105 - a rate
# A resource server may ask for each call that it gets.
QUESTIONS = "6000 per minute"

AUTHORIZE = "/oauth/authorize"
METADATA = "/.well-known/oauth-authorization-server"
_DESCRIPTIONS = {
    404: "There is no such endpoint. The metadata names them all.",
    405: "The endpoint takes another method. Allow names it.",
    413: "The request is too large.",
    429: "Too many requests. Try again in a minute.",
}

View = Callable[[ServerRequest], Response]


def _client_key() -> str:
    """The caller's address with the client that it says it is."""
    return f"{get_remote_address()}:{_claimed_client()}"


def _claimed_client() -> str:
    try:
        credentials = read_credentials(request.headers.get("Authorization"), request.form)
    except (OAuth2Error, HTTPException):
        return ""
    return credentials.client_id[:60]


def _failed(response: Response) -> bool:
    return response.status_code == 401


_failures = limiter.limit(
    FAILURES, key_func=lambda: f"oauth:{get_remote_address()}", deduct_when=_failed
)


def machine(view: View) -> Callable[[], Response]:
    """A form in, JSON out: whatever was sent, the answer is one of RFC 6749 section 5.2."""

    @functools.wraps(view)
    def answer() -> Response:
        asked: ServerRequest | None = None
        try:
            asked = ServerRequest(
                "POST", f"{issuer()}{request.path}", _form(), dict(request.headers.items())
            )
            refuse_repeated(asked.form)
            return view(asked)
        except OAuth2Error as error:
            refused: Response = server.handle_error_response(asked, error)
            return refused

    return answer


def _form() -> Parameters:
    if request.mimetype != FORM:
        raise InvalidRequestError(f"Send the parameters as {FORM}.")
    return from_pairs(request.form.items(multi=True))


@endpoints.before_request
def limit_bodies() -> None:
    """What these endpoints take is small."""
    request.max_content_length = MAX_BODY_BYTES


@endpoints.before_app_request
def refuse_unrouted() -> ResponseReturnValue | None:
    """A wrong address or method beside the endpoints, which no view sees: for programs as well."""
    error = request.routing_exception
    if not isinstance(error, NotFound | MethodNotAllowed):
        return None
    path = request.path.rstrip("/")
    is_people = path == AUTHORIZE or path.startswith(f"{AUTHORIZE}/")
    if is_people or not (path == METADATA or path.startswith("/oauth/")):
        return None
    return let_browser_apps_read(current_app.make_response(refused(error)))


@endpoints.errorhandler(HTTPException)
def refused(error: HTTPException) -> ResponseReturnValue:
    """Too large, too often: for programs, like every other error here."""
    if error.code is None or error.code < 400:
        return error
    is_limit = error.code == 429
    response = jsonify(
        error="temporarily_unavailable" if is_limit else "invalid_request",
        error_description=_DESCRIPTIONS.get(error.code, "The request cannot be understood."),
    )
    response.status_code = error.code
    response.headers["Cache-Control"] = "no-store"
    if is_limit:
        response.headers["Retry-After"] = "60"
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return response


@endpoints.after_request
def let_browser_apps_read(response: Response) -> Response:
    """Public clients run in browsers too. No cookie counts here, so that any origin may read."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@endpoints.post("/oauth/token")
@public("the client authenticates itself")
@_failures
@limiter.limit(TOKEN_REQUESTS, key_func=_client_key)
@machine
def token(asked: ServerRequest) -> Response:
    """Tokens for a code, for a refresh token, or for a partner's own credentials."""
    response: Response = server.create_token_response(asked)
    return response


@endpoints.post("/oauth/revoke")
@public("the client authenticates itself")
@_failures
@limiter.limit(TOKEN_REQUESTS, key_func=_client_key)
@machine
def revoke(asked: ServerRequest) -> Response:
    """Give a token back."""
    response: Response = server.create_endpoint_response("revocation", asked)
    return response


@endpoints.post("/oauth/introspect")
@public("the client authenticates itself")
@_failures
@limiter.limit(QUESTIONS, key_func=_client_key)
@machine
def introspect(asked: ServerRequest) -> Response:
    """What a token may do right now."""
    response: Response = server.create_endpoint_response("introspection", asked)
    return response


@endpoints.post("/oauth/par")
@public("the client authenticates itself")
@_failures
@limiter.limit(TOKEN_REQUESTS, key_func=_client_key)
@machine
def par(asked: ServerRequest) -> Response:
    """Keep an authorization request for the browser that will come with its address."""
    client: Client = server.authenticate_client(asked, [BASIC, POST, NONE])
    if client.row.kind is not ClientKind.APP:
        raise UnknownClientError
    parameters = from_pairs(asked.form.items(multi=True))
    if "request_uri" in parameters:
        raise InvalidRequestError("A pushed request has no request_uri.")
    for name in ("client_secret", "continue", "organization"):
        parameters.poplist(name)
    parameters["client_id"] = client.row.client_id
    try:
        check_request(parameters)
    except UnsafeRequestError:
        raise InvalidRequestError("The redirect_uri is not registered for this client.") from None
    except RefusedRequestError as error:
        raise OAuth2Error(error=error.error, description=error.description) from None
    uri = push(client.row, parameters)
    answer: dict[str, Any] = {
        "request_uri": uri,
        "expires_in": int(PUSHED_LIFE.total_seconds()),
    }
    response: Response = server.handle_response(201, answer, [("Content-Type", "application/json")])
    return response


@endpoints.get(METADATA)
@public("this is how clients find the endpoints")
def metadata() -> ResponseReturnValue:
    """RFC 8414 metadata."""
    response = jsonify(discovery.metadata())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
