"""What a form was filled in from, so that two developers do not overwrite each other.

The version of a form's values is a hash of the values themselves: whatever else changes in their
row (a probe of the status address, say) is no conflict.
"""

import hashlib
import json

from marketplace.installs.models import App, OAuthClient


def of_app(app: App) -> str:
    """The version of what the app's settings form shows."""
    return _hash([app.name, app.listing_id, app.status_url])


def of_client(client: OAuthClient) -> str:
    """The version of what the client's settings form shows."""
    return _hash(
        [
            client.redirect_uris,
            client.install_url,
            client.configure_url,
            client.is_confidential,
        ]
    )


def _hash(values: list[object]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
