"""What a consent page says as one short text, so that a form can prove what was read."""

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marketplace.installs.customer.consent import Consent


def fingerprint_of(consent: "Consent") -> str:
    """Changes with everything that templates/installs/_consent.html shows."""
    app = consent.app
    listing, publisher = app.listing, app.publisher
    said = {
        "client": consent.client.client_id,
        "environment": consent.client.environment.value,
        "organization": [consent.organization.id, consent.organization.name],
        "installation": consent.installation.public_id if consent.installation else None,
        "app": listing.name if listing is not None else app.name,
        "publisher": [publisher.name, publisher.verified_at is not None],
        "certified": listing is not None and listing.certified_at is not None,
        "version": consent.version,
        "links": consent.links,
        "gone": [(text.name, text.title) for text in consent.gone],
        "scopes": [
            (
                scope.text.name,
                scope.text.title,
                scope.text.description,
                scope.text.direction.value,
                scope.text.is_sensitive,
                scope.reason,
                scope.is_new,
            )
            for scope in consent.shown
        ],
        "data": [
            (part.name, part.direction, part.purpose, part.is_new) for part in consent.data_shared
        ],
    }
    encoded = json.dumps(said, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(encoded).hexdigest()
