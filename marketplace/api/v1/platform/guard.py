"""What stands before every view of the platform API: the token, its limit, its scope, the rule.

The order is told to clients by the answers: 401 before 429 before 403 before 404. Things of other
organizations are not found, whatever the token may do with its own.
"""

import enum
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request
from flask.typing import ResponseReturnValue

from marketplace.api.v1.answers import count_request
from marketplace.api.v1.platform.authentication import (
    Credential,
    challenge,
    find_credential,
    read_token,
    refuse_blocked,
)
from marketplace.api.v1.platform.bodies import MAX_BYTES
from marketplace.api.v1.platform.errors import (
    RoleError,
    ScopeError,
    TestCredentialError,
    TokenRefusedError,
    WrongCredentialError,
)
from marketplace.api.v1.platform.idempotency import answer_once
from marketplace.api.v1.rate import RateLimit
from marketplace.core.errors import NotFoundError, RateLimitedError
from marketplace.core.permissions import can
from marketplace.installs.models import Environment

View = Callable[..., ResponseReturnValue]


class By(enum.StrEnum):
    """Whose credentials an address takes."""

    ANYBODY = "any"
    INSTALLATION = "installation"
    PARTNER = "partner"


@dataclass(frozen=True)
class TokenRule:
    """What a view asks of a token: a scope (or none), whose it is, and whether it must be live."""

    scope: str | None
    by: By
    live_only: bool
    action: str | None
    has_resource: bool


def token_needs(
    scope: str | None,
    *,
    by: By = By.PARTNER,
    live_only: bool = False,
    action: str | None = None,
    load: Callable[..., Any] | None = None,
) -> Callable[[View], View]:
    """Let a view run only with a token that has `scope` and whose holder may do `action`.

    `load` is called with the credential and the address's arguments, which it replaces; it finds
    only what is the credential's own (None: not found). The view gets the credential, then what
    was loaded. `live_only`: it changes what customers see, so that a test credential is refused.
    """
    rule = TokenRule(scope, by, live_only, action, load is not None)

    def decorate(view: View) -> View:
        def run(credential: Credential, arguments: dict[str, Any]) -> ResponseReturnValue:
            if load is None:
                if action is not None and not can(credential.actor, action):
                    raise _role_error()
                return view(credential, **arguments)
            resource = load(credential, **arguments)
            if resource is None:
                raise NotFoundError("There is no such thing, or it is not yours.")
            if action is not None and not can(credential.actor, action, resource):
                raise _role_error()
            return view(credential, resource)

        @functools.wraps(view)
        def guarded(**arguments: Any) -> ResponseReturnValue:
            request.max_content_length = MAX_BYTES
            credential = _admit(rule)
            if request.method == "POST":
                return answer_once(credential.owner, lambda: run(credential, arguments))
            return run(credential, arguments)

        guarded.portico_permission = f"token: {scope or by.value}"  # type: ignore[attr-defined]  # read by the URL-map test
        guarded.portico_token = rule  # type: ignore[attr-defined]  # read by the description
        return guarded

    return decorate


def _admit(rule: TokenRule) -> Credential:
    token = read_token()
    credential = find_credential(token)
    if credential is None:
        # Guessing is limited as all that is anonymous is: by address.
        count_request()
        raise TokenRefusedError(
            "The token is unknown, expired or revoked.", headers=challenge("invalid_token")
        )
    g.api_credential = credential
    g.api_scope = rule.scope
    g.actor = credential.actor
    _count(credential)
    refuse_blocked(credential)
    _refuse_wrong_kind(rule, credential)
    if rule.scope is not None and rule.scope not in credential.scopes:
        if rule.scope in credential.withheld:
            raise _role_error()
        raise ScopeError(
            f"This needs the scope {rule.scope}.",
            headers=challenge("insufficient_scope", rule.scope),
        )
    if rule.live_only and credential.environment is Environment.TEST:
        raise TestCredentialError("This changes what customers see. Use a live credential.")
    return credential


def _count(credential: Credential) -> None:
    limit: RateLimit = current_app.extensions["portico_token_limit"]
    allowance = limit.hit(credential.owner)
    g.api_allowance = allowance
    if not allowance.allowed:
        raise RateLimitedError(
            f"This credential may ask {allowance.limit:,} times in {allowance.window} seconds. "
            f"Try again in {allowance.wait} seconds.",
            retry_after=allowance.wait,
        )


def _refuse_wrong_kind(rule: TokenRule, credential: Credential) -> None:
    if rule.by is By.PARTNER and not credential.is_partner:
        raise WrongCredentialError(
            "This is about a partner's own things: use a key, or a token by client credentials."
        )
    if rule.by is By.INSTALLATION and credential.is_partner:
        raise WrongCredentialError(
            "This is about an installation: use a token that its customer consented to."
        )


def _role_error() -> RoleError:
    return RoleError("The role of the person whose key this is does not allow it.")
