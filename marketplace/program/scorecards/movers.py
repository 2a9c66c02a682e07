"""Which partners another policy would move, before it is published."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.program.policy.document import Policy
from marketplace.program.scorecards.evaluating import BATCH, values_of
from marketplace.program.scorecards.rules import earned_tier, points_of
from marketplace.program.standing.models import Standing, TierOverride
from marketplace.program.standing.reading import IN_FORCE


@dataclass(frozen=True)
class Mover:
    """A partner whose tier a policy would change. A drop would begin with the days of grace."""

    organization_id: int
    name: str
    partner_type: str
    from_tier: str
    to_tier: str
    points: int
    # It moves by the version in force just the same.
    anyway: bool = False


def movers(policy: Policy, at: datetime | None = None, before: Policy | None = None) -> list[Mover]:
    """The partners that would earn another tier than they have, by name; two statements for each
    batch of partners, three when it is compared with the policy `before`. Partners whose tier a
    person holds are not among them, unless the policy has that tier no more."""
    moment = at or clock.now()
    found: list[Mover] = []
    last_id = 0
    while True:
        rows = db.session.execute(
            select(Organization.id, Organization.name, Organization.partner_type, Standing.tier)
            .join(Standing, Standing.organization_id == Organization.id)
            .where(
                Organization.id > last_id,
                Standing.state.in_(IN_FORCE),
                ~exists().where(
                    TierOverride.organization_id == Organization.id,
                    TierOverride.ended_at.is_(None),
                    TierOverride.tier.in_([tier.key for tier in policy.tiers]),
                    TierOverride.created_at <= moment,
                    TierOverride.expires_at > moment,
                ),
            )
            .order_by(Organization.id)
            .limit(BATCH)
        ).all()
        if not rows:
            break
        last_id = rows[-1][0]
        ids = [row[0] for row in rows]
        values = values_of(ids, policy, moment)
        values_before = values_of(ids, before, moment) if before else {}
        for organization_id, name, partner_type, tier in rows:
            earned = earned_tier(policy, partner_type, values[organization_id])
            if earned != tier:
                points = points_of(policy, values[organization_id])
                # A tier that is gone is lost by this policy alone: at once, and whoever holds it.
                anyway = (
                    before is not None
                    and policy.tier(tier) is not None
                    and earned_tier(before, partner_type, values_before[organization_id]) == earned
                )
                found.append(
                    Mover(organization_id, name, partner_type or "", tier, earned, points, anyway)
                )
    return sorted(found, key=lambda each: (each.name.lower(), each.organization_id))
