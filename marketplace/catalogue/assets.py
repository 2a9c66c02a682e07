"""Images of an organization: cleaned, stored, and known by their key."""

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from marketplace.catalogue.models import Asset
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.images import CleanImage, ImageRule, clean_image
from marketplace.core.storage import Storage


def store_image(
    storage: Storage,
    organization_id: int,
    upload: bytes,
    rule: ImageRule,
    *,
    user_id: int | None = None,
) -> CleanImage:
    """Clean `upload`, keep it in `storage` and as an Asset of the organization; flushes.

    The same image of the same organization is kept once. Raises ImageRefusedError when it
    breaks `rule` and UnavailableError when the store does not answer.
    """
    image = clean_image(upload, rule)
    storage.put(image.key, image.data, image.content_type)
    insert = (
        postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    )
    # Two uploads of the same image at the same moment are both right.
    db.session.execute(
        insert(Asset)
        .values(
            organization_id=organization_id,
            key=image.key,
            content_type=image.content_type,
            width=image.width,
            height=image.height,
            size_bytes=len(image.data),
            created_by_id=user_id,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "key"])
    )
    return image


def owned_keys(organization_id: int, keys: set[str]) -> set[str]:
    """Those of `keys` that are images of the organization."""
    if not keys:
        return set()
    return set(
        db.session.scalars(
            select(Asset.key).where(Asset.organization_id == organization_id, Asset.key.in_(keys))
        )
    )
