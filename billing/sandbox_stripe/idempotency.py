"""Idempotency keys, kept for 24 hours with the answer, errors included.

A request that is refused before anything begins (a wrong parameter, too many requests) is not
kept, as with Stripe (https://docs.stripe.com/api/idempotent_requests).
"""

import json
from typing import Any

from billing.sandbox_stripe.errors import ApiError
from billing.sandbox_stripe.store import Store
from marketplace.core import clock

KEEP_SECONDS = 24 * 3600


def begin(store: Store, key: str, account: str, request_hash: str) -> tuple[int, Any] | None:
    """Take the key; the kept (status, body) when it was used before.

    Raises ApiError: 409 while the same request is under way, 400 when it was another one.
    """
    now = clock.now().timestamp()
    store.execute("DELETE FROM idem WHERE key = ? AND created < ?", key, now - KEEP_SECONDS)
    row = store.execute(
        "SELECT hash, status, body FROM idem WHERE key = ? AND account = ?", key, account
    ).fetchone()
    if row is None:
        store.execute(
            "INSERT INTO idem (key, account, hash, created) VALUES (?, ?, ?, ?)",
            key,
            account,
            request_hash,
            now,
        )
        return None
    if row[0] != request_hash:
        raise ApiError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{key}' if you meant to execute a "
            "different request.",
            kind="idempotency_error",
        )
    if row[1] is None:
        raise ApiError(
            409,
            "There is currently another in-progress request using this Idempotent Key (that "
            "probably means you submitted twice, and the other request is still going through).",
            code="idempotency_key_in_use",
            kind="idempotency_error",
        )
    return int(row[1]), json.loads(row[2])


def finish(store: Store, key: str, account: str, status: int, body: Any) -> None:
    """Keep the answer."""
    store.execute(
        "UPDATE idem SET status = ?, body = ? WHERE key = ? AND account = ?",
        status,
        json.dumps(body),
        key,
        account,
    )


def forget(store: Store, key: str, account: str) -> None:
    """Nothing began: the key is free again."""
    store.execute("DELETE FROM idem WHERE key = ? AND account = ?", key, account)
