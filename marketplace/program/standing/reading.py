"""What other domains ask about a partner's place in the program."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select

from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.program.policy.document import Policy
from marketplace.program.policy.live import LivePolicy, current_policy
from marketplace.program.standing.models import Standing, StandingState

IN_FORCE = (StandingState.ACTIVE, StandingState.PROVISIONAL)


def takes_part() -> ColumnElement[bool]:
    """Whether a standing is one that pages and reports count, in a query that joins its
    organization: in force, and of nobody who is suspended."""
    return and_(Standing.state.in_(IN_FORCE), Organization.suspended_at.is_(None))


def keeps_in_grace(at: datetime) -> ColumnElement[bool]:
    """Whether such a standing keeps its tier in grace at a moment."""
    return and_(takes_part(), Standing.grace_until > at)


@dataclass(frozen=True)
class Place:
    """A partner's type and tier. `tier` is empty for who is not (or no longer) in the program."""

    organization_id: int
    partner_type: str
    tier: str = ""
    state: StandingState | None = None
    is_suspended: bool = False

    @property
    def takes_part(self) -> bool:
        """Whether it is in the program, and may act as a partner now."""
        return bool(self.tier) and not self.is_suspended

    def entitlement(self, policy: Policy, key: str) -> int | bool | str:
        """The highest value of its type and of tiers up to its own; False for none, and for who
        does not take part."""
        return self.takes_part and entitlement_of(policy, self.partner_type, self.tier, key)


def places_of(organization_ids: Iterable[int]) -> dict[int, Place]:
    """The places of organizations that exist, in one query."""
    rows = db.session.execute(
        select(
            Organization.id,
            Organization.partner_type,
            Standing.tier,
            Standing.state,
            Organization.suspended_at.is_not(None),
        )
        .outerjoin(Standing, Standing.organization_id == Organization.id)
        .where(Organization.id.in_(list(organization_ids)))
    )
    return {
        each: Place(
            each, kind or "", (tier or "") if state in IN_FORCE else "", state, bool(is_suspended)
        )
        for each, kind, tier, state, is_suspended in rows
    }


def place_of(organization_id: int) -> Place:
    """One organization's place; an empty one when there is no such organization."""
    return places_of([organization_id]).get(organization_id, Place(organization_id, ""))


def entitlement_of(policy: Policy, partner_type: str, tier: str, key: str) -> int | bool | str:
    """What a policy gives to a type at a tier, and at those below it that the type can reach: flags
    by or, limits by the greatest, texts by the highest tier that says something. Nothing of what
    comes later."""
    if policy.is_announced(key):
        return False
    kind = policy.type(partner_type)
    given = [] if kind is None or key not in kind.entitlements else [kind.entitlements[key]]
    given += [
        each.entitlements[key]
        for each in policy.tiers_behind(partner_type, tier)
        if key in each.entitlements
    ]
    texts = [value for value in given if isinstance(value, str)]
    if texts:
        return texts[-1]
    numbers = [value for value in given if not isinstance(value, str)]
    return max(numbers, default=False)


def entitlement(organization_id: int, key: str) -> int | bool | str:
    """What a partner is entitled to under the policy in force; False where there is none."""
    live = current_policy()
    return live is not None and place_of(organization_id).entitlement(live.policy, key)


def has_module(partner_type: str | None, module: str, live: LivePolicy | None = None) -> bool:
    """Whether people of that type of partner can use a part of the portal.

    Without a policy, or for a type that the policy does not know or does not restrict, all can.
    """
    found = live or current_policy()
    if found is None:
        return True
    kind = found.policy.type(partner_type)
    return kind is None or not kind.modules or module in kind.modules
