"""Applications in the database: fees, promises, conflicts, stages, races."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.models import BillingProfile, FeeKind, FeeRule, Order, Refund
from billing.order_terms import Payment
from billing.orders.paying import mark_paid
from billing.partner_facts import partner_facts
from billing.payouts.payable import payable_balance
from billing.program_fees import place_program_fee
from billing.verify import verify
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role, User
from marketplace.program.applications.conflicts import conflict_of
from marketplace.program.applications.models import (
    Application,
    ApplicationEntry,
    ApplicationState,
    EntryKind,
    Milestone,
    ProgramRound,
    RoundPlace,
)
from marketplace.program.applications.services import deciding, milestones, places, reviewing
from marketplace.program.applications.services.opening import (
    Opened,
    may_apply_from,
    open_application,
)
from marketplace.program.applications.services.paying import application_fee_paid
from marketplace.program.applications.services.promises import position, positions, queue_of
from marketplace.program.applications.services.rounds import TypedRound, edit_round
from marketplace.program.policy.document import Stage
from marketplace.program.standing.models import Standing, StandingState
from marketplace.program.standing.taking_part import NotTakingPartError
from tests.factories.desk import make_schedule
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.races import at_once
from tests.factories.rounds import Judges, actor_of, make_application, make_judges, make_round

KIND = "admission:technology"
REVIEW = (Stage(key="review", name="Review", reviewers=1, pass_score=50),)


def admission(organization: Organization | None = None, email: str = "v@new.example") -> Opened:
    return open_application(
        KIND,
        answers={},
        organization_id=organization.id if organization else None,
        applicant_user_id=None,
        email=email,
        name="Vera Lund",
        form=(),
        stages=REVIEW,
        title="Joining as a technology partner",
    )


def policy_with_promise(days: int | None = 10) -> None:
    document = policy_document()
    document["types"][0]["review_days"] = days
    make_policy(document)


def reload(application: Application) -> Application:
    db.session.expire_all()
    return db.session.get_one(Application, application.id)


def pay_fee(partner: Organization, number: int = 1) -> Order:
    order = place_program_fee(
        FeeKind.APPLICATION,
        organization_id=partner.id,
        facts=partner_facts([partner.id])[partner.id],
        currency="EUR",
        listing=None,
        shown=4_900,
        user_id=None,
    )
    payment = Payment(clock.now(), f"pi_fee{number}", f"ch_fee{number}")
    mark_paid(order.id, payment)
    # A second webhook says the same.
    mark_paid(order.id, payment)
    db.session.flush()
    return order


@pytest.fixture
def partner(app: Flask) -> Organization:
    """A partner that owes a fee of €49.00 for applying."""
    organization = make_organization("Quayside")
    make_schedule(
        FeeRule(kind=FeeKind.SALE, bps=2_000),
        FeeRule(kind=FeeKind.APPLICATION, currency="EUR", fixed=4_900),
    )
    db.session.add(
        BillingProfile(
            organization_id=organization.id,
            legal_name="Quayside GmbH",
            country="DE",
            email="bills@quayside.example",
        )
    )
    db.session.flush()
    return organization


def judges_of(application: Application) -> Judges:
    judges = make_judges()
    assert conflict_of(application, judges.reviewer.id) == ""
    return judges


def test_an_application_waits_for_its_fee_and_a_payment_unlocks_it_once(
    partner: Organization,
) -> None:
    policy_with_promise()
    application = admission(partner).application
    assert application.state is ApplicationState.FEE_DUE
    assert (application.fee_amount, application.fee_currency) == (4_900, "EUR")
    assert application.promised_until is None
    assert position(application) is None
    order = pay_fee(partner)
    application_fee_paid(order)
    found = reload(application)
    assert found.state is ApplicationState.IN_REVIEW
    assert found.fee_order_id == order.id
    assert found.promised_until is not None
    paid = select(func.count()).where(ApplicationEntry.kind == EntryKind.FEE_PAID)
    assert db.session.scalar(paid) == 1


def test_one_payment_unlocks_one_application(partner: Organization) -> None:
    make_policy()
    first = admission(partner).application
    second = open_application(
        "admission:reseller", answers={}, organization_id=partner.id, applicant_user_id=None,
        email="v@new.example", name="Vera", form=(), stages=(), title="Joining as a reseller",
    ).application  # fmt: skip
    pay_fee(partner)
    assert reload(first).state is ApplicationState.IN_REVIEW
    assert reload(second).state is ApplicationState.FEE_DUE


def test_a_fee_that_was_paid_ahead_counts(partner: Organization) -> None:
    make_policy()
    order = pay_fee(partner)
    application = admission(partner).application
    assert application.state is ApplicationState.IN_REVIEW
    assert application.fee_order_id == order.id


def test_whoever_has_no_organization_yet_owes_no_fee(partner: Organization) -> None:
    make_policy()
    assert admission().application.state is ApplicationState.IN_REVIEW


def test_nobody_applies_twice_at_once_nor_soon_after_being_declined(app: Flask) -> None:
    make_policy()
    application = admission().application
    with pytest.raises(ConflictError):
        admission(email="V@new.example")
    judges = judges_of(application)
    actor = actor_of(judges.manager, judges.platform, "program_manager")
    deciding.decline(application, "Dear {name}, not now. {again_from}", actor=actor)
    again = may_apply_from(KIND, organization_id=None, email="v@new.example")
    assert again is not None
    with pytest.raises(ConflictError):
        admission()
    with clock.frozen(again + timedelta(minutes=1)):
        assert admission().application.is_open


def test_a_missed_promise_gives_the_fee_back_by_itself_and_once(
    app: Flask, partner: Organization
) -> None:
    policy_with_promise(10)
    application = admission(partner).application
    order = pay_fee(partner)
    db.session.commit()
    clock.shift(timedelta(days=10, minutes=5))
    try:
        for _ in range(3):
            jobs.add_due_ticks()
            jobs.run_due()
            clock.shift(timedelta(minutes=20))
        found = reload(application)
        assert found.missed_at is not None
        assert found.fee_refunded_at is not None
        assert found.state is ApplicationState.IN_REVIEW
        refunds = db.session.scalars(select(Refund)).all()
        assert [(each.order_id, each.amount) for each in refunds] == [(order.id, order.total)]
        subjects = [each["subject"] for each in mails()]
        assert len([each for each in subjects if each.endswith("we are late")]) == 1
    finally:
        clock.shift(-timedelta(days=10, minutes=65))


def test_the_clock_stands_while_the_applicant_is_asked(app: Flask) -> None:
    policy_with_promise(10)
    application = admission().application
    judges = judges_of(application)
    actor = actor_of(judges.manager, judges.platform, "program_manager")
    promised = application.promised_until
    assert promised is not None
    reviewing.ask_for_more(application, "Which customers?", actor=actor)
    assert position(application) is None
    with clock.frozen(clock.now() + timedelta(days=30)):
        reviewing.answer_question(application, "Those of fishing.", by_user_id=None)
        db.session.flush()
        moved = reload(application).promised_until
        assert moved is not None
        assert timedelta(days=29, hours=23) < moved - promised < timedelta(days=30, hours=1)


def test_the_queue_has_places_and_a_median(app: Flask) -> None:
    make_policy()
    start = clock.now()
    with clock.frozen(start):
        first = admission(email="one@one.example").application
    with clock.frozen(start + timedelta(minutes=1)):
        second = admission(email="two@two.example").application
    assert (position(first), position(second)) == (1, 2)
    assert positions([second, first]) == {first.id: 1, second.id: 2}
    assert queue_of(KIND).median_days is None
    judges = judges_of(first)
    actor = actor_of(judges.manager, judges.platform, "program_manager")
    with clock.frozen(start + timedelta(days=3, hours=1)):
        deciding.decline(first, "No.", actor=actor)
        found = queue_of(KIND)
        assert (found.waiting, found.median_days) == (1, 4)
        assert position(reload(second)) == 1


def test_conflicts_of_interest_are_found(app: Flask) -> None:
    make_policy()
    partner = make_organization("Quayside", website="https://www.quayside.example/about")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@gmail.com"))
    application = make_application(make_round(), partner, owner)
    judges = make_judges()

    def judge(address: str) -> int:
        return make_member(judges.platform, Role.REVIEWER, make_user("Noor", address)).id

    assert conflict_of(application, judge("noor@elsewhere.example")) == ""
    # Everybody has an address at a public provider; the applicant's own domain is another thing.
    assert conflict_of(application, judge("noor@gmail.com")) == ""
    assert "quayside.example" in conflict_of(application, judge("noor@Quayside.example"))
    assert conflict_of(application, owner.id) == "You are the applicant."
    moonlighter = judge("noor@moon.example")
    make_member(partner, Role.VIEWER, db.session.get_one(User, moonlighter))
    assert "work for" in conflict_of(application, moonlighter)
    reviewing.declare_conflict(
        application,
        "We are neighbours.",
        actor=actor_of(judges.second, judges.platform, "reviewer"),
    )
    assert "declared" in conflict_of(application, judges.second.id)
    with pytest.raises(ForbiddenError):
        reviewing.score(
            application,
            {"Overall": 50},
            "",
            actor=actor_of(judges.second, judges.platform, "reviewer"),
        )
    with pytest.raises(InvalidError):
        reviewing.assign(application, judges.second.id, by_user_id=None)


def test_reviewers_are_asked_by_their_load(app: Flask) -> None:
    make_policy()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada", "ada@quayside.example"))
    judges = make_judges()
    asked = []
    for number in range(3):
        round_ = make_round(
            name=f"Round {number}", stages=[{"key": "review", "name": "R", "reviewers": 1}]
        )
        asked += reviewing.assign_by_load(make_application(round_, partner, owner))
    assert len(set(asked)) == 3
    assert judges.finance.id not in asked
    told = [each for each in mails() if each["subject"].startswith("Please review")]
    assert sorted(each["to"] for each in told) == sorted(
        str(db.session.get_one(User, user_id).email) for user_id in asked
    )
    assert "/staff/applications/app_" in told[0]["body"]


def test_whoever_takes_an_application_on_by_themselves_is_not_mailed(app: Flask) -> None:
    make_policy()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada", "ada@quayside.example"))
    judges = make_judges()
    application = make_application(make_round(), partner, owner)
    reviewing.assign(application, judges.reviewer.id, by_user_id=judges.reviewer.id)
    assert mails() == []
    for _ in range(2):
        reviewing.assign(application, judges.second.id, by_user_id=judges.manager.id)
    assert [each["to"] for each in mails()] == [judges.second.email]


def test_a_score_can_be_changed_until_another_reviewer_has_scored(app: Flask) -> None:
    make_policy()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada", "ada@quayside.example"))
    application = make_application(make_round(), partner, owner)
    judges = make_judges()
    one = actor_of(judges.reviewer, judges.platform, "reviewer")
    two = actor_of(judges.second, judges.platform, "reviewer")
    for wrong in (None, -1, 101, 2**63):
        with pytest.raises(InvalidError):
            reviewing.score(application, {"Overall": wrong}, "", actor=one)
    reviewing.score(application, {"Overall": 10}, "", actor=one)
    assert reviewing.score(application, {"Overall": 60}, "", actor=one).score == 60
    reviewing.score(application, {"Overall": 40}, "", actor=two)
    with pytest.raises(ConflictError):
        reviewing.score(application, {"Overall": 100}, "", actor=one)
    assert reviewing.result(application).mean == 50


def granted(budget: int, *awards: int) -> tuple[list[Application], Judges]:
    """Applications of as many partners, scored, in a round with a budget."""
    make_policy()
    judges = make_judges()
    round_ = make_round(budget=budget, stages=[])
    found = []
    for number, _ in enumerate(awards):
        partner = make_organization(f"Partner {number}")
        make_standing(partner)
        owner = make_member(partner, Role.OWNER, make_user("Ada", f"ada@p{number}.example"))
        found.append(make_application(round_, partner, owner))
    db.session.commit()
    return found, judges


def test_two_who_grant_at_once_never_exceed_the_budget(app: Flask) -> None:
    applications, judges = granted(100_000, 60_000, 60_000)
    actor = actor_of(judges.manager, judges.platform, "program_manager")
    ids = [each.id for each in applications]

    def grant(application_id: int) -> None:
        with unit_of_work():
            row = db.session.get_one(Application, application_id)
            deciding.accept(row, "Yes.", actor=actor, award=60_000)

    raised = at_once(app, [lambda one=each: grant(one) for each in ids])  # type: ignore[misc]  # bound
    assert len(raised) == 1
    db.session.rollback()
    db.session.expire_all()
    awards = db.session.scalars(select(RoundPlace.award)).all()
    assert awards == [60_000]
    states = sorted(each.value for each in db.session.scalars(select(Application.state)))
    assert states == ["accepted", "in_review"]


def test_a_milestone_that_two_people_accept_at_once_is_paid_once(app: Flask) -> None:
    (application,), judges = granted(100_000, 60_000)
    actor = actor_of(judges.manager, judges.platform, "program_manager")
    deciding.accept(application, "Yes.", actor=actor, award=60_000)
    place = db.session.scalars(select(RoundPlace)).one()
    milestone = milestones.add_milestone(place, title="Beta", amount=60_000, by_user_id=None)
    milestones.submit_evidence(milestone, "It runs.", "", by_user_id=1)
    db.session.commit()
    milestone_id = milestone.id

    def accept() -> None:
        with unit_of_work():
            row = db.session.get_one(Milestone, milestone_id)
            milestones.accept_milestone(row, "", actor=actor)

    raised = at_once(app, [accept, accept])
    assert len(raised) == 1
    db.session.rollback()
    assert payable_balance(place.organization_id, "EUR") == 60_000
    assert list(verify()) == []


def test_what_a_partner_that_left_was_not_paid_is_back_in_the_budget(app: Flask) -> None:
    (application, second), judges = granted(100_000, 80_000, 80_000)
    actor = actor_of(judges.manager, judges.platform, "program_manager")
    deciding.accept(application, "Yes.", actor=actor, award=80_000)
    place = db.session.scalars(select(RoundPlace)).one()
    milestone = milestones.add_milestone(place, title="Beta", amount=30_000, by_user_id=None)
    milestones.submit_evidence(milestone, "It runs.", "", by_user_id=1)
    milestones.accept_milestone(milestone, "", actor=actor)
    assert places.committed(place.round_id) == 80_000
    places.end_place(place, by_user_id=None)
    assert places.committed(place.round_id) == 30_000
    deciding.accept(second, "Yes.", actor=actor, award=70_000)
    assert places.committed(place.round_id) == 100_000


@pytest.mark.parametrize("state", ["suspended", "lapsed", "ended"])
def test_nothing_is_accepted_or_handed_in_while_the_partner_takes_no_part(
    app: Flask, state: str
) -> None:
    (application,), judges = granted(100_000, 60_000)
    actor = actor_of(judges.manager, judges.platform, "program_manager")
    deciding.accept(application, "Yes.", actor=actor, award=60_000)
    place = db.session.scalars(select(RoundPlace)).one()
    first, second = (
        milestones.add_milestone(place, title=title, amount=30_000, by_user_id=None)
        for title in ("Beta", "Launch")
    )
    milestones.submit_evidence(first, "It runs.", "", by_user_id=1)
    partner = db.session.get_one(Organization, place.organization_id)
    standing = db.session.scalars(
        select(Standing).where(Standing.organization_id == partner.id)
    ).one()
    if state == "suspended":
        partner.suspended_at = clock.now()
    else:
        standing.state = StandingState(state)
    db.session.flush()
    with pytest.raises(ConflictError):
        milestones.accept_milestone(first, "", actor=actor)
    with pytest.raises(NotTakingPartError):
        milestones.submit_evidence(second, "It runs.", "", by_user_id=1)
    assert payable_balance(partner.id, "EUR") == 0
    partner.suspended_at, standing.state = None, StandingState.ACTIVE
    db.session.flush()
    milestones.accept_milestone(first, "", actor=actor)
    assert payable_balance(partner.id, "EUR") == 30_000


def test_a_round_keeps_what_was_granted_out_of_it(app: Flask) -> None:
    (application,), judges = granted(100_000, 60_000)
    actor = actor_of(judges.manager, judges.platform, "program_manager")
    deciding.accept(application, "Yes.", actor=actor, award=60_000)
    round_ = db.session.scalars(select(ProgramRound)).one()
    typed = TypedRound(
        name=round_.name,
        text="",
        opens_at=round_.opens_at,
        closes_at=round_.closes_at,
        questions=round_.form,
        stages=round_.stages,
        budget=59_999,
        currency="EUR",
    )
    with pytest.raises(InvalidError) as raised:
        edit_round(round_, typed, edition=round_.edition, by_user_id=None)
    assert raised.value.fields == {"budget": "€600.00 of it is granted already."}
    enough = replace(typed, budget=60_000, places=1)
    edit_round(round_, enough, edition=round_.edition, by_user_id=None)
    assert round_.budget == 60_000


def test_what_is_returned_has_the_time_again_that_was_left(app: Flask) -> None:
    (application,), judges = granted(100_000, 60_000)
    actor = actor_of(judges.manager, judges.platform, "program_manager")
    deciding.accept(application, "Yes.", actor=actor, award=60_000)
    place = db.session.scalars(select(RoundPlace)).one()
    now = clock.now()
    late, early = (
        milestones.add_milestone(
            place, title="Beta", amount=30_000, due_at=now + timedelta(days=days), by_user_id=None
        )
        for days in (1, 20)
    )
    for row in (late, early):
        milestones.submit_evidence(row, "It runs.", "", by_user_id=1)
    clock.shift(timedelta(days=7))
    try:
        for row in (late, early):
            milestones.return_milestone(row, "Show it running.", actor=actor)
    finally:
        clock.shift(-timedelta(days=7))
    assert late.due_at is not None
    assert early.due_at is not None
    assert timedelta(days=10) <= late.due_at - now < timedelta(days=10, minutes=1)
    assert timedelta(days=26) < early.due_at - now < timedelta(days=27, minutes=1)
