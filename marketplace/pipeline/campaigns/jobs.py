"""Forgetting people who answered."""

from datetime import timedelta

from marketplace.core.jobs import Payload, periodic
from marketplace.pipeline.campaigns.services.answering import erase_old


@periodic("campaigns.forget", every=timedelta(days=1), lease=timedelta(minutes=30))
def forget(_payload: Payload) -> None:
    """Remove the data of people who answered two years ago."""
    erase_old()
