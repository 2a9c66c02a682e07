"""What is on record of partners' past, as a replay needs it: a few statements for a batch."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.program.policy.document import Policy
from marketplace.program.policy.live import live_policy
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.scorecards import queries
from marketplace.program.scorecards.days import Grid
from marketplace.program.scorecards.replaying import Hold, Joining, Past, held_after
from marketplace.program.standing.models import (
    Evaluation,
    MoveKind,
    Standing,
    StandingMove,
    StandingState,
    TierOverride,
)
from marketplace.program.standing.movement import Held
from marketplace.program.standing.reading import IN_FORCE


@dataclass(frozen=True)
class Published:
    """A published version and from when it was in force."""

    id: int
    effective_at: datetime
    policy: Policy


def published_versions(until: datetime) -> list[Published]:
    """The versions that came into force until a moment, in that order; those that another
    overtook on the same moment are left out."""
    moments = db.session.scalars(
        select(PolicyVersion.effective_at)
        .where(PolicyVersion.state == PolicyState.PUBLISHED, PolicyVersion.effective_at <= until)
        .order_by(PolicyVersion.effective_at)
        .distinct()
    ).all()
    found = []
    for moment in moments:
        live = live_policy(moment)
        if live is not None:
            found.append(Published(live.id, live.effective_at, live.policy))
    return found


def pasts_of(
    organization_ids: Sequence[int],
    published: Sequence[Published],
    grid: Grid,
    *,
    whole_period: bool,
) -> list[Past]:
    """The pasts of partners, in the order of their ids."""
    standings = {
        row.organization_id: row
        for row in db.session.scalars(
            select(Standing).where(Standing.organization_id.in_(organization_ids))
        )
    }
    # As of the last evaluation: a type that was changed since counts from the next one on.
    now = queries.types_of(organization_ids) | _evaluated_types(standings.values())
    types = _types(organization_ids)
    moves = _moves(organization_ids, grid.last)
    holds = _holds(organization_ids)
    policies = {each.id: each.policy for each in published}
    found = []
    for organization_id in sorted(standings):
        standing = standings[organization_id]
        own_types = types.get(organization_id) or ((grid.first, now.get(organization_id)),)
        own_holds = tuple(holds.get(organization_id, ()))
        if whole_period:
            takes_part = standing.state in IN_FORCE
            found.append(Past(organization_id, own_types, holds=own_holds, from_earned=takes_part))
            continue
        own_moves = moves.get(organization_id, [])
        found.append(
            Past(
                organization_id,
                own_types,
                joined=_joined(standing, own_moves, policies, own_types),
                left=tuple(each.at for each in own_moves if each.kind is MoveKind.ENDED),
                confirmed=tuple(
                    each.at
                    for each in own_moves
                    if each.kind is MoveKind.CONFIRMED and each.evaluation_id is None
                ),
                holds=own_holds,
                start=_start(standing, own_moves, policies, grid.first),
            )
        )
    return found


def _start(
    standing: Standing,
    moves: Sequence[StandingMove],
    policies: dict[int, Policy],
    first: datetime,
) -> Held | None:
    """What a partner had at the first midnight."""
    if not any(each.kind is MoveKind.JOINED for each in moves):
        # A standing without a record: it has had its tier since it joined.
        if standing.joined_at <= first and standing.state in IN_FORCE:
            return Held(StandingState.ACTIVE, standing.tier)
        return None
    return held_after(
        [
            (
                each.kind,
                each.to_tier,
                each.at,
                policies.get(each.policy_id or 0),
                each.partner_type,
            )
            for each in moves
            if each.at <= first
        ]
    )


def _joined(
    standing: Standing,
    moves: Sequence[StandingMove],
    policies: dict[int, Policy],
    types: Sequence[tuple[datetime, str | None]],
) -> tuple[Joining, ...]:
    found = tuple(
        Joining(each.at, each.partner_type, policies.get(each.policy_id or 0))
        for each in moves
        if each.kind is MoveKind.JOINED
    )
    if found:
        return found
    return (Joining(standing.joined_at, _last_type(types, standing.joined_at), None),)


def _last_type(types: Sequence[tuple[datetime, str | None]], at: datetime) -> str | None:
    known = [kind for begins, kind in types if begins <= at]
    return known[-1] if known else (types[0][1] if types else None)


def _types(organization_ids: Sequence[int]) -> dict[int, tuple[tuple[datetime, str | None], ...]]:
    """The types at evaluations, where they changed: the first one counts before it too."""
    changing = (
        select(Evaluation.organization_id)
        .where(Evaluation.organization_id.in_(organization_ids))
        .group_by(Evaluation.organization_id)
        .having(func.count(func.distinct(func.coalesce(Evaluation.partner_type, ""))) > 1)
    )
    rows = db.session.execute(
        select(Evaluation.organization_id, Evaluation.at, Evaluation.partner_type)
        .where(Evaluation.organization_id.in_(changing))
        .order_by(Evaluation.organization_id, Evaluation.at, Evaluation.id)
    )
    found: dict[int, list[tuple[datetime, str | None]]] = defaultdict(list)
    for organization_id, at, kind in rows:
        own = found[organization_id]
        if not own or own[-1][1] != kind:
            own.append((at, kind))
    return {each: tuple(own) for each, own in found.items()}


def _evaluated_types(standings: Iterable[Standing]) -> dict[int, str | None]:
    rows = db.session.execute(
        select(Evaluation.organization_id, Evaluation.partner_type).where(
            Evaluation.id.in_([each.evaluation_id for each in standings if each.evaluation_id])
        )
    )
    return {row[0]: row[1] for row in rows}


def _moves(organization_ids: Sequence[int], until: datetime) -> dict[int, list[StandingMove]]:
    rows = db.session.scalars(
        select(StandingMove)
        .where(StandingMove.organization_id.in_(organization_ids), StandingMove.at <= until)
        .order_by(StandingMove.organization_id, StandingMove.at, StandingMove.id)
    )
    return _grouped(rows)


def _grouped(rows: Iterable[StandingMove]) -> dict[int, list[StandingMove]]:
    found: dict[int, list[StandingMove]] = defaultdict(list)
    for row in rows:
        found[row.organization_id].append(row)
    return found


def _holds(organization_ids: Sequence[int]) -> dict[int, list[Hold]]:
    rows = db.session.scalars(
        select(TierOverride)
        .where(TierOverride.organization_id.in_(organization_ids))
        .order_by(TierOverride.id)
    )
    found: dict[int, list[Hold]] = defaultdict(list)
    for row in rows:
        ends = min(row.expires_at, row.ended_at) if row.ended_at else row.expires_at
        found[row.organization_id].append(Hold(row.tier, row.created_at, ends))
    return found
