"""Sending a person to the app itself after consent."""

from urllib.parse import urlencode, urlsplit

from flask import current_app

from marketplace.installs.models import Installation, OAuthClient

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def safe_url(url: str) -> str | None:
    """`url` if a person may be sent there: https, or plain http to their own machine, where a
    developer tries an app. None for everything else, and for an address with a user or fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _port = parts.port
    except ValueError:
        return None
    if not host or parts.username is not None or parts.fragment or any(c <= " " for c in url):
        return None
    if parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK):
        return url
    return None


def install_target(client: OAuthClient, installation: Installation) -> str | None:
    """Where the app begins the authorization for this installation, None when it has no such
    address. The app learns who we are (`iss`) and for which installation it is."""
    return _with(
        client.install_url,
        iss=current_app.config["PUBLIC_URL"],
        installation=installation.public_id,
        client_id=client.client_id,
    )


def configure_target(client: OAuthClient, installation: Installation) -> str | None:
    """Where a customer changes the app's settings, None when it has no such address."""
    return _with(
        client.configure_url,
        iss=current_app.config["PUBLIC_URL"],
        installation=installation.public_id,
    )


def _with(url: str, **values: str) -> str | None:
    safe = safe_url(url) if url else None
    if safe is None:
        return None
    return f"{safe}{'&' if '?' in safe else '?'}{urlencode(values)}"
