"""Which partners another policy would move, before it is published."""

from collections.abc import Iterable
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
    last_id: int | None = 0
    while last_id is not None:
        last_id, _looked_at, batch = movers_after(last_id, policy, moment, before)
        found += batch
    return by_name(found)


def by_name(found: Iterable[Mover]) -> list[Mover]:
    """The same in the order in which they are shown."""
    return sorted(found, key=lambda each: (each.name.lower(), each.organization_id))


def movers_after(
    organization_id: int, policy: Policy, at: datetime, before: Policy | None
) -> tuple[int | None, int, list[Mover]]:
    """Movers of the batch of partners that comes after an id: the last id of the batch (None: it
    was the last one), how many partners were looked at, and who of them moves."""
    rows = db.session.execute(
        select(Organization.id, Organization.name, Organization.partner_type, Standing.tier)
        .join(Standing, Standing.organization_id == Organization.id)
        .where(
            Organization.id > organization_id,
            Standing.state.in_(IN_FORCE),
            ~exists().where(
                TierOverride.organization_id == Organization.id,
                TierOverride.ended_at.is_(None),
                TierOverride.tier.in_([tier.key for tier in policy.tiers]),
                TierOverride.created_at <= at,
                TierOverride.expires_at > at,
            ),
        )
        .order_by(Organization.id)
        .limit(BATCH)
    ).all()
    if not rows:
        return None, 0, []
    ids = [row[0] for row in rows]
    values = values_of(ids, policy, at)
    values_before = values_of(ids, before, at) if before else {}
    found = []
    for each, name, partner_type, tier in rows:
        earned = earned_tier(policy, partner_type, values[each])
        if earned != tier:
            # A tier that is gone is lost by this policy alone: at once, and whoever holds it.
            anyway = (
                before is not None
                and policy.tier(tier) is not None
                and earned_tier(before, partner_type, values_before[each]) == earned
            )
            points = points_of(policy, values[each])
            found.append(Mover(each, name, partner_type or "", tier, earned, points, anyway))
    return (ids[-1] if len(ids) == BATCH else None), len(ids), found
