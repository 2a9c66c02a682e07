"""What runs now and then: endpoints that keep failing, and what is too old to keep."""

from datetime import timedelta

from sqlalchemy import delete, exists, select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, job_handler, periodic
from marketplace.installs.models import (
    DeliveryAttempt,
    DeliveryState,
    EndpointState,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookSecret,
)
from marketplace.installs.webhooks import mails, retry
from marketplace.installs.webhooks.delivery import USED_UP_REASON
from marketplace.installs.webhooks.services.switching import switch_off

WATCH, PRUNE, PRUNE_MORE = "webhooks.watch", "webhooks.prune", "webhooks.prune_more"
KEEP_FOR = timedelta(days=90)
BATCH = 500
BATCHES_A_RUN = 20


@periodic(WATCH, timedelta(minutes=30))
def watch_endpoints(_payload: Payload) -> None:
    """Warn of endpoints that have failed for a day, disable those that used a delivery up."""
    at = clock.now()
    failing = db.session.scalars(
        select(WebhookEndpoint)
        .where(
            WebhookEndpoint.state == EndpointState.ACTIVE,
            WebhookEndpoint.deleted_at.is_(None),
            WebhookEndpoint.failing_since <= at - retry.WARN_AFTER,
        )
        .order_by(WebhookEndpoint.id)
        # An UPDATE by a runner waits until this is written, and sees it.
        .with_for_update(key_share=True)
    ).all()
    for endpoint in failing:
        if retry.must_disable(endpoint.failing_since, at=at) and _used_one_up(endpoint):
            switch_off(endpoint.id, USED_UP_REASON)
        elif retry.must_warn(endpoint.failing_since, endpoint.warned_at, at=at):
            endpoint.warned_at = at
            mails.tell_failing(endpoint)
    _cancel_leftovers()


def _used_one_up(endpoint: WebhookEndpoint) -> bool:
    """Whether one of its deliveries failed for good since it fails."""
    failed = select(WebhookDelivery.id).where(
        WebhookDelivery.endpoint_id == endpoint.id,
        WebhookDelivery.state == DeliveryState.FAILED,
        WebhookDelivery.next_attempt_at >= endpoint.failing_since,
    )
    return bool(db.session.scalar(select(exists(failed))))


def _cancel_leftovers() -> None:
    """Cancel what began to wait for an endpoint while somebody disabled or deleted it."""
    gone = select(WebhookEndpoint.id).where(
        (WebhookEndpoint.state != EndpointState.ACTIVE) | WebhookEndpoint.deleted_at.is_not(None)
    )
    db.session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_id.in_(gone),
            WebhookDelivery.state == DeliveryState.WAITING,
        )
        .values(state=DeliveryState.CANCELED, next_attempt_at=clock.now())
        .execution_options(synchronize_session=False)
    )


@periodic(PRUNE, timedelta(days=1))
def prune(_payload: Payload) -> None:
    """Forget events that are older than 90 days, with their deliveries, and expired secrets."""
    db.session.execute(
        delete(WebhookSecret)
        .where(WebhookSecret.expires_at < clock.now())
        .execution_options(synchronize_session=False)
    )
    _prune_some()


@job_handler(PRUNE_MORE)
def prune_more(_payload: Payload) -> None:
    """Go on where a run that had much to do stopped."""
    _prune_some()


def _prune_some() -> None:
    for _batch in range(BATCHES_A_RUN):
        if not _prune_batch():
            return
    enqueue(PRUNE_MORE, {}, dedupe_key=PRUNE_MORE)


def _prune_batch() -> bool:
    """Forget the oldest events that are old enough; whether there may be more.

    Row numbers grow with time, so the oldest are the first and need no other index. What still
    waits is kept: its endpoint was enabled again and shall have it.
    """
    before = clock.now() - KEEP_FOR
    oldest = db.session.execute(
        select(WebhookEvent.id, WebhookEvent.created_at).order_by(WebhookEvent.id).limit(BATCH)
    ).all()
    old = [row.id for row in oldest if row.created_at < before]
    waiting = set(
        db.session.scalars(
            select(WebhookDelivery.event_id).where(
                WebhookDelivery.event_id.in_(old), WebhookDelivery.state == DeliveryState.WAITING
            )
        )
    )
    done = [number for number in old if number not in waiting]
    deliveries = select(WebhookDelivery.id).where(WebhookDelivery.event_id.in_(done))
    for statement in (
        delete(DeliveryAttempt).where(DeliveryAttempt.delivery_id.in_(deliveries)),
        delete(WebhookDelivery).where(WebhookDelivery.event_id.in_(done)),
        delete(WebhookEvent).where(WebhookEvent.id.in_(done)),
    ):
        db.session.execute(statement.execution_options(synchronize_session=False))
    return len(done) == BATCH
