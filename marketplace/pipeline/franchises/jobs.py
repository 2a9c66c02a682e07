"""Billing the royalties of months that are over."""

from datetime import timedelta

from marketplace.core.jobs import Payload, periodic
from marketplace.pipeline.franchises.services.royalties import issue_due


@periodic("royalties.issue", every=timedelta(hours=3), lease=timedelta(minutes=30))
def issue(_payload: Payload) -> None:
    """Write invoices that are due; running it again writes none twice."""
    issue_due()
