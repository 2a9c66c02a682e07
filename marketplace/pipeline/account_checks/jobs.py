"""Deleting lists whose time is over."""

from datetime import timedelta

from marketplace.core import clock
from marketplace.core.jobs import Payload, periodic
from marketplace.pipeline.account_checks.models import AccountList
from marketplace.pipeline.account_checks.services.agreeing import delete_lists


@periodic("account_checks.forget", every=timedelta(hours=6))
def forget(_payload: Payload) -> None:
    """Delete lists after 90 days."""
    delete_lists(AccountList.expires_at <= clock.now())
