"""Authlib's authorization server, with our clients, grants and endpoints."""

import json
import logging
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import InvalidRequestError, UnsupportedGrantTypeError
from flask import Response

from marketplace.installs.oauth.clients import Client, authenticate, find_client, read_credentials
from marketplace.installs.oauth.endpoints import Introspection, Revocation
from marketplace.installs.oauth.grant_types import CodeGrant, PartnerGrant, RefreshGrant
from marketplace.installs.oauth.parameters import ServerRequest
from marketplace.installs.oauth.pkce import S256Required

# Authlib writes whole tokens at its debug level.
logging.getLogger("authlib.oauth2").setLevel(logging.INFO)


class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """The server. It keeps nothing between requests, so that one serves all."""

    def query_client(self, client_id: str) -> Client | None:
        row = find_client(client_id)
        return Client(row) if row is not None else None

    def authenticate_client(
        self, request: ServerRequest, methods: list[str], endpoint: str = "token"
    ) -> Client:
        """In place of Authlib's, which tries one method after another: one method, known by what
        was shown, and one answer to all failures."""
        credentials = read_credentials(request.headers.get("Authorization"), request.form)
        client = authenticate(credentials, methods)
        request.auth_method = credentials.method
        return client

    def create_oauth2_request(self, request: ServerRequest) -> ServerRequest:
        return request

    def get_token_grant(self, request: ServerRequest) -> Any:
        if not request.payload.grant_type:
            raise InvalidRequestError("The grant_type is missing.")
        try:
            return super().get_token_grant(request)
        except UnsupportedGrantTypeError:
            # Authlib's text repeats what was sent.
            raise InvalidGrantTypeError from None

    def handle_response(self, status_code: int, payload: Any, headers: Any) -> Response:
        body = json.dumps(payload) if isinstance(payload, dict) else payload
        response = Response(body, status=status_code, headers=headers)
        response.headers["Cache-Control"] = "no-store"
        return response


class InvalidGrantTypeError(InvalidRequestError):  # type: ignore[misc]  # Authlib has no types
    """The grant type is none of ours."""

    error = "unsupported_grant_type"
    description = "Use authorization_code, refresh_token or client_credentials."


def _build() -> Server:
    built = Server()
    built.register_grant(CodeGrant, [S256Required(required=True)])
    built.register_grant(RefreshGrant)
    built.register_grant(PartnerGrant)
    built.register_endpoint(Revocation)
    built.register_endpoint(Introspection)
    return built


server = _build()
