"""The three grants: for a code, for a refresh token, for a partner's own credentials."""

import logging
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
    grants,
)

from marketplace.core.database import db
from marketplace.core.unit_of_work import keep_writes
from marketplace.installs.customer.services.connecting import mark_connected
from marketplace.installs.models import Installation, InstallationState
from marketplace.installs.oauth import issuing
from marketplace.installs.oauth.answers import answer_address
from marketplace.installs.oauth.clients import BASIC, NONE, POST, Client
from marketplace.installs.oauth.parameters import scope_names
from marketplace.installs.oauth.tokens import LiveToken, find_refresh_token
from marketplace.installs.scopes import PARTNER_SCOPES

log = logging.getLogger(__name__)

_PAUSED = "The installation is paused. It works again once it is resumed."
_SUSPENDED = "The listing, its publisher or the customer is suspended."


@dataclass(frozen=True)
class Approval:
    """What a person approved: the installation and the scopes that the code stands for."""

    installation: Installation
    scopes: tuple[str, ...]
    user_id: int | None


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    """A code for an approval, and tokens for a code."""

    TOKEN_ENDPOINT_AUTH_METHODS = [BASIC, POST, NONE]

    @staticmethod
    def validate_authorization_redirect_uri(request: Any, client: Client) -> str:
        """The address, compared as a whole string and never left out."""
        redirect_uri = request.payload.redirect_uri
        if not redirect_uri or not client.check_redirect_uri(redirect_uri):
            raise InvalidRequestError("The redirect_uri is not registered for this client.")
        return str(redirect_uri)

    def create_authorization_response(
        self, redirect_uri: str, grant_user: Approval
    ) -> tuple[int, str, list[tuple[str, str]]]:
        """Send the browser back with a new code."""
        data = self.request.payload.data
        code = issuing.issue_code(
            self.request.client.row,
            grant_user.installation,
            user_id=grant_user.user_id,
            scopes=grant_user.scopes,
            redirect_uri=redirect_uri,
            code_challenge=data["code_challenge"],
        )
        address = answer_address(redirect_uri, {"code": code}, data.get("state"))
        return 303, "", [("Location", address)]

    def query_authorization_code(self, code: str, client: Client) -> issuing.PresentedCode | None:
        """The code if this client may exchange it now. One that was used ends its family."""
        found = issuing.find_code(code, client.row.id)
        if found is None:
            return None
        if found.used_at is not None:
            _replayed(found.grant_id, "code_replayed")
        if not found.is_valid:
            return None
        # Both end by themselves: the code is refused, and not used up.
        _refuse_blocked(found.is_suspended, found.installation_state)
        return found

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Use the code up and issue the first tokens of its grant."""
        code: issuing.PresentedCode = self.request.authorization_code
        if not issuing.use_up_code(code.id):
            _replayed(code.grant_id, "code_replayed")
        scope = code.get_scope()
        answer = issuing.issue_tokens(code.grant_id, scope, refresh_scope=scope)
        installation = db.session.get_one(Installation, code.installation_id)
        mark_connected(installation, code.user_id)
        answer["installation"] = code.installation_public_id
        return 200, answer, self.TOKEN_RESPONSE_HEADER


class RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]  # Authlib has no types
    """New tokens for a refresh token, which is then used up."""

    TOKEN_ENDPOINT_AUTH_METHODS = [BASIC, POST, NONE]

    def _validate_request_token(self, client: Client) -> LiveToken:
        shown = self.request.form.get("refresh_token")
        if not shown:
            raise InvalidRequestError("The refresh_token is missing.")
        live = find_refresh_token(shown)
        if live is None or live.client_id != client.row.id:
            replayed = issuing.used_refresh_grant(shown, client.row.id)
            if replayed is not None:
                _replayed(replayed, "refresh_replayed")
            raise InvalidGrantError("The refresh token is unknown, expired or revoked.")
        # Both end by themselves: the token is refused, and not used up.
        _refuse_blocked(live.is_suspended, live.installation_state)
        return live

    def _validate_token_scope(self, token: LiveToken) -> None:
        """Narrower than before, never wider. `token.scopes` has no more than is still granted."""
        if not set(scope_names(self.request.payload.scope)) <= token.scopes:
            raise InvalidScopeError("The scope is wider than what was granted.")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Use the token up and issue its successors."""
        token: LiveToken = self.request.refresh_token
        if not issuing.use_up_refresh_token(token.token_id):
            _replayed(token.grant_id, "refresh_replayed")
        kept = " ".join(sorted(token.scopes))
        asked = " ".join(scope_names(self.request.payload.scope))
        # RFC 6749, section 6: the new refresh token has the scope of the old one.
        answer = issuing.issue_tokens(token.grant_id, asked or kept, refresh_scope=kept)
        answer["installation"] = token.installation_public_id
        return 200, answer, self.TOKEN_RESPONSE_HEADER


class PartnerGrant(grants.ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    """A token for what the app's publisher may do with its own things."""

    TOKEN_ENDPOINT_AUTH_METHODS = [BASIC, POST]

    def validate_requested_scope(self) -> None:
        """Partner scopes alone, and named: nobody gets all of them by forgetting to choose."""
        if self.request.client.is_suspended:
            raise UnauthorizedClientError(_SUSPENDED)
        names = scope_names(self.request.payload.scope)
        if not names:
            raise InvalidScopeError("Name the scopes that you need.")
        if not set(names) <= set(PARTNER_SCOPES):
            raise InvalidScopeError("A scope is unknown, or none that a partner's client has.")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """A grant of its own for each token, so that revoking one ends no other."""
        grant_id = issuing.new_partner_grant(self.request.client.row.id)
        scope = " ".join(scope_names(self.request.payload.scope))
        answer = issuing.issue_tokens(grant_id, scope, refresh_scope=None)
        return 200, answer, self.TOKEN_RESPONSE_HEADER


def _refuse_blocked(is_suspended: bool, state: InstallationState | None) -> None:
    """Say what keeps a good code or token from being exchanged. Raises InvalidGrantError."""
    if is_suspended:
        raise InvalidGrantError(_SUSPENDED)
    if state is not InstallationState.ACTIVE:
        raise InvalidGrantError(_PAUSED)


def _replayed(grant_id: int, reason: str) -> None:
    """End the family although the answer is an error: whoever stole it must not go on, and
    whoever it was stolen from notices. Raises InvalidGrantError."""
    issuing.revoke_family(grant_id, reason)
    keep_writes()
    log.warning("oauth replay", extra={"grant_id": grant_id, "reason": reason})
    raise InvalidGrantError("It was used before. Everything that came of it is revoked.")
