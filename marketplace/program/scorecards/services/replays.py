"""The time machine: starting a replay of the past, going on with it batch by batch, stopping it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, enqueue, job_handler
from marketplace.core.locks import lock_row
from marketplace.identity.models import User
from marketplace.program.policy.document import Policy
from marketplace.program.scorecards.days import CERTIFYING, Grid, PartnerValues, reach_of
from marketplace.program.scorecards.loading import series_of
from marketplace.program.scorecards.models import (
    Replay,
    ReplayDifference,
    ReplayMove,
    ReplayState,
    ReplayTrack,
)
from marketplace.program.scorecards.pasts import Published, pasts_of, published_versions
from marketplace.program.scorecards.replaying import (
    Life,
    Past,
    Schedule,
    live_through,
    schedule_of,
)
from marketplace.program.scorecards.tallying import add_lives, empty_figures, month_days
from marketplace.program.standing.models import Standing

BATCH = 100
GO_ON = "replays.go_on"
MOST_RUNNING = 3
MOST_MONTHS = 24


def start_replay(
    policy: Policy,
    *,
    name: str,
    version_id: int | None,
    months: int,
    whole_period: bool,
    by_user_id: int | None,
) -> Replay:
    """Begin to replay the last months under a policy; jobs do the rest. The same that the person
    has running already is not begun again.

    Raises InvalidError for a number of months that cannot be, ConflictError when too many run.
    """
    if not 1 <= months <= MOST_MONTHS:
        raise InvalidError({"months": f"From 1 to {MOST_MONTHS} months."})
    if by_user_id is not None:
        # A form that is sent twice at once: the second waits here, and finds the first.
        lock_row(User, User.id == by_user_id)
        same = db.session.scalar(
            select(Replay)
            .where(
                Replay.state == ReplayState.RUNNING,
                Replay.created_by_id == by_user_id,
                Replay.digest == policy.digest(),
                Replay.version_id == version_id,
                Replay.months == months,
                Replay.whole_period == whole_period,
            )
            .limit(1)
        )
        if same is not None:
            return same
    running = db.session.scalar(
        select(func.count()).select_from(Replay).where(Replay.state == ReplayState.RUNNING)
    )
    if (running or 0) >= MOST_RUNNING:
        raise ConflictError("Three replays are running already. Wait for one, or stop it.")
    now = clock.now()
    ends_at = now.replace(hour=0, minute=0, second=0, microsecond=0)
    replay = Replay(
        public_id=new_public_id("rpl"),
        name=name[:120],
        document=policy.as_data(),
        digest=policy.digest(),
        version_id=version_id,
        months=months,
        whole_period=whole_period,
        starts_at=months_before(ends_at, months),
        ends_at=ends_at,
        total=db.session.scalar(select(func.count()).select_from(Standing)) or 0,
        figures={},
        created_by_id=by_user_id,
        created_at=now,
    )
    db.session.add(replay)
    db.session.flush()
    record_fact(
        "replay.started",
        subject=("replay", replay.id),
        actor_user_id=by_user_id,
        data={"months": months, "digest": replay.digest},
    )
    _enqueue(replay)
    return replay


def months_before(end: datetime, months: int) -> datetime:
    """The beginning of the month that lies so many months before a midnight."""
    count = end.year * 12 + end.month - 1 - months
    return end.replace(year=count // 12, month=count % 12 + 1, day=1)


@job_handler(GO_ON, lease=timedelta(minutes=15))
def go_on(payload: Payload) -> None:
    """Replay the partners that come next; what is found and how far it came are one transaction."""
    replay = lock_row(Replay, Replay.id == int(payload["replay_id"]))
    if replay is None or replay.state is not ReplayState.RUNNING:
        return
    if replay.last_organization_id != int(payload["after"]):
        return
    ids = list(
        db.session.scalars(
            select(Standing.organization_id)
            .where(Standing.organization_id > replay.last_organization_id)
            .order_by(Standing.organization_id)
            .limit(BATCH)
        )
    )
    if ids:
        _replay_batch(replay, ids)
        replay.last_organization_id = ids[-1]
        replay.done += len(ids)
    if len(ids) == BATCH:
        _enqueue(replay)
        return
    replay.state, replay.finished_at = ReplayState.DONE, clock.now()
    replay.total = replay.done
    if not replay.figures:
        replay.figures = empty_figures(month_days(_grid(replay, ())))
    record_fact("replay.finished", subject=("replay", replay.id), data={"partners": replay.done})


def stop_replay(replay: Replay, *, by_user_id: int | None) -> bool:
    """Stop it; False when it has ended already."""
    held = lock_row(Replay, Replay.id == replay.id)
    if held is None or held.state is not ReplayState.RUNNING:
        return False
    held.state, held.finished_at = ReplayState.STOPPED, clock.now()
    record_fact("replay.stopped", subject=("replay", held.id), actor_user_id=by_user_id)
    return True


def discard_replay(replay: Replay, *, by_user_id: int | None) -> None:
    """Delete a replay with what it found. Raises ConflictError while it runs."""
    held = lock_row(Replay, Replay.id == replay.id)
    if held is None:
        return
    if held.state is ReplayState.RUNNING:
        raise ConflictError("Stop it first.")
    db.session.execute(delete(ReplayMove).where(ReplayMove.replay_id == held.id))
    db.session.execute(delete(ReplayDifference).where(ReplayDifference.replay_id == held.id))
    record_fact("replay.discarded", subject=("replay", held.id), actor_user_id=by_user_id)
    db.session.delete(held)
    db.session.flush()


def _enqueue(replay: Replay) -> None:
    enqueue(
        GO_ON,
        {"replay_id": replay.id, "after": replay.last_organization_id},
        dedupe_key=f"{GO_ON}:{replay.id}:{replay.last_organization_id}",
    )


def _grid(replay: Replay, policies: Sequence[Policy]) -> Grid:
    return Grid(replay.starts_at, (replay.ends_at - replay.starts_at).days, reach_of(policies))


def _replay_batch(replay: Replay, organization_ids: Sequence[int]) -> None:
    draft = Policy.model_validate(replay.document)
    published = published_versions(replay.ends_at)
    grid = _grid(replay, [draft, *(each.policy for each in published)])
    by_draft: Schedule = [draft] * (grid.days + 1)
    by_live = _live_schedule(published, replay, grid)
    measures = {
        metric.measure
        for policy in {id(each): each for each in (*by_draft, *by_live) if each}.values()
        for metric in policy.metrics
    }
    pasts = pasts_of(organization_ids, published, grid, whole_period=replay.whole_period)
    series = series_of(organization_ids, sorted(measures | set(CERTIFYING)), grid)
    lives: list[tuple[Past, Life, Life]] = []
    for past in pasts:
        values = PartnerValues(series.get(past.organization_id, {}), grid)
        lives.append(
            (
                past,
                live_through(past, by_draft, values),
                live_through(past, by_live, values, recorded=not replay.whole_period),
            )
        )
    replay.figures = add_lives(
        replay.figures, lives, draft, by_live, month_days(grid), _tiers_now(organization_ids)
    )
    _write(replay, lives)


def _live_schedule(published: Sequence[Published], replay: Replay, grid: Grid) -> Schedule:
    """The policies that were in force; for the whole time, the first one from the beginning."""
    versions = [(each.effective_at, each.policy) for each in published]
    if replay.whole_period and versions:
        versions[0] = (min(versions[0][0], grid.first), versions[0][1])
    return schedule_of(versions, grid)


def _tiers_now(organization_ids: Sequence[int]) -> dict[int, Standing]:
    rows = db.session.scalars(
        select(Standing).where(Standing.organization_id.in_(organization_ids))
    )
    return {row.organization_id: row for row in rows}


def _write(replay: Replay, lives: Sequence[tuple[Past, Life, Life]]) -> None:
    moves: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    for past, by_draft, by_live in lives:
        for track, life in ((ReplayTrack.DRAFT, by_draft), (ReplayTrack.LIVE, by_live)):
            moves += [
                {
                    "replay_id": replay.id,
                    "track": track,
                    "organization_id": past.organization_id,
                    "at": at,
                    "kind": change.kind,
                    "from_tier": change.from_tier,
                    "to_tier": change.to_tier,
                }
                for at, change in life.moves
            ]
        if by_draft.tiers[-1] != by_live.tiers[-1]:
            differences.append(
                {
                    "replay_id": replay.id,
                    "organization_id": past.organization_id,
                    "live_tier": by_live.tiers[-1],
                    "draft_tier": by_draft.tiers[-1],
                    "points": by_draft.points,
                }
            )
    if moves:
        db.session.execute(insert(ReplayMove), moves)
    if differences:
        db.session.execute(insert(ReplayDifference), differences)
    db.session.flush()
