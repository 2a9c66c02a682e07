"""What runs outside of requests."""

from datetime import timedelta

from marketplace.core.jobs import Payload, job_handler, periodic
from marketplace.installs.customer.services.erasures import remind_and_escalate
from marketplace.installs.customer.services.offering import OFFER_UPDATES, offer_updates


@job_handler(OFFER_UPDATES)
def _offer_updates(payload: Payload) -> None:
    offer_updates(payload["listing_id"], payload.get("after", 0))


@periodic("installs.erasures", every=timedelta(hours=6))
def _erasures(_payload: Payload) -> None:
    remind_and_escalate()
