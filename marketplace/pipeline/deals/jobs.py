"""Ending protections and registrations whose time has passed."""

from datetime import timedelta

from marketplace.core.jobs import Payload, periodic
from marketplace.pipeline.deals.services.registering import (
    end_undecided,
    expire_claims,
    remind_staff,
)


@periodic("deals.expire", every=timedelta(hours=1))
def expire(_payload: Payload) -> None:
    """Release claims whose protection has ended, end what nobody decided, and remind staff of what
    ends soon."""
    expire_claims()
    end_undecided()
    remind_staff()
