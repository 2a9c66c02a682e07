"""Ending protections whose time has passed."""

from datetime import timedelta

from marketplace.core.jobs import Payload, periodic
from marketplace.pipeline.deals.services.registering import expire_claims


@periodic("deals.expire", every=timedelta(hours=1))
def expire(_payload: Payload) -> None:
    """Release claims whose protection has ended."""
    expire_claims()
