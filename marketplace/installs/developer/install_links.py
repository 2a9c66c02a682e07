"""Where a customer who installed from the marketplace goes on, in the app."""

from urllib.parse import urlencode, urlsplit

from flask import current_app

from marketplace.installs.models import Installation, OAuthClient


def install_link(client: OAuthClient, installation: Installation) -> str:
    """The client's install address with who asks it to begin; empty when it has none.

    The app compares `iss` with the issuer that it knows before it begins an authorization.
    """
    if not client.install_url:
        return ""
    query = urlencode(
        {
            "iss": current_app.config["PUBLIC_URL"],
            "installation": installation.public_id,
            "client_id": client.client_id,
        }
    )
    return f"{client.install_url}{'&' if urlsplit(client.install_url).query else '?'}{query}"
