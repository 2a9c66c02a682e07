"""The end of authorizations."""

from datetime import timedelta

from sqlalchemy import select

from marketplace.accreditation.authorizations.models import Authorization, CheckState
from marketplace.accreditation.authorizations.services import expire
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, periodic


@periodic("authorizations.expire", every=timedelta(hours=1))
def expire_due(_payload: Payload) -> None:
    """End those whose last day is over."""
    rows = db.session.scalars(
        select(Authorization)
        .where(
            Authorization.check == CheckState.ACCEPTED,
            Authorization.expires_on < clock.now().date(),
        )
        .order_by(Authorization.id)
        .limit(200)
    ).all()
    for row in rows:
        expire(row)
