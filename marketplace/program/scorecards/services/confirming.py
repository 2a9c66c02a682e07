"""Confirming a partner by hand: one that is provisional, or whose provisional time ran out."""

from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.locks import lock_row
from marketplace.identity.own_partner import refuse_members
from marketplace.program.policy.live import live_policy
from marketplace.program.scorecards.mails import tell_moved
from marketplace.program.scorecards.services.evaluation import evaluate, evaluate_midnight
from marketplace.program.standing.joining import record_move
from marketplace.program.standing.models import MoveKind, Standing, StandingState

MOST_CHARACTERS = 1_000
OPEN = (StandingState.PROVISIONAL, StandingState.LAPSED)


def confirm_partner(organization_id: int, *, reason: str, by_user_id: int | None) -> Standing:
    """Confirm a partner without a certification, for a reason that stays on record; it is then
    evaluated. Raises ForbiddenError for a member of it, InvalidError without a reason,
    ConflictError when there is nothing to confirm.
    """
    refuse_members(by_user_id, organization_id)
    text = reason.replace("\0", "").strip()  # PostgreSQL keeps no NUL
    if not text:
        raise InvalidError({"reason": "Say why: it stays on record."})
    if len(text) > MOST_CHARACTERS:
        raise InvalidError({"reason": f"At most {MOST_CHARACTERS:,} characters."})
    live = live_policy()
    if live is None:
        raise ConflictError("The program has no policy yet.")
    # The day before ends by what was so then.
    evaluate_midnight([organization_id])
    standing = lock_row(Standing, Standing.organization_id == organization_id)
    if standing is None or standing.state not in OPEN:
        raise ConflictError("There is nothing to confirm.")
    from_tier: str | None = standing.tier
    if standing.state is StandingState.LAPSED:
        from_tier, standing.tier = None, live.policy.tiers[0].key
    standing.state, standing.provisional_until = StandingState.ACTIVE, None
    db.session.flush()
    move = record_move(
        standing,
        MoveKind.CONFIRMED,
        from_tier=from_tier,
        to_tier=standing.tier,
        policy_id=live.id,
        reason=text,
        by_user_id=by_user_id,
    )
    tell_moved(move, standing, live.policy, None, {})
    evaluate(organization_id, by_user_id=by_user_id)
    return standing
