"""Reading and moving the queue: the table of deliveries.

Strict order: of an endpoint and an ordering key only the oldest waiting event, the head, may be
sent. What waits behind a head that failed is parked (due a day later), so that what is due can be
found by an index alone; whoever finishes a head calls the next one up in the same transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, bindparam, func, or_, select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.installs.models import (
    DeliveryState,
    EndpointState,
    Environment,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookSecret,
)
from marketplace.installs.webhooks import leases
from marketplace.installs.webhooks.signing import MOST_SIGNATURES

PARK_FOR = timedelta(days=1)
# What met an error of ours is tried again after this long.
SET_BACK_FOR = timedelta(seconds=60)


# What runs for every delivery is built once, on the bare tables: building a statement takes longer
# than running it.
_D, _EV, _EP, _S = (
    cast(Table, model.__table__)
    for model in (WebhookDelivery, WebhookEvent, WebhookEndpoint, WebhookSecret)
)
_HEAD = (
    select(
        _D.c.id,
        _D.c.event_id,
        _D.c.created_at.label("told_at"),
        _D.c.attempts,
        _D.c.is_manual,
        _D.c.next_attempt_at,
        _EV.c.public_id,
        _EV.c.type,
        _EV.c.created_at,
        _EV.c.data,
        _EP.c.url,
        _EP.c.lease_until,
    )
    .join(_EV, _EV.c.id == _D.c.event_id)
    .join(_EP, _EP.c.id == _D.c.endpoint_id)
    .where(
        _D.c.endpoint_id == bindparam("of_endpoint"),
        _D.c.ordering_key == bindparam("of_key"),
        _D.c.state == DeliveryState.WAITING,
        _EP.c.state == EndpointState.ACTIVE,
        _EP.c.deleted_at.is_(None),
        _EP.c.lease_id == bindparam("of_lease"),
    )
    .order_by(_D.c.event_id)
    .limit(1)
)
_SECRETS = (
    select(_S.c.sealed)
    .where(
        _S.c.endpoint_id == bindparam("of_endpoint"),
        or_(_S.c.expires_at.is_(None), _S.c.expires_at > bindparam("now")),
    )
    .order_by(_S.c.id.desc())
    .limit(MOST_SIGNATURES)
)
_NEXT = (
    select(_D.c.id, _D.c.next_attempt_at)
    .where(
        _D.c.endpoint_id == bindparam("of_endpoint"),
        _D.c.ordering_key == bindparam("of_key"),
        _D.c.state == DeliveryState.WAITING,
    )
    .order_by(_D.c.event_id)
    .limit(1)
)


@dataclass(frozen=True)
class Candidate:
    """An endpoint that has something due and is free. `has_history`: something arrived before."""

    endpoint_id: int
    is_failing: bool
    has_history: bool


@dataclass(frozen=True)
class Head:
    """The oldest waiting delivery of a key, with all that its request needs.

    `told_at` tells it from another that gets its number later: SQLite gives the numbers of rows
    that were deleted anew.
    """

    delivery_id: int
    told_at: datetime
    event_row_id: int
    event_id: str
    kind: str
    happened_at: datetime
    data: dict[str, Any]
    url: str
    tries: int
    is_manual: bool
    is_due: bool
    lease_until: datetime
    sealed_secrets: tuple[str, ...]


def _is_due(at: datetime) -> ColumnElement[bool]:
    return (WebhookDelivery.state == DeliveryState.WAITING) & (
        WebhookDelivery.next_attempt_at <= at
    )


def due_endpoints(
    limit: int, *, slow: Collection[int], suspects: bool, but: Collection[int]
) -> list[Candidate]:
    """Free endpoints with something due, those first that waited longest for their turn.

    `suspects` asks for those that fail, never worked or are in `slow`; else for all others.
    """
    at = clock.now()
    suspect = (
        WebhookEndpoint.failing_since.is_not(None)
        | WebhookEndpoint.last_success_at.is_(None)
        | WebhookEndpoint.id.in_(slow)
    )
    query = (
        select(WebhookEndpoint.id, WebhookEndpoint.failing_since, WebhookEndpoint.last_success_at)
        .where(
            WebhookEndpoint.state == EndpointState.ACTIVE,
            WebhookEndpoint.deleted_at.is_(None),
            WebhookEndpoint.id.not_in(but),
            leases.is_free(at),
            suspect if suspects else ~suspect,
            select(WebhookDelivery.id)
            .where(WebhookDelivery.endpoint_id == WebhookEndpoint.id, _is_due(at))
            .exists(),
        )
        .order_by(WebhookEndpoint.lease_until.asc().nulls_first(), WebhookEndpoint.id)
        .limit(limit)
    )
    return [
        Candidate(row.id, row.failing_since is not None, row.last_success_at is not None)
        for row in db.session.execute(query)
    ]


def due_keys(endpoint_id: int, limit: int) -> Sequence[str]:
    """Ordering keys of the endpoint with something due, the one that is due longest first."""
    first = func.min(WebhookDelivery.next_attempt_at)
    return db.session.scalars(
        select(WebhookDelivery.ordering_key)
        .where(WebhookDelivery.endpoint_id == endpoint_id, _is_due(clock.now()))
        .group_by(WebhookDelivery.ordering_key)
        .order_by(first, WebhookDelivery.ordering_key)
        .limit(limit)
    ).all()


def find_head(endpoint_id: int, key: str, lease_id: str) -> Head | None:
    """The head of a key while the endpoint is active and leased by `lease_id`; else None."""
    at = clock.now()
    row = db.session.execute(
        _HEAD, {"of_endpoint": endpoint_id, "of_key": key, "of_lease": lease_id}
    ).first()
    if row is None:
        return None
    sealed = db.session.scalars(_SECRETS, {"of_endpoint": endpoint_id, "now": at})
    return Head(
        delivery_id=row.id,
        told_at=row.told_at,
        event_row_id=row.event_id,
        event_id=row.public_id,
        kind=row.type,
        happened_at=row.created_at,
        data=row.data,
        url=row.url,
        tries=row.attempts,
        is_manual=row.is_manual,
        # One that was never tried waits for its predecessor alone, which is gone.
        is_due=row.next_attempt_at <= at or row.attempts == 0,
        lease_until=row.lease_until,
        sealed_secrets=tuple(sealed),
    )


def park_behind(endpoint_id: int, key: str, event_row_id: int) -> None:
    """Set back what is due behind a head that waits for its next try."""
    at = clock.now()
    db.session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_id == endpoint_id,
            WebhookDelivery.ordering_key == key,
            WebhookDelivery.event_id > event_row_id,
            _is_due(at),
        )
        .values(next_attempt_at=at + PARK_FOR)
        .execution_options(synchronize_session=False)
    )


def set_back(endpoint_id: int, key: str) -> None:
    """Leave a key alone for a while, whose head met an error of ours."""
    at = clock.now()
    db.session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_id == endpoint_id,
            WebhookDelivery.ordering_key == key,
            _is_due(at),
        )
        .values(next_attempt_at=at + SET_BACK_FOR)
        .execution_options(synchronize_session=False)
    )


def hold_endpoints(organization_id: int, environment: Environment) -> None:
    """Let nobody write down what was sent to the partner's endpoints until this transaction ends.

    For whoever deletes deliveries: what is on its way then has nowhere to be written, and is not.
    """
    db.session.execute(
        select(WebhookEndpoint.id)
        .where(
            WebhookEndpoint.organization_id == organization_id,
            WebhookEndpoint.environment == environment,
        )
        .order_by(WebhookEndpoint.id)
        .with_for_update(key_share=True)
    )


def call_up_next(endpoint_id: int, key: str) -> bool:
    """Make the new head of a key due; whether there is one."""
    at = clock.now()
    row = db.session.execute(_NEXT, {"of_endpoint": endpoint_id, "of_key": key}).first()
    if row is None:
        return False
    if row.next_attempt_at > at:
        db.session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.id == row.id, WebhookDelivery.attempts == 0)
            .values(next_attempt_at=at)
            .execution_options(synchronize_session=False)
        )
    return True


def cancel_waiting(endpoint_id: int) -> int:
    """Cancel what waits for an endpoint; how many deliveries."""
    canceled = db.session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_id == endpoint_id,
            WebhookDelivery.state == DeliveryState.WAITING,
        )
        .values(state=DeliveryState.CANCELED, next_attempt_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return int(getattr(canceled, "rowcount", 0))
