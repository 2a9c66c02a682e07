"""Forgetting what the API remembers only for a while."""

from datetime import timedelta

from sqlalchemy import delete, select

from marketplace.api.v1.platform.idempotency import KEPT_FOR
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, periodic
from marketplace.installs.models import ApiCall, IdempotentAnswer

CALLS_KEPT_FOR = timedelta(days=30)
AT_ONCE = 5_000
KIND = "api.prune"


@periodic(KIND, timedelta(hours=1))
def prune(_payload: Payload) -> None:
    """Drop calls of more than 30 days ago, and answers of more than a day ago.

    A bounded number at a time, so that nobody waits for long; another job goes on.
    """
    at, more = clock.now(), False
    for model, kept in ((ApiCall, CALLS_KEPT_FOR), (IdempotentAnswer, KEPT_FOR)):
        old = (
            select(model.id)
            .where(model.created_at < at - kept)
            .order_by(model.created_at)
            .limit(AT_ONCE)
        )
        done = db.session.execute(
            delete(model).where(model.id.in_(old)).execution_options(synchronize_session=False)
        )
        more = more or getattr(done, "rowcount", 0) >= AT_ONCE
    if more:
        enqueue(KIND, {}, dedupe_key=f"{KIND}:more")
