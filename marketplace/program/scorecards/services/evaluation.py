"""Evaluating partners: what they have earned is written down, and their standing moves by it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, NotFoundError
from marketplace.program.policy.live import LivePolicy, live_policy
from marketplace.program.scorecards import queries
from marketplace.program.scorecards.evaluating import PartnerMetrics, values_of
from marketplace.program.scorecards.mails import tell_moved
from marketplace.program.scorecards.rules import earned_tier, points_of
from marketplace.program.standing.joining import record_move
from marketplace.program.standing.models import (
    Evaluation,
    MoveKind,
    Standing,
    StandingState,
    TierOverride,
)
from marketplace.program.standing.movement import Change, Found, Held, step
from marketplace.program.standing.reading import IN_FORCE


def evaluate(organization_id: int, *, by_user_id: int | None = None) -> Evaluation:
    """Evaluate one partner now; the evaluation by which it stands.

    Raises NotFoundError for who is not in the program, ConflictError without a policy.
    """
    done = evaluate_batch([organization_id], by_user_id=by_user_id)
    if organization_id not in done:
        if live_policy() is None:
            raise ConflictError("The program has no policy yet.")
        raise NotFoundError
    return done[organization_id]


def evaluate_batch(
    organization_ids: Sequence[int], *, by_user_id: int | None = None
) -> dict[int, Evaluation]:
    """Evaluate partners together: a constant number of statements, and a few for each move.

    Whoever is not in the program is left out. An evaluation that finds the same values by the same
    policy as the one before is not written again. Before anything of a day is looked at, its
    beginning is: see `evaluate_midnight`.
    """
    found = evaluate_midnight(organization_ids)
    return found | _evaluate(organization_ids, by_user_id=by_user_id)


def evaluate_midnight(organization_ids: Sequence[int]) -> dict[int, Evaluation]:
    """Evaluate partners as of the last midnight (UTC), whoever was not evaluated since.

    A replay goes from midnight to midnight. So that it comes to the same tiers, each day is ended
    by what counted at its end, however much later that is looked at.
    """
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    late = db.session.scalars(
        select(Standing.organization_id).where(
            Standing.organization_id.in_(organization_ids),
            Standing.state.in_(IN_FORCE),
            Standing.joined_at <= midnight,
            or_(Standing.evaluated_at.is_(None), Standing.evaluated_at < midnight),
        )
    ).all()
    return _evaluate(late, as_of=midnight) if late else {}


def _evaluate(
    organization_ids: Sequence[int],
    *,
    as_of: datetime | None = None,
    by_user_id: int | None = None,
) -> dict[int, Evaluation]:
    live = live_policy(as_of)
    standings = _lock(organization_ids) if live is not None else []
    if as_of is not None:
        # Somebody else may have come before the lock.
        standings = [each for each in standings if (each.evaluated_at or as_of) <= as_of]
    if live is None or not standings:
        return {}
    at = as_of or clock.now()
    ids = [each.organization_id for each in standings]
    values = values_of(ids, live.policy, at)
    types = queries.types_of(ids)
    before = queries.evaluations_by_id(
        [each.evaluation_id for each in standings if each.evaluation_id]
    )
    overrides = queries.unsettled_overrides(ids)
    certified = queries.certified_among(
        [each.organization_id for each in standings if each.state is StandingState.PROVISIONAL], at
    )
    found: dict[int, Evaluation] = {}
    new: list[dict[str, Any]] = []
    for standing in standings:
        organization_id = standing.organization_id
        known = before.get(standing.evaluation_id or 0)
        kind, metrics = types.get(organization_id), values[organization_id]
        if known is not None and _still_says(known, live, kind, metrics):
            found[organization_id] = known
        else:
            new.append(_evaluation(live, organization_id, kind, metrics, at))
    if new:
        # In one statement, whatever the order of the ids that come back.
        for written in db.session.scalars(insert(Evaluation).returning(Evaluation), new):
            found[written.organization_id] = written
    for standing in standings:
        evaluation = found[standing.organization_id]
        _type_change(standing, before.get(standing.evaluation_id or 0), evaluation, live.id, at)
        standing.points = evaluation.points
        standing.evaluated_at, standing.evaluation_id = at, evaluation.id
        _move(
            live,
            standing,
            evaluation,
            _found(
                evaluation,
                overrides.get(standing.organization_id, []),
                standing.organization_id in certified,
                at,
            ),
            at,
            by_user_id,
        )
    db.session.flush()
    return found


def _lock(organization_ids: Sequence[int]) -> Sequence[Standing]:
    """The standings in force, held until the transaction ends, always in the same order."""
    db.session.flush()
    which = (Standing.organization_id.in_(organization_ids), Standing.state.in_(IN_FORCE))
    query = (
        select(Standing)
        .where(*which)
        .order_by(Standing.id)
        .execution_options(populate_existing=True)
    )
    if db.session.get_bind().dialect.name == "sqlite":
        db.session.execute(
            update(Standing)
            .where(*which)
            .values(id=Standing.id)
            .execution_options(synchronize_session=False)
        )
    else:
        query = query.with_for_update()
    return db.session.scalars(query).all()


def _still_says(
    before: Evaluation, live: LivePolicy, partner_type: str | None, metrics: PartnerMetrics
) -> bool:
    return (
        before.policy_id == live.id
        and before.partner_type == partner_type
        and before.values == metrics.known()
    )


def _evaluation(
    live: LivePolicy,
    organization_id: int,
    partner_type: str | None,
    metrics: PartnerMetrics,
    at: datetime,
) -> dict[str, Any]:
    return {
        "organization_id": organization_id,
        "policy_id": live.id,
        "partner_type": partner_type,
        "at": at,
        "values": metrics.known(),
        "points": points_of(live.policy, metrics),
        "earned_tier": earned_tier(live.policy, partner_type, metrics),
    }


def _found(
    evaluation: Evaluation, overrides: Sequence[TierOverride], certified: bool, at: datetime
) -> Found:
    begun = [each for each in overrides if each.created_at <= at]
    in_force = [each for each in begun if queries.is_in_force(each, at)]
    ended = [each for each in begun if not queries.is_in_force(each, at)]
    for each in ended:
        each.settled_at = at
    return Found(
        earned=evaluation.earned_tier,
        certified=certified,
        override=in_force[-1].tier if in_force else None,
        override_ended=bool(ended) and not in_force,
    )


def _type_change(
    standing: Standing,
    before: Evaluation | None,
    evaluation: Evaluation,
    policy_id: int,
    at: datetime,
) -> None:
    if before is None or before.partner_type == evaluation.partner_type:
        return
    last = queries.last_change_of_type(standing.organization_id, before.at)
    if last is not None and last.partner_type == evaluation.partner_type:
        return  # whoever changed it has written it down
    record_move(
        standing,
        MoveKind.TYPE_CHANGED,
        from_tier=standing.tier,
        to_tier=standing.tier,
        policy_id=policy_id,
        evaluation_id=evaluation.id,
        reason=f"From {before.partner_type or 'none'} to {evaluation.partner_type or 'none'}",
        at=at,
    )


def _move(
    live: LivePolicy,
    standing: Standing,
    evaluation: Evaluation,
    found: Found,
    at: datetime,
    by_user_id: int | None,
) -> None:
    held, changes = step(live.policy, held_by(standing), found, at)
    standing.state, standing.tier = held.state, held.tier
    standing.provisional_until = held.provisional_until
    standing.grace_until, standing.grace_tier = held.grace_until, held.grace_tier
    for change in changes:
        move = record_move(
            standing,
            change.kind,
            from_tier=change.from_tier,
            to_tier=change.to_tier,
            policy_id=live.id,
            evaluation_id=evaluation.id,
            reason=_reason(change, standing, live),
            by_user_id=by_user_id,
            at=at,
        )
        tell_moved(move, standing, live.policy, evaluation.partner_type, evaluation.values)


def held_by(standing: Standing) -> Held:
    """What a standing holds, as a value."""
    return Held(
        standing.state,
        standing.tier,
        standing.provisional_until,
        standing.grace_until,
        standing.grace_tier,
    )


def _reason(change: Change, standing: Standing, live: LivePolicy) -> str:
    points = f"{standing.points:,} points"
    match change.kind:
        case MoveKind.PROMOTED:
            return f"Meets everything that the tier asks for, with {points}"
        case MoveKind.GRACE_BEGAN:
            until = standing.grace_until
            day = f"{until.day} {until:%b %Y}" if until else ""
            return f"No longer meets the tier, with {points}; kept until {day}"
        case MoveKind.GRACE_ENDED:
            return f"Meets the tier again, with {points}"
        case MoveKind.DEMOTED if live.policy.rank(change.from_tier) < 0:
            return "The tier is no longer part of the policy"
        case MoveKind.DEMOTED:
            return f"The days of grace are over, with {points}"
        case MoveKind.CONFIRMED:
            return "Certified within the provisional time"
        case MoveKind.LAPSED:
            return "Not certified within the provisional time"
        case MoveKind.OVERRIDE_ENDED:
            return f"Back to what is earned, with {points}"
        case _:
            return ""
