"""Scorecards of the demo: partners with a history, evaluated every fourth week of the past."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.acting import organization, person
from marketplace.observability.measuring_cli import remeasure_everything
from marketplace.program.policy.document import Policy
from marketplace.program.policy.live import LivePolicy, forget_current_policy, live_policy
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.policy.services import drafting
from marketplace.program.policy.services.publishing import publish
from marketplace.program.scorecards.evaluating import values_of
from marketplace.program.scorecards.models import Replay, ReplayState
from marketplace.program.scorecards.rules import points_of
from marketplace.program.scorecards.services.confirming import confirm_partner
from marketplace.program.scorecards.services.evaluation import evaluate_batch
from marketplace.program.scorecards.services.overriding import hold_tier
from marketplace.program.scorecards.services.replays import go_on, start_replay
from marketplace.program.standing.models import Evaluation, Standing, StandingState
from marketplace.program.standing.reading import IN_FORCE

EVERY = timedelta(days=28)
# When the policy was changed: partners that no longer meet their tier are in grace today.
CHANGED_DAYS_AGO = 20
HELD = ("quillbright", "gold")
# One in so many partners must get certified to stay.
NEWCOMERS = 9


def load(tell: Callable[[str], None]) -> None:
    """Measure all there is, evaluate the past, hold a tier and replay a draft. Commits; does
    nothing once there are evaluations."""
    live = live_policy()
    first = db.session.scalar(select(func.min(Standing.joined_at)))
    if live is None or first is None or db.session.scalar(select(func.count(Evaluation.id))):
        return
    remeasure_everything()
    now = clock.now()
    changed = now - timedelta(days=CHANGED_DAYS_AGO)
    moment = datetime.combine(first.date() + timedelta(days=1), time(0, 5), UTC)
    while moment < changed:
        _evaluate(moment)
        _confirm_known(moment)
        moment += EVERY
    _evaluate(changed - timedelta(hours=1))
    with unit_of_work(), clock.frozen(changed):
        _ask_for_more(live, now)
    forget_current_policy()
    for days_ago in range(CHANGED_DAYS_AGO - 1, -1, -7):
        _evaluate(max(now - timedelta(days=days_ago), changed + timedelta(hours=1)))
    _hold(now)
    _evaluate(now)
    _replay()
    forget_current_policy()
    moved = db.session.scalar(select(func.count()).where(Standing.tier != live.policy.tiers[0].key))
    tell(f"{moved} partners have a tier above the lowest.")


def _evaluate(at: datetime) -> None:
    """Everybody who has joined by a moment, as of that moment."""
    with unit_of_work(), clock.frozen(at):
        ids: Sequence[int] = db.session.scalars(
            select(Standing.organization_id).where(Standing.joined_at <= at)
        ).all()
        evaluate_batch(ids)


def _confirm_known(at: datetime) -> None:
    """Partners that sold here long before there was a program need no certification; three that
    came only lately must get one."""
    long_ago = at - timedelta(days=60)
    with unit_of_work(), clock.frozen(at):
        ids = db.session.scalars(
            select(Standing.organization_id)
            .where(Standing.state == StandingState.PROVISIONAL, Standing.joined_at <= long_ago)
            .order_by(Standing.organization_id)
        ).all()
        for each in ids:
            if each % NEWCOMERS:
                confirm_partner(
                    each, reason="Sold here before the program began.", by_user_id=_manager()
                )


def _ask_for_more(live: LivePolicy, now: datetime) -> None:
    """A second version whose second tier asks for a little more than one of its partners has, also
    today: that one is in grace."""
    policy = live.policy
    above = [tier for tier in policy.tiers if tier.points]
    if not above:
        return
    ids = db.session.scalars(
        select(Standing.organization_id).where(
            Standing.tier == above[0].key, Standing.state.in_(IN_FORCE)
        )
    ).all()
    points = [points_of(policy, values) for values in values_of(ids, policy, now).values()]
    asked = max(min(points, default=0), above[0].points) + 5
    data = policy.as_data()
    for tier in data["tiers"]:
        if tier["key"] == above[0].key:
            tier["points"] = asked
    version = drafting.begin(
        Policy.model_validate(data),
        by_user_id=_manager(),
        name="A little more for the second tier",
        note=f"{above[0].name} asks for {asked} points.",
    )
    publish(version, by_user_id=_manager())


def _hold(now: datetime) -> None:
    """One partner keeps a tier that it has not earned yet, for a reason."""
    slug, tier = HELD
    partner = organization(slug)
    live = live_policy()
    if partner is None or live is None:
        return
    key = tier if live.policy.tier(tier) else live.policy.tiers[-1].key
    with unit_of_work(), clock.frozen(now - timedelta(days=6)):
        hold_tier(
            partner.id,
            key,
            reason="Moves 400 customers from its old product to its new listing until spring.",
            expires_at=now + timedelta(days=60),
            by_user_id=_manager(),
        )


def _replay() -> None:
    """The proposal that waits as a draft, replayed over the last year."""
    draft = db.session.scalar(
        select(PolicyVersion)
        .where(PolicyVersion.state == PolicyState.DRAFT)
        .order_by(PolicyVersion.id)
        .limit(1)
    )
    if draft is None:
        return
    with unit_of_work():
        replay_id = start_replay(
            Policy.model_validate(draft.document),
            name=draft.name or "A draft",
            version_id=draft.id,
            months=12,
            whole_period=False,
            by_user_id=_manager(),
        ).id
    while True:
        replay = db.session.get(Replay, replay_id)
        if replay is None or replay.state is not ReplayState.RUNNING:
            db.session.rollback()
            return
        with unit_of_work():
            go_on({"replay_id": replay_id, "after": replay.last_organization_id})


def _manager() -> int | None:
    manager = person("program-manager")
    return manager.id if manager else None
