"""Keeping imported images: the file in the storage, a row for whom it belongs to."""

from collections.abc import Sequence

from flask import current_app

from marketplace.catalogue.exchange.queries import assets_known
from marketplace.catalogue.models import Asset
from marketplace.core.database import db
from marketplace.core.images import CleanImage
from marketplace.core.storage import Storage


def store_images(images: Sequence[tuple[int, CleanImage]]) -> None:
    """Store each image for the organization of that id, once. Flushes.

    Raises UnavailableError when the storage does not answer.
    """
    if not images:
        return
    storage: Storage = current_app.extensions["portico_storage"]
    known = assets_known({owner for owner, _image in images}, {image.key for _, image in images})
    for owner, image in images:
        if (owner, image.key) in known:
            continue
        known.add((owner, image.key))
        storage.put(image.key, image.data, image.content_type)
        db.session.add(
            Asset(
                organization_id=owner,
                key=image.key,
                content_type=image.content_type,
                width=image.width,
                height=image.height,
                size_bytes=len(image.data),
            )
        )
    db.session.flush()
