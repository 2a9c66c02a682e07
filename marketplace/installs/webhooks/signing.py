"""A delivery as a signed request: Standard Webhooks (https://www.standardwebhooks.com).

The body of an event is the same at every try, its signature is of the try's own time.
"""

import base64
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from marketplace.core.logging import redact_text
from marketplace.core.outbound import USER_AGENT

PREFIX = "whsec_"
# By the current secret, and by the one before it for a while.
MOST_SIGNATURES = 2
_SECRET_BYTES = 32
_MOST_HEADERS = 40
_MOST_HEADER_CHARACTERS = 300
MAX_SHOWN_BODY = 4 * 1024
_HIDDEN_HEADERS = re.compile(r"cookie|authorization|authenticate|token|secret|api-?key", re.I)


def new_signing_secret() -> str:
    """A new secret: the prefix and 256 random bits in base64, as all libraries read it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def body_of(kind: str, happened_at: datetime, data: Mapping[str, Any]) -> bytes:
    """The request's body: compact JSON, the same at every try."""
    happened = happened_at.astimezone(UTC).isoformat(timespec="milliseconds")
    content = {"type": kind, "timestamp": happened.replace("+00:00", "Z"), "data": data}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def headers_of(
    event_id: str, body: bytes, signing_secrets: Sequence[str], *, at: datetime
) -> dict[str, str]:
    """The request's headers, with a signature by each secret.

    Raises ValueError without any secret, or for one that is no base64.
    """
    text = body.decode()
    try:
        signatures = [
            Webhook(secret).sign(msg_id=event_id, timestamp=at.astimezone(UTC), data=text)
            for secret in signing_secrets
        ]
    except EmptyWebhookSecretError:
        raise ValueError("a secret is empty") from None
    if not signatures:
        raise ValueError("there is no secret to sign with")
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def shown_request_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers for the log: how many signatures there were, not which."""
    signatures = len(headers["webhook-signature"].split())
    return {**headers, "webhook-signature": " ".join(["v1,***"] * signatures)}


def shown_response_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """An answer's headers for the log: bounded, without cookies and secrets."""
    kept = [(name, text) for name, text in headers.items() if not _HIDDEN_HEADERS.search(name)]
    return {
        _clean(name)[:80]: redact_text(_clean(text))[:_MOST_HEADER_CHARACTERS]
        for name, text in kept[:_MOST_HEADERS]
    }


def shown_body(body: bytes) -> str:
    """The begin of an answer's body as text for the log, secrets masked."""
    return redact_text(_clean(body[:MAX_SHOWN_BODY].decode("utf-8", "replace")))


def _clean(text: str) -> str:
    # PostgreSQL stores no NUL in a text, and no half of a surrogate pair.
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
