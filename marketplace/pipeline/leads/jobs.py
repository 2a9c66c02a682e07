"""Passing on what was not answered, and forgetting people."""

from datetime import timedelta

from marketplace.core.jobs import Payload, periodic
from marketplace.pipeline.leads.services.offering import expire, overdue_ids
from marketplace.pipeline.leads.services.reviewing import erase_old


@periodic("leads.pass_on", every=timedelta(minutes=5))
def pass_on(_payload: Payload) -> None:
    """Offer leads whose deadline has passed to the next partner."""
    for offer_id in overdue_ids():
        expire(offer_id)


@periodic("leads.forget", every=timedelta(days=1), lease=timedelta(minutes=30))
def forget(_payload: Payload) -> None:
    """Remove the data of people with whom nothing happened for two years."""
    erase_old()
