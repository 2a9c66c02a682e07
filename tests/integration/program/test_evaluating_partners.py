"""Evaluations: what they write, how standings move, jobs that go on, and two at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.jobs import Job, JobState
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role
from marketplace.program.measures import Measure, measure
from marketplace.program.onboarding.services.admitting import admit
from marketplace.program.policy.live import forget_current_policy
from marketplace.program.scorecards import jobs as evaluating_jobs
from marketplace.program.scorecards.queries import standing_of
from marketplace.program.scorecards.services import evaluation
from marketplace.program.scorecards.services.confirming import confirm_partner
from marketplace.program.scorecards.services.evaluation import evaluate, evaluate_batch
from marketplace.program.scorecards.services.overriding import end_override, hold_tier
from marketplace.program.standing.joining import join
from marketplace.program.standing.models import (
    Evaluation,
    MoveKind,
    Standing,
    StandingMove,
    StandingState,
)
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.queries import count_queries
from tests.factories.races import at_once

AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
METRICS = [{"key": "deals", "name": "Deals won", "measure": "deals_won", "points": 1}]


@pytest.fixture(autouse=True)
def _at() -> object:
    with clock.frozen(AT):
        yield


def won(organization: Organization, number: int, key: str) -> None:
    measure(organization.id, Measure.DEALS_WON, number, key=key, source=("deal", key))


def moves(organization_id: int) -> list[MoveKind]:
    db.session.rollback()
    rows = db.session.scalars(
        select(StandingMove)
        .where(StandingMove.organization_id == organization_id)
        .order_by(StandingMove.id)
    )
    return [row.kind for row in rows]


def standing(organization: Organization) -> Standing:
    found = standing_of(organization.id)
    assert found is not None
    return found


def evaluations() -> int:
    return db.session.scalar(select(func.count()).select_from(Evaluation)) or 0


def test_nothing_new_writes_no_evaluation_but_says_when_it_looked(app: Flask) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization()
    make_standing(partner)
    won(partner, 3, "a")
    first = evaluate(partner.id)
    clock.shift(timedelta(days=1))
    assert evaluate(partner.id).id == first.id
    assert evaluations() == 1
    assert standing(partner).evaluated_at == AT + timedelta(days=1)
    won(partner, 1, "b")
    assert evaluate(partner.id).values == {"deals": 4}
    assert evaluations() == 2


def test_a_new_policy_is_a_new_evaluation_and_changes_none_of_the_past(app: Flask) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization()
    make_standing(partner)
    won(partner, 100, "a")
    first = evaluate(partner.id)
    seen = (first.id, first.policy_id, dict(first.values), first.points, first.earned_tier)
    make_policy(metrics=[{**METRICS[0], "points": 3}], effective_at=AT)
    second = evaluate(partner.id)
    assert (second.points, second.earned_tier) == (300, "gold")
    db.session.refresh(first)
    assert seen == (first.id, first.policy_id, dict(first.values), first.points, first.earned_tier)
    assert standing(partner).tier == "gold"


def test_it_may_jump_tiers(app: Flask) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization()
    make_standing(partner)
    won(partner, 400, "a")
    evaluate(partner.id)
    assert moves(partner.id) == []  # rolled back with the rest of the test's transaction


def test_a_jump_is_one_move_with_one_mail_to_each_owner_and_admin(app: Flask) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization()
    make_standing(partner)
    make_member(partner), make_member(partner, Role.ADMIN), make_member(partner, Role.VIEWER)
    # An address that nobody proved may be anybody's.
    make_member(partner).email_verified = False
    won(partner, 400, "a")
    with unit_of_work():
        evaluate(partner.id)
    assert moves(partner.id) == [MoveKind.PROMOTED]
    assert [mail["subject"] for mail in mails()] == ["You are Gold now", "You are Gold now"]


def test_a_tier_that_the_policy_has_no_more_is_left_and_nobody_is_congratulated(
    app: Flask,
) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization()
    make_standing(partner, "platinum")
    make_member(partner)
    won(partner, 120, "a")
    with unit_of_work():
        evaluate(partner.id)
    assert moves(partner.id) == [MoveKind.DEMOTED]
    assert standing(partner).tier == "silver"
    reason = db.session.scalars(select(StandingMove.reason)).one()
    assert reason == "The tier is no longer part of the policy"
    (mail,) = mails()
    assert "no longer part of the program" in mail["body"]
    assert "days of grace" not in mail["body"]


def test_grace_ends_in_what_is_earned_by_then(app: Flask) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization()
    make_standing(partner, "gold")
    won(partner, 100, "a")
    evaluate(partner.id)
    assert standing(partner).grace_tier == "silver"
    won(partner, -50, "b")
    clock.shift(timedelta(days=30, hours=3))
    evaluate(partner.id)
    assert (standing(partner).tier, standing(partner).grace_tier) == ("gold", "registered")
    clock.shift(timedelta(hours=19))
    evaluate(partner.id)
    assert standing(partner).tier == "registered"


def test_without_days_of_grace_a_drop_is_at_once(app: Flask) -> None:
    make_policy(metrics=METRICS, grace_days=0)
    partner = make_organization()
    make_standing(partner, "gold")
    evaluate(partner.id)
    assert standing(partner).tier == "registered"


def test_a_provisional_partner_is_confirmed_by_a_certification(app: Flask) -> None:
    document = policy_document()
    kinds = [{**document["types"][0], "provisional_days": 180}, *document["types"][1:]]
    make_policy(types=kinds)
    partner, other = make_organization("One"), make_organization("Other")
    make_member(other)
    for each in (partner, other):
        join(each, by_user_id=None)
    measure(partner.id, Measure.CERTIFIED_LISTINGS, key="c", source=("certification", 1))
    db.session.commit()
    with unit_of_work():
        evaluate_batch([partner.id, other.id])
    assert standing(partner).state is StandingState.ACTIVE
    assert standing(other).state is StandingState.PROVISIONAL
    clock.shift(timedelta(days=180))
    with unit_of_work():
        evaluate(other.id)
    assert standing(other).state is StandingState.PROVISIONAL
    clock.shift(timedelta(days=1))
    with unit_of_work():
        evaluate(other.id)
    assert standing(other).state is StandingState.LAPSED
    assert moves(other.id) == [MoveKind.JOINED, MoveKind.LAPSED]
    assert moves(partner.id) == [MoveKind.JOINED, MoveKind.CONFIRMED]
    assert any("has lapsed" in mail["subject"] for mail in mails())
    with pytest.raises(NotFoundError):
        evaluate(other.id)


def test_a_held_tier_stays_until_its_end_and_then_becomes_what_is_earned(app: Flask) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization()
    make_standing(partner)
    won(partner, 100, "a")
    hold = hold_tier(
        partner.id, "gold", reason="Agreed", expires_at=AT + timedelta(days=9), by_user_id=None
    )
    evaluate(partner.id)
    assert standing(partner).tier == "gold"
    with pytest.raises(ConflictError):
        hold_tier(
            partner.id, "silver", reason="x", expires_at=AT + timedelta(days=9), by_user_id=None
        )
    clock.shift(timedelta(days=9))
    evaluate(partner.id)
    assert standing(partner).tier == "silver"
    assert hold.settled_at is not None
    again = hold_tier(
        partner.id, "gold", reason="Again", expires_at=clock.now() + timedelta(days=9),
        by_user_id=None,
    )  # fmt: skip
    assert end_override(again, by_user_id=None)
    assert not end_override(again, by_user_id=None)
    assert standing(partner).tier == "silver"


def test_a_hold_of_a_partner_that_lapsed_can_be_ended_and_does_not_come_back(app: Flask) -> None:
    document = policy_document(metrics=METRICS)
    kinds = [{**document["types"][0], "provisional_days": 10}, *document["types"][1:]]
    make_policy(metrics=METRICS, types=kinds)
    partner = make_organization()
    join(partner, by_user_id=None)
    hold = hold_tier(
        partner.id, "gold", reason="Agreed", expires_at=AT + timedelta(days=90), by_user_id=None
    )
    clock.shift(timedelta(days=11))
    evaluate(partner.id)
    assert standing(partner).state is StandingState.LAPSED
    assert end_override(hold, by_user_id=None)
    assert hold.settled_at == clock.now()
    clock.shift(timedelta(hours=1))
    confirm_partner(partner.id, reason="They called", by_user_id=None)
    assert (standing(partner).state, standing(partner).tier) == (StandingState.ACTIVE, "registered")


@pytest.mark.parametrize(
    ("tier", "reason", "days", "field"),
    [("nowhere", "x", 5, "tier"), ("gold", " ", 5, "reason"), ("gold", "x" * 1_001, 5, "reason"),
     ("gold", "x", 0, "expires_on"), ("gold", "x", 800, "expires_on")],
)  # fmt: skip
def test_what_is_wrong_with_a_hold_is_said_at_its_field(
    app: Flask, tier: str, reason: str, days: int, field: str
) -> None:
    make_policy()
    partner = make_organization()
    make_standing(partner)
    with pytest.raises(InvalidError) as error:
        hold_tier(
            partner.id, tier, reason=reason, expires_at=AT + timedelta(days=days), by_user_id=None
        )
    assert set(error.value.fields) == {field}


def test_a_change_of_type_is_on_record(app: Flask) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization()
    make_standing(partner)
    evaluate(partner.id)
    partner.partner_type = "reseller"
    with unit_of_work():
        evaluate(partner.id)
    assert moves(partner.id) == [MoveKind.TYPE_CHANGED]


def test_a_change_of_type_that_somebody_made_is_on_record_once(app: Flask) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization()
    make_standing(partner)
    evaluate(partner.id)
    clock.shift(timedelta(hours=1))
    admit(partner, "reseller", by_user_id=None)
    evaluate(partner.id)
    clock.shift(timedelta(hours=1))
    # Nobody wrote this one down.
    partner.partner_type = "technology"
    with unit_of_work():
        evaluate(partner.id)
    assert moves(partner.id) == [MoveKind.TYPE_CHANGED, MoveKind.TYPE_CHANGED]
    reasons = db.session.scalars(select(StandingMove.reason).order_by(StandingMove.id)).all()
    assert reasons == ["technology to reseller", "From reseller to technology"]


def test_who_is_not_in_the_program_and_a_program_without_policy_are_refused(app: Flask) -> None:
    partner = make_organization()
    make_standing(partner)
    with pytest.raises(ConflictError):
        evaluate(partner.id)
    make_policy()
    with pytest.raises(NotFoundError):
        evaluate(make_organization("Other").id)


def test_a_hundred_partners_take_as_many_statements_as_two(app: Flask) -> None:
    make_policy(metrics=METRICS)
    partners = [make_organization(f"Partner {number}") for number in range(100)]
    for each in partners:
        make_standing(each)
        won(each, 5, f"w{each.id}")
    db.session.commit()
    ids = [each.id for each in partners]
    evaluate_batch(ids[:2])
    few = count_queries(lambda: evaluate_batch(ids[2:4]))
    many = count_queries(lambda: evaluate_batch(ids[4:]))
    assert many <= few + 1


def test_the_night_goes_on_where_a_killed_worker_stopped(
    app: Flask, monkeypatch: pytest.MonkeyPatch, run_jobs: Callable[[], int]
) -> None:
    make_policy(metrics=METRICS)
    partners = [make_organization(f"Partner {number}") for number in range(7)]
    for each in partners:
        make_standing(each)
        won(each, 300, f"w{each.id}")
    db.session.commit()
    monkeypatch.setattr(evaluating_jobs, "BATCH", 2)
    calls = 0
    really = evaluate_batch

    def killed_once(ids: list[int]) -> object:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return really(ids)

    monkeypatch.setattr(evaluating_jobs, "evaluate_batch", killed_once)
    with unit_of_work():
        evaluating_jobs.evaluate_all()
    with pytest.raises(KeyboardInterrupt):
        run_jobs()
    db.session.rollback()
    assert db.session.scalar(select(func.count()).where(Standing.tier == "gold")) == 4
    # Its lease ends; another worker takes the batch up again.
    clock.shift(timedelta(hours=1))
    run_jobs()
    db.session.rollback()
    assert db.session.scalar(select(func.count()).where(Standing.tier == "gold")) == 7
    assert db.session.scalar(
        select(func.count()).select_from(StandingMove).where(StandingMove.kind == "promoted")
    ) == 7  # fmt: skip
    left = select(Job).where(Job.kind == evaluating_jobs.ONE_BATCH, Job.state != JobState.DONE)
    assert db.session.scalars(left).all() == []


def test_the_night_ends_the_day_before_however_late_it_comes(
    app: Flask, run_jobs: Callable[[], int]
) -> None:
    make_policy(metrics=[{**METRICS[0], "window_days": 10}])
    partner, other = make_organization("One"), make_organization("Other")
    for each in (partner, other):
        make_standing(each, "gold")
        won(each, 300, f"a{each.id}")
    with unit_of_work():
        evaluate_batch([partner.id, other.id])
    # Ten days later it has left the window at two in the morning; nobody looked until midnight.
    clock.shift(timedelta(days=10, hours=22, minutes=7))
    midnight = clock.now().replace(minute=0)
    # The other one is looked at before the night's run comes to it.
    won(other, 1, "b")
    with unit_of_work():
        evaluate(other.id)
        evaluating_jobs.evaluate_everybody({})
    run_jobs()
    for each in (partner, other):
        found = db.session.scalars(
            select(StandingMove).where(StandingMove.organization_id == each.id)
        ).one()
        assert (found.kind, found.at) == (MoveKind.GRACE_BEGAN, midnight)
        # The day that ended at midnight is the first one without: day 30 still keeps the tier.
        assert standing(each).grace_until == midnight + timedelta(days=30, microseconds=-1)
    assert standing(other).evaluated_at == clock.now()
    clock.shift(timedelta(days=29, hours=23, minutes=50))
    evaluate_batch([partner.id, other.id])
    assert {standing(each).tier for each in (partner, other)} == {"gold"}
    clock.shift(timedelta(minutes=10))
    evaluate_batch([partner.id, other.id])
    assert {standing(each).tier for each in (partner, other)} == {"registered"}


def test_soon_means_whoever_was_measured_or_has_another_policy(
    app: Flask, run_jobs: Callable[[], int]
) -> None:
    make_policy(metrics=METRICS)
    partner, quiet = make_organization("One"), make_organization("Quiet")
    make_standing(partner), make_standing(quiet)
    db.session.commit()
    with unit_of_work():
        evaluate_batch([partner.id, quiet.id])
    clock.shift(timedelta(hours=3))
    won(partner, 300, "a")
    db.session.commit()
    with unit_of_work():
        evaluating_jobs.evaluate_fresh({})
    assert standing(partner).tier == "gold"
    assert standing(quiet).evaluated_at == AT
    make_policy(metrics=METRICS, grace_days=1, effective_at=clock.now())
    db.session.commit()
    with unit_of_work():
        evaluating_jobs.evaluate_fresh({})
    assert standing(quiet).evaluated_at == clock.now()


def test_the_nightly_job_is_there() -> None:
    assert evaluating_jobs.NIGHTLY in jobs._ticks


def test_two_evaluations_at_once_make_one_move(app: Flask) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization()
    make_standing(partner)
    make_member(partner)
    won(partner, 300, "a")
    db.session.commit()
    organization_id = partner.id

    def act() -> None:
        with unit_of_work():
            evaluation.evaluate(organization_id)

    raised = at_once(app, [act, act, act])
    # On SQLite one may be told that the database is locked; it decided nothing.
    assert all("locked" in str(each) for each in raised)
    assert moves(organization_id) == [MoveKind.PROMOTED]
    assert len(mails()) == 1
    forget_current_policy()
