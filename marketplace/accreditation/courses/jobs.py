"""What time does: attempts end, credentials near their end, people come back."""

from datetime import timedelta

from sqlalchemy import or_, select

from marketplace.accreditation.courses.counting import CERTIFIES, recount_person
from marketplace.accreditation.courses.services.attempting import close_overdue
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.queries import valid_at
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, periodic
from marketplace.identity.models import Membership


@periodic("courses.close_overdue", timedelta(minutes=10))
def close_attempts(_payload: Payload) -> None:
    """End attempts whose time is over, by what was saved."""
    close_overdue()


@periodic("courses.recount", timedelta(days=1), lease=timedelta(minutes=30))
def recount_people(_payload: Payload) -> None:
    """Members who left and came back count again; nothing is written where nothing changed."""
    rows = db.session.execute(
        select(Credential.organization_id, Credential.user_id)
        .join(
            Membership,
            (Membership.user_id == Credential.user_id)
            & (Membership.organization_id == Credential.organization_id),
        )
        .where(
            or_(*(Credential.achievement.startswith(kind) for kind in CERTIFIES)),
            valid_at(clock.now()),
        )
        .distinct()
    ).all()
    for organization_id, user_id in rows:
        if user_id is not None:
            recount_person(organization_id, user_id)
