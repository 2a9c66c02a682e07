"""What happens to ideas by themselves: claims lapse, and everybody who asked is told."""

from datetime import timedelta

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, job_handler, periodic
from marketplace.pipeline.ideas.models import ClaimState, IdeaClaim
from marketplace.pipeline.ideas.services.claiming import REMIND_BEFORE, lapse, remind
from marketplace.pipeline.ideas.services.fulfilling import TELL, tell_listed

WATCH, LAPSE = "ideas.watch_claims", "ideas.lapse_claim"
EVERY = timedelta(minutes=30)


@periodic(WATCH, every=EVERY)
def watch_claims(_payload: Payload) -> None:
    """Look for claims that end, or end soon; each is then done in a transaction of its own."""
    soon = clock.now() + REMIND_BEFORE
    rows = db.session.scalars(
        select(IdeaClaim.id)
        .where(
            IdeaClaim.state == ClaimState.ACTIVE,
            IdeaClaim.protected_until <= soon,
            (IdeaClaim.protected_until <= clock.now()) | IdeaClaim.reminded_at.is_(None),
        )
        .order_by(IdeaClaim.protected_until, IdeaClaim.id)
        .limit(500)
    )
    for claim_id in rows:
        enqueue(LAPSE, {"claim_id": claim_id}, dedupe_key=f"{LAPSE}:{claim_id}")


@job_handler(LAPSE)
def lapse_claim(payload: Payload) -> None:
    """End one claim, or remind of its end."""
    claim_id = int(payload["claim_id"])
    if not lapse(claim_id):
        remind(claim_id)


@job_handler(TELL)
def tell_that_it_is_listed(payload: Payload) -> None:
    """Mail everybody who asked for an idea."""
    tell_listed(int(payload["idea_id"]))
