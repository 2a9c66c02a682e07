"""A second factor, as the sign-in provider tells of it, for what moves money.

We keep no passwords and no second factors: the provider does. Its ID token says which methods it
used (`amr`, RFC 8176) or which assurance it reached (`acr`). Changing where money is paid asks for
such a proof that is at most `FRESH` old; the person confirms at the provider and comes back.
"""

import functools
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from flask import current_app

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ForbiddenError
from marketplace.core.permissions import Actor, current_actor
from marketplace.identity.models import UserSession

F = TypeVar("F", bound=Callable[..., Any])
FRESH = timedelta(minutes=30)
# How long ago the person may have signed in at the provider when it confirms.
JUST_NOW = timedelta(minutes=5)
KEPT_AS = "second_factor_at"

# RFC 8176: what each method proves.
_KNOWN = frozenset({"pwd", "pin", "kba"})
_HELD = frozenset({"otp", "hwk", "swk", "sms", "tel", "sc", "pop"})
_BORN = frozenset({"face", "fpt", "iris", "retina", "vbm"})


class SecondFactorNeededError(ForbiddenError):
    """The act needs a fresh second factor."""

    title = "Confirm that it is you"


def proves_second_factor(claims: Mapping[str, Any], accepted_acr: frozenset[str]) -> bool:
    """Whether an ID token's claims say that two factors were used: `mfa` among the methods, methods
    of two kinds, or an assurance that the operator named."""
    acr = claims.get("acr")
    if isinstance(acr, str) and acr in accepted_acr:
        return True
    amr = claims.get("amr")
    if not isinstance(amr, list):
        return False
    methods = {name for name in amr if isinstance(name, str)}
    kinds = sum(bool(methods & kind) for kind in (_KNOWN, _HELD, _BORN))
    return "mfa" in methods or kinds >= 2


def is_recent(claims: Mapping[str, Any], now: datetime) -> bool:
    """Whether the provider says that the person signed in just now, and not from memory."""
    at = claims.get("auth_time")
    if not isinstance(at, int) or isinstance(at, bool):
        return False
    return abs(now.timestamp() - at) <= JUST_NOW.total_seconds()


def note_second_factor(row: UserSession) -> None:
    """Remember that this browser's person proved a second factor now."""
    row.data = {**row.data, KEPT_AS: clock.now().timestamp()}


def has_second_factor(actor: Actor) -> bool:
    """Whether the actor's browser proved a second factor that is still fresh, or none is asked."""
    if not is_required():
        return True
    row = db.session.get(UserSession, actor.session_id) if actor.session_id else None
    if row is None:
        return False
    at = row.data.get(KEPT_AS)
    if not isinstance(at, int | float):
        return False
    return 0 <= clock.now().timestamp() - at <= FRESH.total_seconds()


def is_required() -> bool:
    """Whether this installation asks for a second factor at all."""
    return bool(current_app.extensions["portico_settings"].payout_second_factor == "required")


def second_factor(view: F) -> F:
    """Let a view run only after a fresh second factor; below `@needs`, so that who may not do this
    at all is told so first. Raises SecondFactorNeededError."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not has_second_factor(current_actor()):
            raise SecondFactorNeededError(
                "Changing where money is paid needs your second factor.", code="second_factor"
            )
        return view(*args, **kwargs)

    return guarded  # type: ignore[return-value]  # functools.wraps keeps the signature
