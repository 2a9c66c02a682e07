"""A tier that a person gives for a while."""

from datetime import datetime, timedelta

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.identity.own_partner import refuse_members
from marketplace.program.policy.live import live_policy
from marketplace.program.scorecards import queries
from marketplace.program.scorecards.mails import tell_moved
from marketplace.program.scorecards.services.evaluation import evaluate, evaluate_midnight
from marketplace.program.standing.joining import record_move
from marketplace.program.standing.models import MoveKind, Standing, TierOverride
from marketplace.program.standing.reading import IN_FORCE

LONGEST = timedelta(days=731)
MOST_CHARACTERS = 1_000


def hold_tier(
    organization_id: int, tier: str, *, reason: str, expires_at: datetime, by_user_id: int | None
) -> TierOverride:
    """Hold a partner at a tier until a moment; the evaluation does not move it until then.

    Raises ForbiddenError for a member of it, InvalidError by field, ConflictError for who is not in
    the program or already held.
    """
    refuse_members(by_user_id, organization_id)
    reason = reason.replace("\0", "")  # PostgreSQL keeps no NUL
    live = live_policy()
    if live is None:
        raise ConflictError("The program has no policy yet.")
    now = clock.now()
    wrong: dict[str, str] = {}
    if live.policy.tier(tier) is None:
        wrong["tier"] = "Choose a tier of the policy."
    if not reason.strip():
        wrong["reason"] = "Say why: the partner reads it, and whoever looks at it later."
    elif len(reason) > MOST_CHARACTERS:
        wrong["reason"] = f"At most {MOST_CHARACTERS:,} characters."
    if expires_at <= now:
        wrong["expires_on"] = "Choose a day that lies ahead."
    elif expires_at > now + LONGEST:
        wrong["expires_on"] = "At most two years ahead."
    if wrong:
        raise InvalidError(wrong)
    # The day before ends by what was so then.
    evaluate_midnight([organization_id])
    standing = lock_row(Standing, Standing.organization_id == organization_id)
    if standing is None or standing.state not in IN_FORCE:
        raise ConflictError("This partner is not in the program.")
    held = queries.unsettled_overrides([organization_id]).get(organization_id, [])
    if any(queries.is_in_force(each, now) for each in held):
        raise ConflictError("The tier is already set by a person. End that first.")
    for each in held:
        each.settled_at = now
    override = TierOverride(
        public_id=new_public_id("ovr"),
        organization_id=organization_id,
        tier=tier,
        reason=reason.strip(),
        by_user_id=by_user_id,
        created_at=now,
        expires_at=expires_at,
    )
    db.session.add(override)
    from_tier, standing.tier = standing.tier, tier
    standing.grace_until, standing.grace_tier = None, None
    db.session.flush()
    record_fact(
        "tier_override.given",
        subject=("tier_override", override.id),
        actor_user_id=by_user_id,
        organization_id=organization_id,
        data={"tier": tier, "expires_at": expires_at.isoformat()},
    )
    move = record_move(
        standing,
        MoveKind.OVERRIDDEN,
        from_tier=from_tier,
        to_tier=tier,
        policy_id=live.id,
        evaluation_id=standing.evaluation_id,
        reason=override.reason,
        by_user_id=by_user_id,
    )
    tell_moved(move, standing, live.policy, None, {})
    return override


def end_override(override: TierOverride, *, by_user_id: int | None) -> bool:
    """End it early and move the partner to what it has earned, if it is still in the program; False
    when it has ended already. Raises ForbiddenError for a member of the partner."""
    refuse_members(by_user_id, override.organization_id)
    now = clock.now()
    held = lock_row(TierOverride, TierOverride.id == override.id)
    if held is None or not queries.is_in_force(held, now):
        return False
    held.ended_at, held.ended_by_id = now, by_user_id
    db.session.flush()
    record_fact(
        "tier_override.ended",
        subject=("tier_override", held.id),
        actor_user_id=by_user_id,
        organization_id=held.organization_id,
        data={"tier": held.tier},
    )
    standing = lock_row(Standing, Standing.organization_id == held.organization_id)
    if standing is not None and standing.state in IN_FORCE:
        evaluate(held.organization_id, by_user_id=by_user_id)
    else:
        # It lapsed or left meanwhile: nothing moves, and nothing is held when it comes back.
        held.settled_at = now
    return True
