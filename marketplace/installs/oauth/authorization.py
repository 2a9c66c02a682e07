"""Checking an authorization request, before anybody is asked anything.

First where an answer may go at all: as long as that is not certain, the person sees a page of
ours and is sent nowhere. Everything after it is answered to the app.
"""

from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.installs.customer.asking import allowed_scopes
from marketplace.installs.models import (
    App,
    ClientKind,
    Installation,
    InstallationState,
    OAuthClient,
)
from marketplace.installs.oauth.answers import answer_address, issuer
from marketplace.installs.oauth.clients import find_client
from marketplace.installs.oauth.parameters import (
    Parameters,
    ServerRequest,
    is_printable,
    refuse_repeated,
    scope_names,
)
from marketplace.installs.oauth.server import server


class UnsafeRequestError(Exception):
    """It is not certain who asks or where the answer belongs. `detail` is for the person."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class RefusedRequestError(Exception):
    """The request is wrong, and `address` is where its app learns so."""

    def __init__(self, error: OAuth2Error, address: str) -> None:
        super().__init__(str(error))
        self.error = str(error.error)
        self.description = str(error.description or "")
        self.address = address


@dataclass(frozen=True)
class AuthorizationRequest:
    """A request that is in order. `grant` is Authlib's, which makes the code."""

    client: OAuthClient
    app: App
    redirect_uri: str
    state: str | None
    # None: whatever the app may ask for.
    scopes: tuple[str, ...]
    # The app wants the person to be asked although nothing is new.
    asks_again: bool
    # Which installation the app wants to connect, when it knows; a wish, checked later.
    installation: str | None
    grant: Any

    def answer(self, error: str, description: str = "") -> str:
        """The address that tells the app of an error."""
        return error_address(self.redirect_uri, error, description, self.state)


def error_address(redirect_uri: str, error: str, description: str, state: str | None) -> str:
    """The address that tells an app of an error."""
    answer = {"error": error}
    if description:
        answer["error_description"] = description
    return answer_address(redirect_uri, answer, state)


def find_destination(parameters: Parameters) -> tuple[OAuthClient, str]:
    """Who asks, and where the answer goes. Raises UnsafeRequestError."""
    client_ids = parameters.getlist("client_id")
    client = find_client(client_ids[0]) if len(client_ids) == 1 else None
    if client is None or client.kind is not ClientKind.APP:
        raise UnsafeRequestError(
            "The link names no app that is registered here. Go back to the app and try again; "
            "when it happens again, tell its support."
        )
    redirect_uris = parameters.getlist("redirect_uri")
    if len(redirect_uris) != 1 or redirect_uris[0] not in client.redirect_uris:
        raise UnsafeRequestError(
            "The app wants to send you to an address that it has not registered here. You stay "
            "here, because it may be a forgery. Tell the app's support."
        )
    return client, redirect_uris[0]


def check_request(parameters: Parameters) -> AuthorizationRequest:
    """The request, when it is in order.

    Raises UnsafeRequestError, or RefusedRequestError when the app can be told.
    """
    client, redirect_uri = find_destination(parameters)
    state = parameters.get("state")
    try:
        if state is not None and not is_printable(state):
            state = None
            raise InvalidRequestError("The state has characters other than printable ASCII.")
        if len(parameters.getlist("state")) > 1:
            state = None
        refuse_repeated(parameters)
        _check_kind(parameters)
        scopes = _check_scopes(client, parameters.get("scope"))
        request = ServerRequest("GET", f"{issuer()}/oauth/authorize", parameters, {})
        grant = server.get_consent_grant(request)
    except OAuth2Error as error:
        address = error_address(redirect_uri, error.error, error.description, state)
        raise RefusedRequestError(error, address) from None
    if client.app is None:  # the database does not know that an app's client has an app
        raise UnsafeRequestError("The link names no app that is registered here.")
    return AuthorizationRequest(
        client=client,
        app=client.app,
        redirect_uri=redirect_uri,
        state=state,
        scopes=scopes,
        asks_again="consent" in parameters.get("prompt", "").split(),
        installation=parameters.get("installation"),
        grant=grant,
    )


class UnknownResponseTypeError(InvalidRequestError):  # type: ignore[misc]  # Authlib has no types
    """Anything but a code."""

    error = "unsupported_response_type"
    description = "The response_type must be code."


class RequestObjectError(InvalidRequestError):  # type: ignore[misc]  # Authlib has no types
    """A signed request object (RFC 9101)."""

    error = "request_not_supported"
    description = "Request objects are not supported. Push the request instead."


def _check_kind(parameters: Parameters) -> None:
    if "request" in parameters:
        raise RequestObjectError
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequestError("The response_mode must be query.")
    if not parameters.get("response_type"):
        raise InvalidRequestError("The response_type is missing.")
    if parameters["response_type"] != "code":
        raise UnknownResponseTypeError
    if not all(is_printable(value) for value in parameters.values()):
        raise InvalidRequestError("A parameter has characters other than printable ASCII.")


def _check_scopes(client: OAuthClient, scope: str | None) -> tuple[str, ...]:
    """The scopes asked for: those of the app's listing, or what an installation still has."""
    names = scope_names(scope)
    unknown = set(names) - set(allowed_scopes(client))
    if unknown and not _is_granted_somewhere(client, unknown):
        raise InvalidScopeError("The app may not ask for one of these scopes.")
    return names


def _is_granted_somewhere(client: OAuthClient, scopes: set[str]) -> bool:
    granted = db.session.scalars(
        select(Installation.granted_scopes).where(
            Installation.app_id == client.app_id,
            Installation.environment == client.environment,
            Installation.state != InstallationState.UNINSTALLED,
        )
    )
    return any(scopes <= set(names) for names in granted)
