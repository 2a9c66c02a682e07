"""Leases of endpoints: one runner at a time sends to an endpoint.

Each function that writes is a short transaction of its own. A lease that its runner lets run out,
because it was killed, is free for the next. It is short, so that nobody waits long for the dead:
runners renew it before a request that might outlast it, and while requests are on their way.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.installs.models import EndpointState, WebhookEndpoint

LEASE = timedelta(seconds=20)
# A request is begun only while this much of the lease is left: all the time that a request may
# take (delivery.TOTAL_SECONDS), and some to write down what was answered.
SAFE_REST = timedelta(seconds=14)
# A lease that ends later than any may, with clocks that differ by this much, was taken before a
# clock was set back. It holds nobody up.
MOST_SKEW = timedelta(minutes=5)


def is_free(at: datetime) -> ColumnElement[bool]:
    """Whether nobody holds an endpoint at that time."""
    return or_(
        WebhookEndpoint.lease_id.is_(None),
        WebhookEndpoint.lease_until < at,
        WebhookEndpoint.lease_until > at + LEASE + MOST_SKEW,
    )


def take(endpoint_id: int) -> str | None:
    """Lease an active endpoint if it is free; the lease's id, or None."""
    at, lease_id = clock.now(), str(uuid.uuid4())
    with unit_of_work() as session:
        taken = session.execute(
            update(WebhookEndpoint)
            .where(
                WebhookEndpoint.id == endpoint_id,
                WebhookEndpoint.state == EndpointState.ACTIVE,
                WebhookEndpoint.deleted_at.is_(None),
                is_free(at),
            )
            .values(lease_id=lease_id, lease_until=at + LEASE)
            .execution_options(synchronize_session=False)
        )
    return lease_id if getattr(taken, "rowcount", 0) == 1 else None


def renew(endpoint_id: int, lease_id: str) -> bool:
    """Make the lease last as long as a new one; whether it was still ours."""
    with unit_of_work() as session:
        renewed = session.execute(
            update(WebhookEndpoint)
            .where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.lease_id == lease_id)
            .values(lease_until=clock.now() + LEASE)
            .execution_options(synchronize_session=False)
        )
    return getattr(renewed, "rowcount", 0) == 1


def is_held(endpoint_id: int, lease_id: str) -> bool:
    """Whether nobody else took the lease, and nobody disabled the endpoint. Only reads."""
    held = db.session.scalar(
        select(WebhookEndpoint.lease_id).where(WebhookEndpoint.id == endpoint_id)
    )
    return held == lease_id


def release(endpoint_id: int, lease_id: str) -> None:
    """Let others in. `lease_until` stays as the time of the release: the next turn is for whoever
    waited longest."""
    with unit_of_work() as session:
        session.execute(
            update(WebhookEndpoint)
            .where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.lease_id == lease_id)
            .values(lease_id=None, lease_until=clock.now())
            .execution_options(synchronize_session=False)
        )
