"""Giving credit back whose order was given up."""

from datetime import timedelta

from marketplace.core.jobs import Payload, periodic
from marketplace.program.vouchers.services import return_unused


@periodic("vouchers.return_unused", every=timedelta(hours=1))
def return_unused_credit(_payload: Payload) -> None:
    """Post back what was set apart for orders that expired or were canceled."""
    return_unused()
