"""Sign-ins that were begun in this browser, kept in its signed cookie until the provider answers.

Each is taken out by the answer that names its state, so that an answer works once. Several may be
open at a time (two tabs); the oldest are dropped so that the cookie stays small.
"""

import secrets
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

KEY = "sign_ins"
LIFETIME = timedelta(minutes=15)
MOST_AT_A_TIME = 4


@dataclass(frozen=True)
class PendingSignIn:
    """A sign-in on its way. `link_user_id`: who wants to add the identity to their account;
    `confirm_user_id`: who wants to prove a second factor."""

    provider: str
    state: str
    nonce: str
    code_verifier: str
    next_path: str
    link_user_id: int | None
    begun_at: float
    confirm_user_id: int | None = None


def begin(
    kept: MutableMapping[str, Any],
    *,
    provider: str,
    next_path: str,
    link_user_id: int | None,
    now: datetime,
    confirm_user_id: int | None = None,
) -> PendingSignIn:
    """Start a sign-in with fresh secrets and keep it in `kept` (the browser's session)."""
    pending = PendingSignIn(
        provider=provider,
        state=secrets.token_urlsafe(24),
        nonce=secrets.token_urlsafe(24),
        code_verifier=secrets.token_urlsafe(48),
        next_path=next_path,
        link_user_id=link_user_id,
        begun_at=now.timestamp(),
        confirm_user_id=confirm_user_id,
    )
    waiting = [*_waiting(kept, now), asdict(pending)]
    kept[KEY] = waiting[-MOST_AT_A_TIME:]
    return pending


def take(
    kept: MutableMapping[str, Any], *, provider: str, state: str, now: datetime
) -> PendingSignIn | None:
    """The sign-in with this state at this provider, removed; None when there is none (any more)."""
    waiting = _waiting(kept, now)
    found = next(
        (
            entry
            for entry in waiting
            if entry["provider"] == provider
            and secrets.compare_digest(entry["state"].encode(), state.encode())
        ),
        None,
    )
    rest = [entry for entry in waiting if entry is not found]
    if rest:
        kept[KEY] = rest
    else:
        kept.pop(KEY, None)
    return PendingSignIn(**found) if found is not None else None


def _waiting(kept: MutableMapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    oldest = (now - LIFETIME).timestamp()
    return [entry for entry in kept.get(KEY, []) if entry["begun_at"] >= oldest]
