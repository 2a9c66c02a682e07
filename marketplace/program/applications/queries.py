"""Reading applications, rounds, places and plans. Lists cost a constant number of queries."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization, User
from marketplace.program.applications.models import (
    FINAL,
    OPEN,
    Application,
    ApplicationEntry,
    ApplicationReview,
    ApplicationState,
    BusinessPlan,
    Milestone,
    MilestoneState,
    PlaceState,
    PlanState,
    ProgramRound,
    ReviewerAssignment,
    RoundPlace,
    RoundState,
    RoundTerms,
    TermsAcceptance,
)
from marketplace.program.applications.services.opening import hash_of

PER_PAGE = 25
MOST_IN_A_FILE = 5_000


def find_application(application_id: str) -> Application | None:
    """The application of a public id."""
    return db.session.scalar(select(Application).where(Application.public_id == application_id))


def application_by_id(application_id: int) -> Application | None:
    """The application of an id."""
    return db.session.get(Application, application_id)


def find_by_token(status_token: str) -> Application | None:
    """The application that a status link is about."""
    if not 20 <= len(status_token) <= 80:
        return None
    return db.session.scalar(
        select(Application).where(Application.status_token_hash == hash_of(status_token))
    )


def find_round(round_id: str) -> ProgramRound | None:
    """The round of a public id."""
    return db.session.scalar(select(ProgramRound).where(ProgramRound.public_id == round_id))


def find_shown_round(round_id: str) -> ProgramRound | None:
    """The same, unless it is a draft."""
    found = find_round(round_id)
    return None if found is None or found.state is RoundState.DRAFT else found


def find_place(place_id: str) -> RoundPlace | None:
    """The place of a public id."""
    return db.session.scalar(select(RoundPlace).where(RoundPlace.public_id == place_id))


def place_by_id(place_id: int) -> RoundPlace | None:
    """The place of an id."""
    return db.session.get(RoundPlace, place_id)


def find_milestone(milestone_id: str) -> Milestone | None:
    """The milestone of a public id."""
    return db.session.scalar(select(Milestone).where(Milestone.public_id == milestone_id))


def queue(kind: str, state: str, stage: str, text: str, mine: int | None) -> Select[Any]:
    """Applications as the staff sees them: the open ones that wait longest first.

    `kind`: "admission", a round's kind, or empty. `state`: "open", "decided" or a state. `mine`: a
    reviewer's id.
    """
    query = select(Application).where(*_in_state(state))
    if kind == "admission":
        query = query.where(Application.kind.like("admission:%"))
    elif kind:
        query = query.join(ProgramRound, ProgramRound.id == Application.round_id).where(
            ProgramRound.kind == kind
        )
    if stage:
        query = query.where(Application.stage == stage)
    if text:
        sought = f"%{_escaped(text.lower())}%"
        query = query.outerjoin(Organization, Organization.id == Application.organization_id)
        query = query.where(
            or_(
                *(
                    func.lower(column).like(sought, escape="\\")
                    for column in (
                        Application.title,
                        Application.name,
                        Application.email,
                        Organization.name,
                    )
                )
            )
        )
    if mine is not None:
        query = query.where(
            exists().where(
                ReviewerAssignment.application_id == Application.id,
                ReviewerAssignment.user_id == mine,
            )
        )
    if state == "decided":
        return query.order_by(Application.decided_at.desc(), Application.id.desc())
    return query.order_by(
        func.coalesce(Application.queued_at, Application.submitted_at), Application.id
    )


def page_of_queue(query: Select[Any], page: int) -> Page[Application]:
    """A page of it."""
    return paginate(query, page=page, per_page=PER_PAGE)


def counts_by_kind() -> dict[str, int]:
    """How many applications are open, by "admission" and the kinds of rounds."""
    rows = db.session.execute(
        select(ProgramRound.kind, func.count())
        .select_from(Application)
        .outerjoin(ProgramRound, ProgramRound.id == Application.round_id)
        .where(Application.state.in_(OPEN))
        .group_by(ProgramRound.kind)
    )
    return {kind.value if kind else "admission": count for kind, count in rows}


def stages_in_use(kind: str) -> list[str]:
    """The keys of the stages that open applications are in."""
    query = select(Application.stage).where(Application.state.in_(OPEN), Application.stage != "")
    if kind == "admission":
        query = query.where(Application.kind.like("admission:%"))
    elif kind:
        query = query.join(ProgramRound, ProgramRound.id == Application.round_id).where(
            ProgramRound.kind == kind
        )
    return sorted(db.session.scalars(query.distinct()))


def reviewers_of(application_ids: Iterable[int]) -> dict[int, list[User]]:
    """Who is asked to look at each, by name. One query."""
    rows = db.session.execute(
        select(ReviewerAssignment.application_id, User)
        .join(User, User.id == ReviewerAssignment.user_id)
        .where(ReviewerAssignment.application_id.in_(list(application_ids)))
        .order_by(User.name, User.id)
    )
    found: dict[int, list[User]] = {}
    for application_id, user in rows:
        found.setdefault(application_id, []).append(user)
    return found


def scored_counts(application_ids: Iterable[int]) -> dict[int, int]:
    """How many have scored the stage that each application is in. One query."""
    rows = db.session.execute(
        select(ApplicationReview.application_id, func.count())
        .join(
            Application,
            and_(
                Application.id == ApplicationReview.application_id,
                Application.stage == ApplicationReview.stage,
            ),
        )
        .where(ApplicationReview.application_id.in_(list(application_ids)))
        .group_by(ApplicationReview.application_id)
    )
    return dict(rows.all())


def history_of(application_id: int, kinds: Sequence[Any] = ()) -> Sequence[ApplicationEntry]:
    """What happened to an application, newest first; of these kinds alone, if any are named."""
    query = select(ApplicationEntry).where(ApplicationEntry.application_id == application_id)
    if kinds:
        query = query.where(ApplicationEntry.kind.in_(kinds))
    return db.session.scalars(query.order_by(ApplicationEntry.id.desc()).limit(500)).all()


def all_reviews_of(application_id: int) -> Sequence[ApplicationReview]:
    """Every review of an application, stage by stage."""
    return db.session.scalars(
        select(ApplicationReview)
        .where(ApplicationReview.application_id == application_id)
        .order_by(ApplicationReview.id)
    ).all()


def people(ids: Iterable[int | None]) -> dict[int, User]:
    """People by id. One query."""
    wanted = {each for each in ids if each is not None}
    rows = db.session.scalars(select(User).where(User.id.in_(wanted)))
    return {user.id: user for user in rows}


def organizations(ids: Iterable[int | None]) -> dict[int, Organization]:
    """Organizations by id. One query."""
    wanted = {each for each in ids if each is not None}
    rows = db.session.scalars(select(Organization).where(Organization.id.in_(wanted)))
    return {row.id: row for row in rows}


def applications_of(organization_id: int, page: int) -> Page[Application]:
    """A partner's applications, the newest first."""
    return paginate(
        select(Application)
        .where(Application.organization_id == organization_id)
        .order_by(Application.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def applied_in(round_ids: Iterable[int], organization_id: int) -> dict[int, str]:
    """Where a partner has applied and was not refused: public ids of applications by round."""
    rows = db.session.execute(
        select(Application.round_id, Application.public_id).where(
            Application.round_id.in_(list(round_ids)),
            Application.organization_id == organization_id,
            Application.state.in_((*OPEN, ApplicationState.ACCEPTED)),
        )
    )
    return {round_id: public_id for round_id, public_id in rows if round_id is not None}


def other_applications(application: Application) -> Sequence[Application]:
    """What the same applicant applied for besides, the newest first."""
    who = (
        Application.organization_id == application.organization_id
        if application.organization_id is not None
        else func.lower(Application.email) == application.email.lower()
    )
    return db.session.scalars(
        select(Application)
        .where(who, Application.id != application.id)
        .order_by(Application.id.desc())
        .limit(20)
    ).all()


def page_of_rounds(kind: str, state: str, page: int) -> Page[ProgramRound]:
    """Rounds as the staff sees them, the newest first."""
    query = select(ProgramRound).order_by(ProgramRound.id.desc())
    if kind:
        query = query.where(ProgramRound.kind == kind)
    if state:
        query = query.where(ProgramRound.state == state)
    return paginate(query, page=page, per_page=PER_PAGE)


def page_of_open_rounds(now: Any, page: int) -> Page[ProgramRound]:
    """Rounds that partners can apply in, those that end soonest first."""
    return paginate(
        select(ProgramRound)
        .where(
            ProgramRound.state == RoundState.OPEN,
            ProgramRound.opens_at <= now,
            ProgramRound.closes_at > now,
        )
        .order_by(ProgramRound.closes_at, ProgramRound.id),
        page=page,
        per_page=PER_PAGE,
    )


def rounds_by_id(ids: Iterable[int | None]) -> dict[int, ProgramRound]:
    """Rounds by id. One query."""
    wanted = {each for each in ids if each is not None}
    rows = db.session.scalars(select(ProgramRound).where(ProgramRound.id.in_(wanted)))
    return {row.id: row for row in rows}


def counts_of_rounds(round_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Open applications and places of each round. Two queries."""
    ids = list(round_ids)
    applied = dict(
        db.session.execute(
            select(Application.round_id, func.count())
            .where(Application.round_id.in_(ids), Application.state.in_(OPEN))
            .group_by(Application.round_id)
        ).all()
    )
    placed = dict(
        db.session.execute(
            select(RoundPlace.round_id, func.count())
            .where(RoundPlace.round_id.in_(ids))
            .group_by(RoundPlace.round_id)
        ).all()
    )
    return {each: (applied.get(each, 0), placed.get(each, 0)) for each in ids}


def places_in(round_id: int) -> Sequence[RoundPlace]:
    """Who takes part in a round, in the order in which they were accepted."""
    return db.session.scalars(
        select(RoundPlace).where(RoundPlace.round_id == round_id).order_by(RoundPlace.id).limit(500)
    ).all()


def places_of(organization_id: int) -> Sequence[RoundPlace]:
    """Where a partner takes part, the newest first."""
    return db.session.scalars(
        select(RoundPlace)
        .where(RoundPlace.organization_id == organization_id)
        .order_by(RoundPlace.id.desc())
        .limit(100)
    ).all()


def places_mentored_by(user_id: int) -> Sequence[RoundPlace]:
    """Whom a person mentors, the newest first."""
    return db.session.scalars(
        select(RoundPlace)
        .where(RoundPlace.mentor_user_id == user_id)
        .order_by(RoundPlace.id.desc())
        .limit(100)
    ).all()


def milestone_counts(place_ids: Iterable[int]) -> dict[int, tuple[int, int, int]]:
    """Of each place: milestones, accepted ones, and those that wait for the operator. One query."""
    rows = db.session.execute(
        select(Milestone.place_id, Milestone.state, func.count())
        .where(Milestone.place_id.in_(list(place_ids)))
        .group_by(Milestone.place_id, Milestone.state)
    )
    found: dict[int, tuple[int, int, int]] = {}
    for place_id, state, count in rows:
        total, accepted, waiting = found.get(place_id, (0, 0, 0))
        found[place_id] = (
            total + count,
            accepted + (count if state is MilestoneState.ACCEPTED else 0),
            waiting + (count if state is MilestoneState.SUBMITTED else 0),
        )
    return found


def page_of_evidence(page: int) -> Page[Milestone]:
    """What partners of all rounds handed in and waits for a decision, the longest waiting first."""
    return paginate(
        select(Milestone)
        .join(RoundPlace, RoundPlace.id == Milestone.place_id)
        .where(Milestone.state == MilestoneState.SUBMITTED, RoundPlace.state == PlaceState.ACTIVE)
        .order_by(Milestone.submitted_at, Milestone.id),
        page=page,
        per_page=PER_PAGE,
    )


def places_by_id(ids: Iterable[int]) -> dict[int, RoundPlace]:
    """Places by id. One query."""
    rows = db.session.scalars(select(RoundPlace).where(RoundPlace.id.in_(set(ids))))
    return {row.id: row for row in rows}


def waiting_counts() -> dict[str, int]:
    """How many applications, pieces of evidence and plans wait for the staff. One query."""
    parts = {
        "applications": select(func.count()).where(Application.state == ApplicationState.IN_REVIEW),
        "evidence": select(func.count())
        .select_from(Milestone)
        .join(RoundPlace, RoundPlace.id == Milestone.place_id)
        .where(Milestone.state == MilestoneState.SUBMITTED, RoundPlace.state == PlaceState.ACTIVE),
        "plans": select(func.count()).where(BusinessPlan.state == PlanState.SUBMITTED),
    }
    row = db.session.execute(
        select(*(part.scalar_subquery().label(name) for name, part in parts.items()))
    ).one()
    return {name: int(getattr(row, name) or 0) for name in parts}


def acceptances_of(place_id: int) -> Sequence[TermsAcceptance]:
    """Which terms were accepted for a place, the newest first."""
    return db.session.scalars(
        select(TermsAcceptance)
        .where(TermsAcceptance.place_id == place_id)
        .order_by(TermsAcceptance.id.desc())
    ).all()


def terms_of(round_id: int, version: int) -> RoundTerms | None:
    """A version of a round's terms."""
    return db.session.scalar(
        select(RoundTerms).where(RoundTerms.round_id == round_id, RoundTerms.version == version)
    )


def _in_state(state: str) -> list[ColumnElement[bool]]:
    if state == "open":
        return [Application.state.in_(OPEN)]
    if state == "decided":
        return [Application.state.in_(FINAL)]
    if state in {each.value for each in ApplicationState}:
        return [Application.state == state]
    return []


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
