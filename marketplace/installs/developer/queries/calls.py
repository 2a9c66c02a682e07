"""What the credentials of a partner called, as its developers look for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from marketplace.core.database import db
from marketplace.installs.models import ApiCall, App, Environment

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
STATUS_CLASSES = {"2": "2xx answered", "4": "4xx refused", "5": "5xx failed"}
MOST_IN_A_FILE = 10_000


@dataclass(frozen=True)
class CallFilter:
    """What the page was asked to show; an empty part does not filter."""

    environment: Environment = Environment.LIVE
    app_id: int | None = None
    status_class: str = ""
    method: str = ""
    text: str = ""


@dataclass(frozen=True)
class CallPage:
    """Some calls, newest first, and whether there are newer and older ones."""

    items: Sequence[ApiCall]
    has_newer: bool
    has_older: bool


def filtered(organization_id: int, wanted: CallFilter) -> Select[ApiCall]:
    """The organization's calls that fit, newest first."""
    query = (
        select(ApiCall)
        .where(
            ApiCall.organization_id == organization_id,
            ApiCall.environment == wanted.environment,
        )
        .order_by(ApiCall.id.desc())
    )
    if wanted.app_id is not None:
        query = query.where(ApiCall.app_id == wanted.app_id)
    if wanted.status_class:
        first = int(wanted.status_class) * 100
        query = query.where(ApiCall.status >= first, ApiCall.status < first + 100)
    if wanted.method:
        query = query.where(ApiCall.method == wanted.method)
    if wanted.text:
        query = query.where(ApiCall.path.icontains(wanted.text, autoescape=True))
    return query


def page_of_calls(
    organization_id: int,
    wanted: CallFilter,
    *,
    older_than: int | None,
    newer_than: int | None,
    limit: int,
) -> CallPage:
    """A page of `limit` calls beside a row (see `place_of`), or the newest; one query."""
    query = filtered(organization_id, wanted)
    if newer_than is not None:
        rows = list(
            db.session.scalars(
                query.where(ApiCall.id > newer_than)
                .order_by(None)
                .order_by(ApiCall.id)
                .limit(limit + 1)
            )
        )
        return CallPage(rows[:limit][::-1], len(rows) > limit, True)
    if older_than is not None:
        query = query.where(ApiCall.id < older_than)
    rows = list(db.session.scalars(query.limit(limit + 1)))
    return CallPage(rows[:limit], older_than is not None, len(rows) > limit)


def place_of(organization_id: int, request_id: str, at: datetime) -> int | None:
    """The row of a call that an address names by request id and time; None when it is gone.

    Addresses carry no row numbers: they would tell how much is called by everybody together.
    """
    return db.session.scalar(
        select(ApiCall.id)
        .where(
            ApiCall.organization_id == organization_id,
            ApiCall.request_id == request_id,
            ApiCall.created_at == at,
        )
        .order_by(ApiCall.id)
        .limit(1)
    )


def calls_of_request(organization_id: int, request_id: str) -> Sequence[ApiCall]:
    """The organization's calls with that request id, newest first. Clients may choose the id, so
    that there can be some."""
    return db.session.scalars(
        select(ApiCall)
        .where(ApiCall.organization_id == organization_id, ApiCall.request_id == request_id)
        .order_by(ApiCall.id.desc())
        .limit(20)
    ).all()


def app_names(organization_id: int) -> Sequence[tuple[int, str, str]]:
    """(row, public id, name) of the organization's apps, archived ones included."""
    rows = db.session.execute(
        select(App.id, App.public_id, App.name)
        .where(App.publisher_id == organization_id)
        .order_by(App.name, App.id)
        .limit(500)
    )
    return [(row.id, row.public_id, row.name) for row in rows]
