"""The links in mails that stop them: signed, so that they work for whoever holds the mail.

The signature is made with the application's secret key under a salt of its own; the token says
whose mails and which follow (none: all). It does not expire, since old mails are kept for long.
"""

from typing import NamedTuple

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

_SALT = "engagement.unsubscribe"


class Unsubscription(NamedTuple):
    """Whose mails are to stop, and for which follow; None means all."""

    user_id: int
    follow_id: int | None


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=_SALT)


def follow_token(user_id: int, follow_id: int | None) -> str:
    """The token of a link that stops one follow of the person, or all."""
    return str(_serializer().dumps([user_id, follow_id]))


def read_follow_token(token: str) -> Unsubscription | None:
    """What a token says, or None when we did not sign it."""
    try:
        user_id, follow_id = _serializer().loads(token)
    except (BadSignature, ValueError, TypeError):
        return None
    return Unsubscription(user_id, follow_id)
