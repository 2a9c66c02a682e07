"""Attempts at quizzes: begun one at a time, saved as they go, submitted once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import SystemRandom

from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.accreditation.courses import rules
from marketplace.accreditation.courses.counting import achievement_of, recount_person
from marketplace.accreditation.courses.models import (
    Attempt,
    Course,
    CourseVersion,
    Enrolment,
)
from marketplace.accreditation.credentials.mails import tell_issued
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.queries import valid_at
from marketplace.accreditation.credentials.services.issuing import issue
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.identity.models import Membership, Organization, User


def begin(enrolment: Enrolment, version: CourseVersion) -> Attempt:
    """Begin an attempt at the version, or go on with the one that is open.

    Raises ConflictError when there is none left, when the person must wait, or holds a credential
    that cannot be renewed yet, or is at it for another organization.
    """
    _lock_person(enrolment)
    attempts = attempts_of(enrolment.id)
    everywhere = attempts_of_person(enrolment.course_id, enrolment.user_id)
    now = clock.now()
    for each in everywhere:
        if each.submitted_at is None and _is_over(each):
            _close(each)
    for each in attempts:
        if each.submitted_at is None:
            return each
    for each in everywhere:
        if each.submitted_at is None and _can_go_on(each):
            name = db.session.get_one(Organization, each.enrolment.organization_id).name
            raise ConflictError(f"You have begun this quiz for {name}. Submit it there first.")
    content = version.content
    reason = refusal(version, enrolment, [taken_of(each) for each in everywhere])
    if reason:
        raise ConflictError(reason)
    minutes = content.time_limit_minutes
    attempt = Attempt(
        public_id=new_public_id("att"),
        enrolment_id=enrolment.id,
        version_id=version.id,
        number=len(attempts) + 1,
        drawn=rules.draw(content, SystemRandom()),
        started_at=now,
        closes_at=now + timedelta(minutes=minutes) if minutes else None,
    )
    db.session.add(attempt)
    db.session.flush()
    return attempt


def refusal(version: CourseVersion, enrolment: Enrolment, taken: Sequence[rules.Taken]) -> str:
    """Why no attempt can begin now, in a sentence; empty when one can."""
    content, now = version.content, clock.now()
    held = credential_held(enrolment)
    if held is not None and (held.expires_at is None or held.expires_at - now > rules.RENEW_BEFORE):
        return "You hold the credential of this course already."
    if rules.attempts_left(content, taken) == 0:
        return "You have used all attempts. Ask your partner manager for another one."
    until = rules.next_attempt_at(content, taken, now)
    if until is not None:
        hours = -(-int((until - now).total_seconds()) // 3600)
        return f"You can try again in {hours} {'hour' if hours == 1 else 'hours'}."
    return ""


def save_answers(attempt: Attempt, given: Mapping[str, Sequence[str]]) -> bool:
    """Keep answers of an open attempt. False when it is over."""
    row = lock_row(Attempt, Attempt.id == attempt.id)
    if row is None or row.submitted_at is not None or _is_over(row):
        return False
    row.answers = {
        **row.answers,
        **rules.clean_answers(row.version.content, row.drawn, given),
    }
    db.session.flush()
    return True


def submit(attempt: Attempt, given: Mapping[str, Sequence[str]]) -> Attempt:
    """End the attempt, once: judge it, and issue the credential when it is passed.

    After its time what was saved in time counts, and what comes now does not.
    """
    _lock_person(attempt.enrolment)
    row = lock_row(Attempt, Attempt.id == attempt.id)
    if row is None:
        raise ConflictError("This attempt is gone.")
    if row.submitted_at is not None:
        return row
    if not _is_over(row):
        row.answers = {
            **row.answers,
            **rules.clean_answers(row.version.content, row.drawn, given),
        }
    _close(row)
    return row


def close_overdue() -> int:
    """End attempts whose time is over; how many."""
    rows = db.session.scalars(
        select(Attempt)
        .where(Attempt.submitted_at.is_(None), Attempt.closes_at < clock.now() - rules.GRACE)
        .order_by(Attempt.id)
        .limit(500)
    ).all()
    for row in rows:
        submit(row, {})
    return len(rows)


def forgive(enrolment: Enrolment, *, by_user_id: int | None) -> int:
    """Let failed attempts not count, for whichever organization, so that the person may try
    again; how many there were."""
    _lock_person(enrolment)
    count = 0
    for each in attempts_of_person(enrolment.course_id, enrolment.user_id):
        if each.submitted_at is not None and not each.passed and not each.is_forgiven:
            each.is_forgiven = True
            count += 1
    db.session.flush()
    if count:
        record_fact(
            "course_attempts.forgiven",
            subject=("course_enrolment", enrolment.id),
            actor_user_id=by_user_id,
            organization_id=enrolment.organization_id,
            data={"attempts": count},
        )
    return count


def attempts_of(enrolment_id: int) -> Sequence[Attempt]:
    """A person's attempts at a course for one organization, oldest first, as they are now."""
    return db.session.scalars(
        select(Attempt)
        .where(Attempt.enrolment_id == enrolment_id)
        .order_by(Attempt.number)
        .execution_options(populate_existing=True)
    ).all()


def attempts_of_person(course_id: int, user_id: int) -> Sequence[Attempt]:
    """A person's attempts at a course for whichever organization, oldest first, as they are now:
    how many are left, and when the next may begin, is a matter of the person."""
    return db.session.scalars(
        select(Attempt)
        .join(Attempt.enrolment)
        .where(Enrolment.course_id == course_id, Enrolment.user_id == user_id)
        .order_by(Attempt.started_at, Attempt.id)
        .execution_options(populate_existing=True)
    ).all()


def taken_of(attempt: Attempt) -> rules.Taken:
    """What the rules need of an attempt."""
    return rules.Taken(attempt.submitted_at, attempt.passed, attempt.is_forgiven)


def credential_held(enrolment: Enrolment) -> Credential | None:
    """The valid credential of the course that lasts longest."""
    public_id = db.session.scalar(select(Course.public_id).where(Course.id == enrolment.course_id))
    kinds = [
        achievement_of(str(public_id), is_certifying=certifying, is_trainer=trainer)
        for certifying, trainer in ((True, False), (True, True), (False, False))
    ]
    return db.session.scalar(
        select(Credential)
        .where(
            Credential.user_id == enrolment.user_id,
            Credential.organization_id == enrolment.organization_id,
            Credential.achievement.in_(kinds),
            valid_at(clock.now()),
        )
        .order_by(Credential.expires_at.is_not(None), Credential.expires_at.desc())
        .limit(1)
    )


def _lock_person(enrolment: Enrolment) -> None:
    lock_row(User, User.id == enrolment.user_id)


def _can_go_on(attempt: Attempt) -> bool:
    """Whether the person is still a member where they began it."""
    enrolment = attempt.enrolment
    found = db.session.scalar(
        select(Membership.id).where(
            Membership.organization_id == enrolment.organization_id,
            Membership.user_id == enrolment.user_id,
        )
    )
    return found is not None


def _is_over(attempt: Attempt) -> bool:
    return attempt.closes_at is not None and clock.now() > attempt.closes_at + rules.GRACE


def _close(attempt: Attempt) -> None:
    content = attempt.version.content
    result = rules.judge(content, attempt.drawn, attempt.answers)
    ended = clock.now()
    if attempt.closes_at is not None:
        ended = min(ended, attempt.closes_at)
    attempt.submitted_at, attempt.score = ended, result.score
    attempt.passed, attempt.right = result.passed, dict(result.right)
    db.session.flush()
    enrolment = attempt.enrolment
    record_fact(
        "course.passed" if result.passed else "course.failed",
        subject=("course", enrolment.course_id),
        actor_user_id=enrolment.user_id,
        organization_id=enrolment.organization_id,
        data={"score": result.score, "version": attempt.version.number},
        idempotency_key=f"course_attempt:{attempt.id}",
    )
    if result.passed:
        _certify(attempt)


def _certify(attempt: Attempt) -> None:
    enrolment, version = attempt.enrolment, attempt.version
    content, now = version.content, clock.now()
    course, user = enrolment.course, enrolment.user
    # The person is locked: no other pass of this person counts the same number.
    passes = db.session.scalar(
        select(func.count()).where(
            Attempt.enrolment_id == enrolment.id,
            Attempt.passed.is_(True),
            Attempt.number < attempt.number,
        )
    )
    expires_at = rules.add_months(now, content.validity_months) if content.validity_months else None
    credential = issue(
        achievement_of(
            course.public_id, is_certifying=content.is_certifying, is_trainer=content.is_trainer
        ),
        organization_id=enrolment.organization_id,
        user_id=user.id,
        recipient_name=user.name,
        title=content.title,
        description=content.summary or content.title,
        criteria=(
            f"Passing the quiz of the course “{content.title}” (version {version.number}) with at "
            f"least {content.pass_percent} percent."
        ),
        expires_at=expires_at,
        evidence=[{"name": "Quiz", "narrative": f"Passed with {attempt.score} percent."}],
        key=(
            f"course:{course.public_id}:{version.number}:{user.id}:{enrolment.organization_id}"
            f":{passes}"
        ),
    )
    attempt.credential_id = credential.id
    db.session.flush()
    recount_person(enrolment.organization_id, user.id)
    tell_issued(credential)
