"""What waits for staff: how much, and for how long."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from marketplace.catalogue.models import (
    AbuseCase,
    Appeal,
    AppealState,
    CaseState,
    FlagState,
    IntegrationRequest,
    RequestState,
    ReviewFlag,
    Revision,
)
from marketplace.catalogue.publishing.states import WAITING
from marketplace.core.database import db
from marketplace.core.jobs import Job, JobState
from marketplace.core.pagination import Page, paginate

JOBS_PER_PAGE = 30


@dataclass(frozen=True)
class Queue:
    """How many wait, and since when the longest waiting does."""

    count: int
    oldest: datetime | None


def waiting() -> dict[str, Queue]:
    """All queues by name, in one query."""
    parts: dict[str, tuple[Select[Any], Select[Any]]] = {
        "reviews": _part(
            Revision.submitted_at,
            Revision.state.in_(WAITING),
        ),
        "flags": _part(ReviewFlag.created_at, ReviewFlag.state == FlagState.OPEN),
        "cases": _part(
            AbuseCase.created_at,
            AbuseCase.state.in_((CaseState.OPEN, CaseState.INVESTIGATING)),
        ),
        "appeals": _part(Appeal.created_at, Appeal.state == AppealState.OPEN),
        "requests": _part(
            IntegrationRequest.created_at, IntegrationRequest.state == RequestState.OPEN
        ),
        "dead_jobs": _part(Job.finished_at, Job.state == JobState.DEAD),
    }
    columns = [
        part.scalar_subquery().label(f"{name}_{kind}")
        for name, pair in parts.items()
        for kind, part in zip(("count", "oldest"), pair, strict=True)
    ]
    row = db.session.execute(select(*columns)).one()._mapping
    return {name: Queue(row[f"{name}_count"] or 0, row[f"{name}_oldest"]) for name in parts}


def _part(moment: Any, condition: Any) -> tuple[Select[Any], Select[Any]]:
    count: Any = select(func.count()).select_from(moment.class_).where(condition)
    oldest: Any = select(func.min(moment)).where(condition)
    return count, oldest


def page_of_dead_jobs(page: int) -> Page[Job]:
    """One page of dead jobs, the latest first."""
    query = (
        select(Job)
        .where(Job.state == JobState.DEAD)
        .order_by(Job.finished_at.desc(), Job.id.desc())
    )
    return paginate(query, page=page, per_page=JOBS_PER_PAGE)


def find_job(job_id: int) -> Job | None:
    """The job, or None."""
    return db.session.get(Job, job_id)
