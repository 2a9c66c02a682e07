"""Reading tasks and who they are for."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Select, case, func, or_, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import SignInRequiredError
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization, User
from marketplace.program.applications.words import line
from marketplace.program.onboarding.models import PartnerTask, TaskSide

PER_PAGE = 30
MOST_IN_A_FILE = 10_000


def find_task(task_id: str) -> PartnerTask | None:
    """The task of that public id. Raises SignInRequiredError first."""
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    return db.session.scalar(select(PartnerTask).where(PartnerTask.public_id == line(task_id)))


def tasks_of(organization_id: int, side: TaskSide | None = None) -> Sequence[PartnerTask]:
    """A partner's tasks: open ones by their day, then done ones, the newest first."""
    query = select(PartnerTask).where(PartnerTask.organization_id == organization_id)
    if side is not None:
        query = query.where(PartnerTask.side == side)
    is_done = case((PartnerTask.done_at.is_(None), 0), else_=1)
    return db.session.scalars(
        query.order_by(
            is_done, PartnerTask.done_at.desc(), PartnerTask.due_at, PartnerTask.place
        ).limit(500)
    ).all()


def operator_tasks(
    *, show: str, text: str, assignee_id: int | None
) -> Select[PartnerTask, Organization]:
    """The tasks of the operator, the latest first of all. `show`: `open`, `late` or `done`."""
    query = (
        select(PartnerTask, Organization)
        .join(Organization, Organization.id == PartnerTask.organization_id)
        .where(PartnerTask.side == TaskSide.OPERATOR)
    )
    if show == "done":
        query = query.where(PartnerTask.done_at.is_not(None))
    else:
        query = query.where(PartnerTask.done_at.is_(None))
    if show == "late":
        query = query.where(PartnerTask.due_at < clock.now())
    if text:
        query = query.where(
            or_(
                Organization.name.icontains(text, autoescape=True),
                PartnerTask.title.icontains(text, autoescape=True),
            )
        )
    if assignee_id is not None:
        query = query.where(PartnerTask.assignee_id == assignee_id)
    if show == "done":
        return query.order_by(PartnerTask.done_at.desc(), PartnerTask.id.desc())
    return query.order_by(PartnerTask.due_at, PartnerTask.place, PartnerTask.id)


def page_of_tasks(query: Select[PartnerTask, Organization], page: int) -> Page[PartnerTask]:
    """One page of them; the organizations are asked for by `organizations_by_id`."""
    return paginate(query.with_only_columns(PartnerTask), page=page, per_page=PER_PAGE)


def organizations_by_id(ids: Iterable[int]) -> dict[int, Organization]:
    """Organizations by id."""
    rows = db.session.scalars(select(Organization).where(Organization.id.in_(set(ids))))
    return {row.id: row for row in rows}


def names_of_people(user_ids: Iterable[int | None]) -> dict[int, str]:
    """The names of people by id."""
    wanted = {each for each in user_ids if each is not None}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    return dict(iter(rows))


def late_count() -> int:
    """How many tasks of the operator are late."""
    return (
        db.session.scalar(
            select(func.count()).where(
                PartnerTask.side == TaskSide.OPERATOR,
                PartnerTask.done_at.is_(None),
                PartnerTask.due_at < clock.now(),
            )
        )
        or 0
    )
