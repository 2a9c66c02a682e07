"""When reconciling happens: once a day, when somebody asks for it, and when Stripe tells of a
payout to our bank."""

import logging
from datetime import timedelta

from billing.events import on_event
from billing.gateway import (
    StripeBusyError,
    StripeUnknownError,
    gateway,
    has_stripe,
    retry_later,
)
from billing.models import ReconciliationRun, StripeEvent
from billing.reconciliation.mirror import save_payouts
from billing.reconciliation.runs import begin, go_on
from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, job_handler, periodic
from marketplace.core.unit_of_work import unit_of_work

log = logging.getLogger(__name__)
DAILY, RUN = "reconciliation.daily", "reconciliation.run"
# Longer than the largest list takes: a worker that is slower is taken for lost, and both go on.
LEASE = timedelta(hours=2)


@periodic(DAILY, timedelta(days=1), lease=LEASE)
def reconcile_daily(_payload: Payload) -> None:
    """Once a day, as soon as Stripe is set up."""
    if has_stripe():
        _reconcile(None)


@job_handler(RUN, lease=LEASE)
def reconcile_now(payload: Payload) -> None:
    """When somebody asked for it. It goes on with the run that is under way."""
    if has_stripe():
        _reconcile(payload.get("run_id"))


def reconcile_later(started_by_id: int) -> int:
    """Begin a run (or find the one under way) and let a worker do it; its id."""
    run_id = begin(started_by_id)
    enqueue(RUN, {"run_id": run_id}, dedupe_key=f"{RUN}:{run_id}")
    return run_id


def _reconcile(run_id: int | None) -> None:
    with unit_of_work():
        known = run_id is not None and db.session.get(ReconciliationRun, run_id) is not None
        found = run_id if known and run_id is not None else begin()
    try:
        go_on(found)
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error


@on_event(
    "payout.created",
    "payout.updated",
    "payout.paid",
    "payout.failed",
    "payout.canceled",
    "payout.reconciliation_completed",
)
def payout_told(event: StripeEvent) -> None:
    """A payout to our own bank moved; of partners' payouts others take care."""
    if event.account:
        return
    payout = gateway().retrieve("payouts", event.object_id)
    save_payouts([payout])
