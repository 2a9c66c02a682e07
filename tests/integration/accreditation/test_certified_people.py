"""Certified people and trainers as levels over time: passes, renewals, ends, people who leave."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.accreditation.courses import counting
from marketplace.accreditation.courses.jobs import recount_people
from marketplace.accreditation.courses.models import Attempt, Course, Enrolment
from marketplace.accreditation.courses.services import attempting, authoring, learning, training
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.services.issuing import revoke
from marketplace.accreditation.embeds.cards import partner_card
from marketplace.accreditation.passport.contents import passport_of
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.identity.models import Membership, Organization, Role, User
from marketplace.program.goals import goal_progress
from marketplace.program.measures import Measure, Measurement, measure
from tests.factories.courses import (
    answers,
    course_content,
    make_course,
    make_credential,
    pass_course,
    question,
    version_of,
)
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy
from tests.factories.races import at_once

DAY = timedelta(days=1)


def level(
    organization: Organization, at: datetime, what: Measure = Measure.CERTIFIED_PEOPLE
) -> int:
    """The level of an organization at a moment."""
    return int(
        db.session.scalar(
            select(func.sum(Measurement.amount)).where(
                Measurement.organization_id == organization.id,
                Measurement.measure == what,
                Measurement.counts_at <= at,
            )
        )
        or 0
    )


@pytest.fixture
def partner(app: Flask) -> Organization:
    return make_organization("Quayside")


def test_a_pass_counts_until_the_credential_expires(partner: Organization) -> None:
    person = make_member(partner)
    credential = pass_course(make_course(validity_months=12), person, partner)
    now, end = clock.now(), credential.expires_at
    assert end is not None
    assert level(partner, now) == 1
    assert level(partner, end - timedelta(microseconds=1)) == 1
    assert level(partner, end) == 0


def test_two_credentials_of_one_person_are_one_person(partner: Organization) -> None:
    person = make_member(partner)
    first = pass_course(make_course(validity_months=12), person, partner)
    second = pass_course(make_course(validity_months=24), person, partner)
    assert first.expires_at is not None
    assert second.expires_at is not None
    now = clock.now()
    assert level(partner, now) == 1
    assert level(partner, first.expires_at + DAY) == 1
    assert level(partner, second.expires_at) == 0
    # The longer one is revoked: the shorter one still holds.
    revoke(second, reason="", by_user_id=None)
    counting.recount_credential(second)
    assert level(partner, clock.now()) == 1
    assert level(partner, first.expires_at) == 0
    revoke(first, reason="", by_user_id=None)
    assert level(partner, clock.now()) == 0
    assert level(partner, now) == 1  # what was true stays
    assert level(partner, second.expires_at + DAY) == 0


def test_a_renewal_before_the_end_is_no_gap(partner: Organization) -> None:
    person = make_member(partner)
    course = make_course(validity_months=12)
    first = pass_course(course, person, partner)
    begin = clock.now()
    enrolment = db.session.scalars(select(Enrolment)).one()
    with pytest.raises(ConflictError):
        attempting.begin(enrolment, version_of(course))
    with clock.frozen(begin + 300 * DAY):
        second = pass_course(course, person, partner)
    assert second.id != first.id
    assert first.expires_at is not None
    assert second.expires_at is not None
    for at in (begin, begin + 300 * DAY, first.expires_at, second.expires_at - DAY):
        assert level(partner, at) == 1
    assert level(partner, second.expires_at) == 0


def test_a_credential_without_an_end_counts_without_one(partner: Organization) -> None:
    person = make_member(partner)
    assert pass_course(make_course(validity_months=None), person, partner).expires_at is None
    assert level(partner, clock.now() + 9_000 * DAY) == 1


def test_a_course_that_does_not_certify_counts_nobody(partner: Organization) -> None:
    person = make_member(partner)
    assert pass_course(make_course(is_certifying=False), person, partner)
    assert level(partner, clock.now()) == 0


def test_who_leaves_counts_no_more_and_again_when_they_come_back(partner: Organization) -> None:
    make_member(partner)
    person = make_member(partner, Role.EDITOR)
    credential = pass_course(make_course(), person, partner)
    membership = db.session.scalars(select(Membership).where(Membership.user_id == person.id)).one()
    db.session.delete(membership)
    db.session.flush()
    counting.recount_gone(partner.id, person.id)
    assert level(partner, clock.now()) == 0
    assert credential.expires_at is not None
    assert level(partner, credential.expires_at + DAY) == 0
    assert credential.state.value == "valid"
    make_member(partner, user=person)
    recount_people({})
    assert level(partner, clock.now()) == 1
    assert level(partner, credential.expires_at) == 0
    before = db.session.scalar(select(func.count()).select_from(Measurement))
    recount_people({})
    assert db.session.scalar(select(func.count()).select_from(Measurement)) == before


def test_recounts_at_once_count_once(app: Flask, partner: Organization) -> None:
    person = make_member(partner)
    course = make_course()
    enrolment = learning.enrol(course, user_id=person.id, organization_id=partner.id)
    attempt = attempting.begin(enrolment, version_of(course))
    given = answers(attempt, 5)
    ids = attempt.id, partner.id, person.id
    db.session.commit()

    def submit() -> None:
        attempting.submit(db.session.get_one(Attempt, ids[0]), given)
        db.session.commit()

    def recount() -> None:
        counting.recount_person(ids[1], ids[2])
        db.session.commit()

    at_once(app, [submit, submit, recount])
    db.session.rollback()
    recount()
    assert db.session.scalar(select(func.count()).select_from(Credential)) == 1
    assert level(db.session.get_one(Organization, ids[1]), clock.now()) == 1


def test_attempts_run_out_wait_and_are_forgiven(partner: Organization) -> None:
    person = make_member(partner)
    course = make_course(attempts_allowed=2, wait_hours=24)
    enrolment = learning.enrol(course, user_id=person.id, organization_id=partner.id)
    version, begin = version_of(course), clock.now()
    first = attempting.begin(enrolment, version)
    assert attempting.begin(enrolment, version).id == first.id
    attempting.submit(first, answers(first, 1))
    with pytest.raises(ConflictError, match="24 hours"):
        attempting.begin(enrolment, version)
    with clock.frozen(begin + timedelta(hours=25)):
        second = attempting.begin(enrolment, version)
        attempting.submit(second, answers(second, 1))
    with clock.frozen(begin + timedelta(days=5)):
        with pytest.raises(ConflictError, match="all attempts"):
            attempting.begin(enrolment, version)
        assert attempting.forgive(enrolment, by_user_id=None) == 2
        assert attempting.forgive(enrolment, by_user_id=None) == 0
        assert attempting.begin(enrolment, version).number == 3


def test_after_the_time_what_was_saved_counts_and_what_comes_late_does_not(
    partner: Organization,
) -> None:
    person = make_member(partner)
    course = make_course(time_limit_minutes=10)
    enrolment = learning.enrol(course, user_id=person.id, organization_id=partner.id)
    begin = clock.now()
    with clock.frozen(begin):
        attempt = attempting.begin(enrolment, version_of(course))
        assert attempting.save_answers(attempt, answers(attempt, 3))
    with clock.frozen(begin + timedelta(minutes=11)):
        assert not attempting.save_answers(attempt, answers(attempt, 5))
        assert attempting.close_overdue() == 1
        assert attempting.close_overdue() == 0
        assert attempting.submit(attempt, answers(attempt, 5)).score == 60
    assert attempt.submitted_at == begin + timedelta(minutes=10)


def test_an_attempt_is_judged_by_the_version_that_it_was_begun_with(
    partner: Organization,
) -> None:
    person = make_member(partner)
    course = make_course()
    enrolment = learning.enrol(course, user_id=person.id, organization_id=partner.id)
    attempt = attempting.begin(enrolment, version_of(course))
    given = answers(attempt, 5)
    course.draft = course_content(
        pass_percent=100, questions=[question(n, correct=[1]) for n in range(1, 6)]
    ).as_data()
    course.has_changes = True
    assert authoring.publish(course, by_user_id=None).number == 2
    assert attempting.submit(attempt, given).score == 100
    with pytest.raises(ConflictError, match="Nothing has changed"):
        authoring.publish(course, by_user_id=None)


def test_two_editors_notice_each_other(partner: Organization) -> None:
    course = make_course(published=False)
    seen = authoring.settings_digest(course.content)
    authoring.save_settings(course, {"title": "One"}, seen=seen)
    with pytest.raises(ConflictError):
        authoring.save_settings(course, {"title": "Two"}, seen=seen)
    with pytest.raises(InvalidError) as refused:
        authoring.save_settings(course, {"title": "x" * 300}, seen="")
    assert "title" in refused.value.fields
    assert db.session.get_one(Course, course.id).content.title == "One"


def test_a_trainer_counts_while_the_credential_holds(partner: Organization) -> None:
    make_member(partner)
    person = make_member(partner, Role.EDITOR)
    with pytest.raises(InvalidError):
        training.register_trainer(partner.id, person.id, by_user_id=None)
    credential = pass_course(make_course(is_trainer=True), person, partner)
    assert level(partner, clock.now(), Measure.TRAINERS) == 0
    trainer = training.register_trainer(partner.id, person.id, by_user_id=None)
    assert training.register_trainer(partner.id, person.id, by_user_id=None).id == trainer.id
    assert credential.expires_at is not None
    assert level(partner, clock.now(), Measure.TRAINERS) == 1
    assert level(partner, credential.expires_at, Measure.TRAINERS) == 0
    assert training.end_trainer(trainer, by_user_id=None)
    assert not training.end_trainer(trainer, by_user_id=None)
    assert level(partner, clock.now(), Measure.TRAINERS) == 0
    training.register_trainer(partner.id, person.id, by_user_id=None)
    assert level(partner, clock.now(), Measure.TRAINERS) == 1
    revoke(credential, reason="", by_user_id=None)
    assert level(partner, clock.now(), Measure.TRAINERS) == 0
    assert level(partner, clock.now()) == 0


def test_sessions_count_on_their_day_until_withdrawn(partner: Organization) -> None:
    person = make_member(partner)
    pass_course(make_course(is_trainer=True), person, partner)
    trainer = training.register_trainer(partner.id, person.id, by_user_id=None)
    today = clock.now()
    session = training.log_session(
        partner.id, trainer, held_on=today.date(), title="First steps", people=3, notes="",
        nonce="one", by_user_id=None,
    )  # fmt: skip
    assert level(partner, today, Measure.TRAINING_SESSIONS) == 1
    assert level(partner, today - 2 * DAY, Measure.TRAINING_SESSIONS) == 0
    assert training.withdraw_session(session, by_user_id=None)
    assert not training.withdraw_session(session, by_user_id=None)
    assert level(partner, today, Measure.TRAINING_SESSIONS) == 0


def test_goals_tell_levels_of_now_and_sums_of_the_year(partner: Organization) -> None:
    make_policy(
        goals=[
            {"key": "skills", "name": "Certified people", "measure": "certified_people",
             "how": "level", "target": 4},
            {"key": "revenue", "name": "Revenue", "measure": "net_revenue", "target": 100_000},
            {"key": "rating", "name": "Rating", "measure": "rating", "how": "average",
             "target": 450},
        ],
    )  # fmt: skip
    person: User = make_member(partner)
    pass_course(make_course(), person, partner)
    now = clock.now()
    for at, amount, currency, key in (
        (now, 30_000, "EUR", "a"),
        (now, 10_000, "USD", "b"),  # 900,000 millionths
        (now, 9_999, "JPY", "c"),  # no rate: not counted
        (now.replace(year=now.year - 1), 70_000, "EUR", "d"),
    ):
        measure(
            partner.id, Measure.NET_REVENUE, amount, key=key, source=("order", key), at=at,
            currency=currency,
        )  # fmt: skip
    skills, revenue, rating = goal_progress(now)
    assert (skills.value, skills.percent, skills.is_met) == (1, 25, False)
    assert (revenue.value, revenue.percent, revenue.currency) == (39_000, 39, "EUR")
    assert rating.value is None
    assert not rating.is_met
    assert [each.value for each in goal_progress(now + 366 * DAY)][:2] == [0, 0]


def test_attempts_are_counted_for_the_person_not_for_each_organization(
    partner: Organization,
) -> None:
    person = make_member(partner)
    other = make_organization("Second job")
    make_member(other, user=person)
    course = make_course(attempts_allowed=2, wait_hours=1)
    version = version_of(course)
    first = learning.enrol(course, user_id=person.id, organization_id=partner.id)
    second = learning.enrol(course, user_id=person.id, organization_id=other.id)
    running = attempting.begin(first, version)
    with pytest.raises(ConflictError, match="for Quayside"):
        attempting.begin(second, version)
    attempting.submit(running, answers(running, 1))
    # Neither the wait nor the number begins anew elsewhere.
    with pytest.raises(ConflictError):
        attempting.begin(second, version)
    with clock.frozen(clock.now() + timedelta(hours=2)):
        last = attempting.begin(second, version)
        attempting.submit(last, answers(last, 1))
    with clock.frozen(clock.now() + timedelta(hours=4)):
        with pytest.raises(ConflictError):
            attempting.begin(first, version)
        assert attempting.forgive(first, by_user_id=None) == 2
        assert attempting.begin(first, version).number == 2


def leave(person: User) -> None:
    """The person is in no organization any more."""
    for membership in list(person.memberships):
        db.session.delete(membership)
        db.session.flush()
        counting.recount_gone(membership.organization_id, person.id)


def test_a_trainer_who_left_has_held_nothing(partner: Organization) -> None:
    make_member(partner)
    person = make_member(partner, Role.EDITOR)
    pass_course(make_course(is_trainer=True), person, partner)
    trainer = training.register_trainer(partner.id, person.id, by_user_id=None)
    leave(person)
    with pytest.raises(InvalidError) as refused:
        training.log_session(
            partner.id, trainer, held_on=clock.now().date(), title="First steps", people=3,
            notes="", nonce="one", by_user_id=None,
        )  # fmt: skip
    assert "not a member" in refused.value.fields["trainer"]


@pytest.mark.parametrize("achievement", ["course:crs_1", "trainer:crs_1", "certification:cpr_1"])
def test_who_comes_back_counts_again(partner: Organization, achievement: str) -> None:
    person = make_member(partner)
    make_credential(partner, person, achievement=achievement)
    counting.recount_person(partner.id, person.id)
    assert level(partner, clock.now()) == 1
    leave(person)
    assert level(partner, clock.now()) == 0
    make_member(partner, user=person)
    recount_people({})
    assert level(partner, clock.now()) == 1


def test_what_the_public_is_told_counts_certified_members_alone(partner: Organization) -> None:
    gone, plain, certified = (make_member(partner) for _ in range(3))
    make_credential(partner, gone, achievement="course:crs_1")
    make_credential(partner, plain, achievement="training:crs_2", title="A first look")
    make_credential(partner, certified, achievement="course:crs_1")
    leave(gone)
    assert partner_card(partner).certified_people == 1
    told = {item.title: item.detail for item in passport_of(partner).items}
    assert told["Certified integrator"] == "Held by 1 person"
