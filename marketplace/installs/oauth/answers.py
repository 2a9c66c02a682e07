"""The address to which an authorization request is answered (RFC 6749, 4.1.2 and RFC 9207)."""

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import current_app


def issuer() -> str:
    """Who we are: PUBLIC_URL."""
    return str(current_app.config["PUBLIC_URL"])


def answer_address(redirect_uri: str, answer: Mapping[str, str], state: str | None) -> str:
    """`redirect_uri` with the answer, the client's `state` and our `iss` added.

    Good and bad news alike carry `iss`, so that a client which talks to several servers cannot
    be made to mistake one for another. The registered address stays as it is to the letter:
    what Authlib offers would decode and encode its query.
    """
    parameters = {**answer, **({"state": state} if state else {}), "iss": issuer()}
    joint = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{joint}{urlencode(parameters)}"
