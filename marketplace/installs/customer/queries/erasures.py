"""Requests to erase a customer's data."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import contains_eager, joinedload

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.installs.models import (
    App,
    Environment,
    ErasureRequest,
    Installation,
    InstallationEvent,
)

PER_PAGE = 25
SHOWN = ("open", "overdue", "done")


def erasure_of(installation_id: int) -> ErasureRequest | None:
    """The erasure that an installation's end caused, None while it is installed."""
    return db.session.scalar(
        select(ErasureRequest)
        .where(ErasureRequest.installation_id == installation_id)
        .order_by(ErasureRequest.id.desc())
        .limit(1)
    )


def erasures_by_installation(installation_ids: Sequence[int]) -> dict[int, ErasureRequest]:
    """The erasure that the end of each installation caused, by its id. One query."""
    rows = db.session.scalars(
        select(ErasureRequest)
        .where(ErasureRequest.installation_id.in_(installation_ids))
        .order_by(ErasureRequest.id)
    )
    return {row.installation_id: row for row in rows}


def find_erasure(erasure_id: str) -> ErasureRequest | None:
    """The request of that public id, with its installation, customer, listing and publisher."""
    return db.session.scalar(_loaded().where(ErasureRequest.public_id == erasure_id))


def waiting(*conditions: ColumnElement[bool], limit: int) -> Sequence[ErasureRequest]:
    """Live requests that are not confirmed and meet the conditions, the earliest due first."""
    return db.session.scalars(
        _loaded()
        .where(
            ErasureRequest.completed_at.is_(None),
            ErasureRequest.environment == Environment.LIVE,
            *conditions,
        )
        .order_by(ErasureRequest.due_at, ErasureRequest.id)
        .limit(limit)
    ).all()


def page_of_partner(publisher_id: int, shown: str, page: int) -> Page[ErasureRequest]:
    """What a publisher was asked to erase, test ones included."""
    query = _loaded().where(App.publisher_id == publisher_id, _state(shown))
    return paginate(_ordered(query, shown), page=page, per_page=PER_PAGE)


def page_of_all(shown: str, page: int) -> Page[ErasureRequest]:
    """What all publishers were asked to erase, for staff; live ones only."""
    query = _loaded().where(ErasureRequest.environment == Environment.LIVE, _state(shown))
    return paginate(_ordered(query, shown), page=page, per_page=PER_PAGE)


def counts(publisher_id: int | None = None) -> dict[str, int]:
    """How many there are of each kind of SHOWN: of a publisher, or all live ones. One query."""
    columns = [func.coalesce(func.sum(_one_if(_state(shown))), 0).label(shown) for shown in SHOWN]
    query = select(*columns).select_from(ErasureRequest)
    if publisher_id is None:
        query = query.where(ErasureRequest.environment == Environment.LIVE)
    else:
        query = query.join(App, App.id == ErasureRequest.app_id).where(
            App.publisher_id == publisher_id
        )
    return {name: int(count) for name, count in db.session.execute(query).one()._mapping.items()}


def last_event(installation_id: int, kind: str) -> InstallationEvent | None:
    """The last time that this happened to an installation, like `erasure_asked_again`."""
    return db.session.scalar(
        select(InstallationEvent)
        .where(
            InstallationEvent.installation_id == installation_id,
            InstallationEvent.kind == kind,
        )
        .order_by(InstallationEvent.id.desc())
        .limit(1)
    )


def _loaded() -> Select[ErasureRequest]:
    return (
        select(ErasureRequest)
        .join(ErasureRequest.app)
        .options(
            contains_eager(ErasureRequest.app).joinedload(App.publisher),
            joinedload(ErasureRequest.installation).joinedload(Installation.organization),
            joinedload(ErasureRequest.installation).joinedload(Installation.listing),
            joinedload(ErasureRequest.installation).joinedload(Installation.app),
        )
    )


def _state(shown: str) -> ColumnElement[bool]:
    if shown == "done":
        return ErasureRequest.completed_at.is_not(None)
    if shown == "overdue":
        return ErasureRequest.completed_at.is_(None) & (ErasureRequest.due_at <= clock.now())
    return ErasureRequest.completed_at.is_(None)


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def _ordered(query: Select[ErasureRequest], shown: str) -> Select[ErasureRequest]:
    if shown == "done":
        return query.order_by(ErasureRequest.completed_at.desc(), ErasureRequest.id.desc())
    return query.order_by(ErasureRequest.due_at, ErasureRequest.id)
