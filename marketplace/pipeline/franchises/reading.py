"""What other parts ask about territories."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.pipeline.franchises.models import TerritoryArea, TerritoryGrant
from marketplace.pipeline.franchises.overlap import holds, words_of


@dataclass(frozen=True)
class Holder:
    """Who holds a place, and the area by which."""

    organization_id: int
    grant_id: int
    words: str


def territory_holder(country: str | None, postal_code: str, at: datetime) -> Holder | None:
    """The partner that holds the place of a lead at a moment: of what contains it, there is only
    one. One query."""
    if country is None:
        return None
    rows = db.session.execute(
        select(TerritoryArea.prefix, TerritoryGrant.organization_id, TerritoryGrant.id)
        .join(TerritoryGrant, TerritoryGrant.id == TerritoryArea.grant_id)
        .where(
            TerritoryArea.country == country,
            TerritoryGrant.starts_at <= at,
            TerritoryGrant.ends_at > at,
        )
    )
    for prefix, organization_id, grant_id in rows:
        if holds(country, prefix, country, postal_code):
            return Holder(organization_id, grant_id, words_of(country, prefix))
    return None
