"""What runs outside of requests."""

from datetime import timedelta

from marketplace.catalogue.engagement.services.follows import tell_followers
from marketplace.catalogue.engagement.services.popularity import refresh_popularity
from marketplace.catalogue.engagement.services.requests import TELL_VOTERS, tell_voters
from marketplace.catalogue.engagement.services.suspension import WARN_USERS, warn_users
from marketplace.core.jobs import Payload, job_handler, periodic


@periodic("engagement.tell_followers", every=timedelta(minutes=15))
def _tell_followers(_payload: Payload) -> None:
    tell_followers()


@job_handler(TELL_VOTERS)
def _tell_voters(payload: Payload) -> None:
    tell_voters(payload["request_id"], payload["listing_id"])


@job_handler(WARN_USERS)
def _warn_users(payload: Payload) -> None:
    warn_users(payload["case_id"])


@periodic("engagement.refresh_popularity", every=timedelta(hours=1))
def _refresh_popularity(_payload: Payload) -> None:
    refresh_popularity()
