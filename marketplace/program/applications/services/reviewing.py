"""Looking at applications: who looks, what they score, and passing a stage."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User
from marketplace.program.applications.conflicts import conflict_of
from marketplace.program.applications.mails import tell_asked, tell_reviewer
from marketplace.program.applications.models import (
    OPEN,
    Application,
    ApplicationReview,
    ApplicationState,
    EntryKind,
    InterestConflict,
    ReviewerAssignment,
)
from marketplace.program.applications.services.opening import write_entry
from marketplace.program.applications.stages import (
    Result,
    criteria_of,
    mean_of,
    next_stage,
    result_of,
    stage_of,
    stages_of,
)
from marketplace.program.applications.words import line, paragraphs

MOST_OF_A_COMMENT = 4_000
MOST_OF_A_QUESTION = 4_000
# Roles of the staff that score.
REVIEWER_ROLES = (Role.REVIEWER, Role.PROGRAM_MANAGER)


def refuse_conflicted(application: Application, actor: Actor) -> None:
    """Raise ForbiddenError for who must not judge this application."""
    reason = conflict_of(application, actor.user_id)
    if reason:
        raise ForbiddenError(f"{reason} You can neither score nor decide this application.")


def locked(application: Application, *states: ApplicationState) -> Application:
    """The application, held until this transaction ends. Raises ConflictError when it is in none
    of these states."""
    row = lock_row(Application, Application.id == application.id)
    if row is None or row.state not in states:
        raise ConflictError("This application has moved on. Look at it again.")
    return row


def reviewers() -> Sequence[User]:
    """Everybody who can be asked to review, by name."""
    return db.session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(
            Organization.kind == OrganizationKind.PLATFORM,
            Membership.role.in_(REVIEWER_ROLES),
            User.deactivated_at.is_(None),
        )
        .order_by(User.name, User.id)
    ).all()


def assign(application: Application, user_id: int, *, by_user_id: int | None) -> bool:
    """Ask a reviewer to look at it; whether that is new. Raises InvalidError at `reviewer`."""
    if user_id not in {each.id for each in reviewers()}:
        raise InvalidError({"reviewer": "Choose a reviewer."})
    if conflict_of(application, user_id):
        raise InvalidError({"reviewer": "They have a conflict of interest. Choose another one."})
    return _assign(application, user_id, by_user_id)


def assign_by_load(application: Application) -> list[int]:
    """Ask as many reviewers as the stage needs, those with the least to do first; the new ones'
    ids. Whoever has a conflict is left out."""
    stage = stage_of(stages_of(application.stages), application.stage)
    there = set(
        db.session.scalars(
            select(ReviewerAssignment.user_id).where(
                ReviewerAssignment.application_id == application.id
            )
        )
    )
    missing = max(1, stage.reviewers if stage else 1) - len(there)
    people = [each.id for each in reviewers() if each.id not in there]
    load = _load_of(people)
    chosen: list[int] = []
    for user_id in sorted(people, key=lambda each: (load.get(each, 0), each)):
        if len(chosen) >= missing:
            break
        if not conflict_of(application, user_id) and _assign(application, user_id, None):
            chosen.append(user_id)
    return chosen


def unassign(application: Application, user_id: int) -> None:
    """Ask a reviewer no more."""
    row = db.session.scalar(
        select(ReviewerAssignment).where(
            ReviewerAssignment.application_id == application.id,
            ReviewerAssignment.user_id == user_id,
        )
    )
    if row is not None:
        db.session.delete(row)
        db.session.flush()


def declare_conflict(application: Application, reason: str, *, actor: Actor) -> None:
    """Say that one must not judge it. It is not taken back; an own score that was given before
    does not count any more. Raises InvalidError at `reason`."""
    text = line(reason)
    if not 3 <= len(text) <= 300:
        raise InvalidError({"reason": "Say in 3 to 300 characters what connects you."})
    if actor.user_id is None:
        raise ForbiddenError("Only people have conflicts of interest.")
    made = insert_if_new(
        InterestConflict,
        application_id=application.id,
        user_id=actor.user_id,
        reason=text,
        created_at=clock.now(),
    )
    if made is None:
        return
    unassign(application, actor.user_id)
    write_entry(application, EntryKind.CONFLICT, by_user_id=actor.user_id)
    record_fact(
        "application.conflict_declared",
        subject=("application", application.id),
        actor_user_id=actor.user_id,
        organization_id=application.organization_id,
    )
    db.session.flush()


def score(
    application: Application, scores: Mapping[str, int | None], comment: str, *, actor: Actor
) -> ApplicationReview:
    """Score the stage that the application is in: 0 to 100 for each criterion. Flushes.

    Until another reviewer has scored the stage too, an own score can be replaced. Raises
    ForbiddenError for a conflict of interest, ConflictError when it is not in review or others
    have scored since, InvalidError at `score_<place>` or `comment`.
    """
    refuse_conflicted(application, actor)
    row = locked(application, ApplicationState.IN_REVIEW)
    stage = stage_of(stages_of(row.stages), row.stage)
    if stage is None or actor.user_id is None:
        raise ConflictError("There is no stage to score.")
    given: dict[str, int] = {}
    wrong: dict[str, str] = {}
    for place, criterion in enumerate(criteria_of(stage)):
        value = scores.get(criterion)
        if value is None or not 0 <= value <= 100:
            wrong[f"score_{place}"] = "Enter a whole number from 0 to 100."
        else:
            given[criterion] = value
    text = paragraphs(comment)
    if len(text) > MOST_OF_A_COMMENT:
        wrong["comment"] = f"Use at most {MOST_OF_A_COMMENT:,} characters."
    if wrong:
        raise InvalidError(wrong)
    reviews = reviews_of(row, stage.key)
    own = next((each for each in reviews if each.reviewer_id == actor.user_id), None)
    if own is not None and len(reviews) > 1:
        raise ConflictError("Others have scored since, and you have seen it. Your score stays.")
    if own is None:
        own = ApplicationReview(
            application_id=row.id, stage=stage.key, reviewer_id=actor.user_id, scores={}, score=0
        )
        db.session.add(own)
        write_entry(row, EntryKind.SCORED, by_user_id=actor.user_id)
    own.scores, own.score = given, mean_of(given.values()) or 0
    own.comment, own.created_at = text, clock.now()
    db.session.flush()
    record_fact(
        "application.scored",
        subject=("application", row.id),
        actor_user_id=actor.user_id,
        organization_id=row.organization_id,
        data={"stage": stage.key, "score": own.score},
    )
    return own


def reviews_of(application: Application, stage: str) -> list[ApplicationReview]:
    """The reviews that count in a stage, in the order in which they were given: not those of
    people who declared a conflict since."""
    conflicted = select(InterestConflict.user_id).where(
        InterestConflict.application_id == application.id
    )
    return list(
        db.session.scalars(
            select(ApplicationReview)
            .where(
                ApplicationReview.application_id == application.id,
                ApplicationReview.stage == stage,
                ApplicationReview.reviewer_id.not_in(conflicted),
            )
            .order_by(ApplicationReview.id)
        )
    )


def result(application: Application) -> Result:
    """How the application's stage stands. Without stages it can be decided at once."""
    stage = stage_of(stages_of(application.stages), application.stage)
    if stage is None:
        return Result(0, 0, None, 0)
    return result_of(stage, [each.score for each in reviews_of(application, stage.key)])


def refuse_role(application: Application, actor: Actor) -> None:
    """Raise ForbiddenError when the stage is passed by another role than the actor's."""
    stage = stage_of(stages_of(application.stages), application.stage)
    if stage is not None and stage.role and not actor.is_staff_as(stage.role):
        role = stage.role.replace("_", " ")
        raise ForbiddenError(f"The stage {stage.name} is passed by somebody of the role {role}.")


def advance(application: Application, to: str, *, actor: Actor) -> None:
    """Pass the stage that the application is in, on to the very next one. Flushes.

    Raises ForbiddenError for a conflict of interest or another role, ConflictError when `to` is
    not the next stage, not enough reviewers have scored or the mean does not pass.
    """
    refuse_conflicted(application, actor)
    row = locked(application, ApplicationState.IN_REVIEW)
    refuse_role(row, actor)
    stages = stages_of(row.stages)
    following = next_stage(stages, row.stage)
    if following is None:
        raise ConflictError("It is in its last stage. Decide it.")
    if to != following.key:
        current = stage_of(stages, row.stage)
        raise ConflictError(
            f"No stage is skipped: after {current.name if current else 'this one'} comes "
            f"{following.name}."
        )
    hindrance = result(row).hindrance
    if hindrance:
        raise ConflictError(hindrance)
    passed, row.stage = row.stage, following.key
    write_entry(row, EntryKind.ADVANCED, text=following.name, by_user_id=actor.user_id)
    record_fact(
        "application.advanced",
        subject=("application", row.id),
        actor_user_id=actor.user_id,
        organization_id=row.organization_id,
        data={"from": passed, "to": following.key},
    )
    db.session.flush()


def ask_for_more(application: Application, question: str, *, actor: Actor) -> None:
    """Ask the applicant something; the review clock stands until they answer. Flushes.

    Raises ForbiddenError for a conflict, ConflictError, InvalidError at `question`.
    """
    refuse_conflicted(application, actor)
    row = locked(application, ApplicationState.IN_REVIEW)
    text = paragraphs(question)
    if not 3 <= len(text) <= MOST_OF_A_QUESTION:
        raise InvalidError({"question": f"Ask in 3 to {MOST_OF_A_QUESTION:,} characters."})
    row.state, row.asked_at = ApplicationState.MORE_ASKED, clock.now()
    write_entry(row, EntryKind.ASKED, text=text, by_user_id=actor.user_id)
    record_fact(
        "application.more_asked",
        subject=("application", row.id),
        actor_user_id=actor.user_id,
        organization_id=row.organization_id,
    )
    db.session.flush()
    tell_asked(row, text)


def answer_question(application: Application, answer: str, *, by_user_id: int | None) -> None:
    """Answer what was asked; the time that it took is added to the promise. Flushes.

    Raises ConflictError, InvalidError at `answer`.
    """
    row = locked(application, ApplicationState.MORE_ASKED)
    text = paragraphs(answer)
    if not 1 <= len(text) <= MOST_OF_A_QUESTION:
        raise InvalidError({"answer": f"Answer in up to {MOST_OF_A_QUESTION:,} characters."})
    if row.promised_until is not None and row.asked_at is not None:
        row.promised_until += clock.now() - row.asked_at
    row.state, row.asked_at = ApplicationState.IN_REVIEW, None
    write_entry(row, EntryKind.ANSWERED, text=text, by_user_id=by_user_id)
    record_fact(
        "application.answered",
        subject=("application", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
    )
    db.session.flush()


def _assign(application: Application, user_id: int, by_user_id: int | None) -> bool:
    made = insert_if_new(
        ReviewerAssignment,
        application_id=application.id,
        user_id=user_id,
        assigned_by_id=by_user_id,
        created_at=clock.now(),
    )
    if made is None:
        return False
    write_entry(application, EntryKind.ASSIGNED, by_user_id=by_user_id)
    record_fact(
        "application.reviewer_assigned",
        subject=("application", application.id),
        actor_user_id=by_user_id,
        organization_id=application.organization_id,
        data={"reviewer": user_id},
    )
    # Whoever takes it on by themselves knows.
    if user_id != by_user_id:
        tell_reviewer(application, db.session.get_one(User, user_id))
    return True


def _load_of(user_ids: Sequence[int]) -> dict[int, int]:
    """How many open applications each looks at."""
    rows = db.session.execute(
        select(ReviewerAssignment.user_id, func.count())
        .join(Application, Application.id == ReviewerAssignment.application_id)
        .where(ReviewerAssignment.user_id.in_(user_ids), Application.state.in_(OPEN))
        .group_by(ReviewerAssignment.user_id)
    )
    return dict(rows.all())
