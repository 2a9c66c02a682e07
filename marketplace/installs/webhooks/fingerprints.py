"""What a form or a question was made from, so that two people do not overwrite each other.

The version of a form's values is a hash of the values themselves: whatever else changes in their
row (a lease, a success) is no conflict.
"""

import hashlib
import json
from collections.abc import Iterable

from marketplace.installs.models import WebhookEndpoint, WebhookSecret


def of_endpoint(endpoint: WebhookEndpoint) -> str:
    """The version of what the endpoint's form shows."""
    return _hash(
        [endpoint.url, endpoint.description, endpoint.app_id, sorted(endpoint.event_types)]
    )


def of_secrets(secrets: Iterable[WebhookSecret]) -> str:
    """The version of the secrets that sign."""
    return _hash(sorted(secret.id for secret in secrets))


def _hash(values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
