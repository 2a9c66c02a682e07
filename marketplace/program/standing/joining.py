"""Becoming a partner of the program, and leaving it."""

from datetime import datetime, timedelta

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import Organization
from marketplace.program.events import partner_joined, standing_moved
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.models import (
    MoveKind,
    Standing,
    StandingMove,
    StandingState,
)


def join(organization: Organization, *, by_user_id: int | None) -> Standing:
    """Take a partner into the program at the lowest tier of the policy in force.

    Its type is `organization.partner_type`; a type with provisional days must pass something until
    then. Joining again while in the program changes nothing. Raises ConflictError without a policy.
    """
    live = current_policy()
    if live is None:
        raise ConflictError("The program has no policy yet.")
    kind = live.policy.type(organization.partner_type)
    days = kind.provisional_days if kind else None
    now = clock.now()
    until = now + timedelta(days=days) if days else None
    state = StandingState.PROVISIONAL if until else StandingState.ACTIVE
    tier = live.policy.tiers[0].key
    insert_if_new(
        Standing,
        organization_id=organization.id,
        state=StandingState.ENDED,
        tier=tier,
        joined_at=now,
        points=0,
    )
    standing = lock_row(Standing, Standing.organization_id == organization.id)
    if standing is None:
        raise ConflictError("The organization is being removed.")
    if standing.state in (StandingState.ACTIVE, StandingState.PROVISIONAL):
        return standing
    standing.state, standing.tier, standing.joined_at = state, tier, now
    standing.provisional_until, standing.grace_until, standing.grace_tier = until, None, None
    db.session.flush()
    record_move(
        standing,
        MoveKind.JOINED,
        from_tier=None,
        to_tier=tier,
        policy_id=live.id,
        by_user_id=by_user_id,
    )
    partner_joined(organization.id)
    return standing


def record_move(
    standing: Standing,
    kind: MoveKind,
    *,
    from_tier: str | None,
    to_tier: str | None,
    policy_id: int | None = None,
    evaluation_id: int | None = None,
    reason: str = "",
    by_user_id: int | None = None,
    at: datetime | None = None,
) -> StandingMove:
    """Write a move down, with its fact, and tell whoever listens. `at`: now."""
    organization = db.session.get(Organization, standing.organization_id)
    move = StandingMove(
        organization_id=standing.organization_id,
        kind=kind,
        from_tier=from_tier,
        to_tier=to_tier,
        partner_type=organization.partner_type if organization else None,
        policy_id=policy_id,
        evaluation_id=evaluation_id,
        reason=reason,
        by_user_id=by_user_id,
        at=at or clock.now(),
    )
    db.session.add(move)
    db.session.flush()
    record_fact(
        f"standing.{kind.value}",
        subject=("standing", standing.id),
        actor_user_id=by_user_id,
        organization_id=standing.organization_id,
        data={"move": move.id, "from": from_tier, "to": to_tier},
        idempotency_key=f"standing_move:{move.id}",
    )
    standing_moved(move)
    return move
