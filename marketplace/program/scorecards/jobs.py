"""Evaluating everybody each night, and soon whoever has something new.

A run goes from batch to batch, each a job of its own: a worker that is killed loses one batch at
most, and the next one takes it up again.
"""

from datetime import timedelta

from sqlalchemy import exists, or_, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, job_handler, periodic
from marketplace.program.measures import Measurement
from marketplace.program.policy.live import live_policy
from marketplace.program.scorecards.services.evaluation import evaluate_batch, evaluate_midnight
from marketplace.program.standing.models import Evaluation, Standing, TierOverride
from marketplace.program.standing.reading import IN_FORCE

BATCH = 200
NIGHTLY = "standings.evaluate_all"
ONE_BATCH = "standings.evaluate_batch"
FRESH = "standings.evaluate_fresh"
LOOK_BACK = timedelta(hours=1)


@periodic(NIGHTLY, timedelta(days=1))
def evaluate_everybody(_payload: Payload) -> None:
    """Begin the night's run, soon after midnight in UTC. Where it comes late, what was measured
    since may be forgotten by whoever looks for it soon, so that now is looked at too."""
    since_midnight = timedelta(hours=clock.now().hour, minutes=clock.now().minute)
    evaluate_all(night=since_midnight < LOOK_BACK)


def evaluate_all(*, night: bool = False) -> None:
    """Begin a run over all partners. `night`: as of midnight, whoever was not evaluated since."""
    run = clock.now().isoformat(timespec="seconds")
    key = f"{ONE_BATCH}:{run}:0"
    enqueue(ONE_BATCH, {"run": run, "after": 0, "night": night}, dedupe_key=key)


@job_handler(ONE_BATCH, lease=timedelta(minutes=10))
def evaluate_next_batch(payload: Payload) -> None:
    """Evaluate the partners that come next, and say where to go on."""
    run, after = str(payload["run"]), int(payload["after"])
    night = bool(payload.get("night"))
    ids = list(
        db.session.scalars(
            select(Standing.organization_id)
            .where(Standing.organization_id > after, Standing.state.in_(IN_FORCE))
            .order_by(Standing.organization_id)
            .limit(BATCH)
        )
    )
    if night:
        evaluate_midnight(ids)
    else:
        evaluate_batch(ids)
    if len(ids) == BATCH:
        key = f"{ONE_BATCH}:{run}:{ids[-1]}"
        enqueue(ONE_BATCH, {"run": run, "after": ids[-1], "night": night}, dedupe_key=key)


@periodic(FRESH, timedelta(minutes=10), lease=timedelta(minutes=10))
def evaluate_fresh(payload: Payload) -> None:
    """Evaluate partners of whom something was measured in the last hour (it may be seen later than
    it is dated, hence not only since their last evaluation), whom another policy governs now, or
    whose set tier has ended."""
    now, after = clock.now(), int(payload.get("after", 0))
    live = live_policy()
    if live is None:
        return
    measured = select(Measurement.organization_id).where(Measurement.recorded_at > now - LOOK_BACK)
    ended = exists().where(
        TierOverride.organization_id == Standing.organization_id,
        TierOverride.settled_at.is_(None),
        TierOverride.expires_at <= now,
    )
    ids = list(
        db.session.scalars(
            select(Standing.organization_id)
            .outerjoin(Evaluation, Evaluation.id == Standing.evaluation_id)
            .where(
                Standing.organization_id > after,
                Standing.state.in_(IN_FORCE),
                or_(
                    Evaluation.id.is_(None),
                    Evaluation.policy_id != live.id,
                    Standing.organization_id.in_(measured),
                    ended,
                ),
            )
            .order_by(Standing.organization_id)
            .limit(BATCH)
        )
    )
    evaluate_batch(ids)
    if len(ids) == BATCH:
        enqueue(FRESH, {"after": ids[-1]})
