"""Signing in on a mapped host.

Sign-in providers know the site's own address alone. So a sign-in that begins on a mapped host goes
on at the site, and the session is handed to the host by a token that works once, within a minute,
in the browser that began: its nonce lies in that browser's cookie of that host.
"""

import secrets
from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import current_app, redirect, request, session
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from marketplace.core import clock
from marketplace.core.errors import NotFoundError
from marketplace.identity.next_path import HANDOFF_PATH, local_path
from marketplace.program.hosts.live import LiveHost

KEY = "handoffs"
MOST_AT_A_TIME = 4
LIFETIME = timedelta(minutes=15)
TOKEN_SECONDS = 60


def begin_handoff(host: LiveHost) -> ResponseReturnValue:
    """Send the browser to the site's own sign-in, remembering in its cookie that it began here.

    Adding sign-ins and second factors belongs to the site's own pages. Raises NotFoundError.
    """
    if request.args.get("link") or request.args.get("confirm"):
        raise NotFoundError
    nonce = secrets.token_urlsafe(24)
    session[KEY] = [*_waiting(session), [nonce, clock.now().timestamp()]][-MOST_AT_A_TIME:]
    back = {
        "host": host.host,
        "nonce": nonce,
        # The way back travels within the way on, which has a greatest length.
        "next": local_path((request.args.get("next") or "")[:250]),
    }
    query = urlencode({"next": f"{HANDOFF_PATH}?{urlencode(back)}"})
    return redirect(f"{current_app.config['PUBLIC_URL']}{request.path}?{query}")


def make_token(*, session_id: int, host: str, nonce: str) -> str:
    """The token with which a host takes a session over."""
    return _serializer().dumps({"session": session_id, "host": host, "nonce": nonce})


def take_token(token: str, *, host: str, kept: MutableMapping[str, Any]) -> int | None:
    """The session that a token hands to `host`; None when it is old, of another host, or of
    another browser. The nonce is taken out of `kept`: a token works once."""
    try:
        data = _serializer().loads(token, max_age=TOKEN_SECONDS)
    except (BadSignature, SignatureExpired):
        return None
    waiting = _waiting(kept)
    rest = [each for each in waiting if each[0] != data["nonce"]]
    if data["host"] != host or len(rest) == len(waiting):
        return None
    kept[KEY] = rest
    return int(data["session"])


def _waiting(kept: MutableMapping[str, Any]) -> list[list[Any]]:
    oldest = (clock.now() - LIFETIME).timestamp()
    return [each for each in kept.get(KEY, []) if each[1] > oldest]


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.config["SECRET_KEY"]), salt="host-handoff")
