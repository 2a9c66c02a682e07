"""Groups of synonyms."""

from collections.abc import Sequence

from sqlalchemy import select

from marketplace.catalogue.models import SynonymGroup
from marketplace.core.database import db


def groups() -> Sequence[SynonymGroup]:
    """All groups, the oldest first."""
    return db.session.scalars(select(SynonymGroup).order_by(SynonymGroup.id)).all()


def find_group(group_id: int) -> SynonymGroup | None:
    """The group, or None."""
    return db.session.get(SynonymGroup, group_id)
