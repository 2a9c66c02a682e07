"""Partners who were here before the program began are in it from its first day."""

import logging

from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, job_handler
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.policy.services.publishing import ADMIT_EXISTING
from marketplace.program.standing.joining import join
from marketplace.program.standing.models import Standing

log = logging.getLogger(__name__)
BATCH = 100


@job_handler(ADMIT_EXISTING)
def admit_existing(payload: Payload) -> None:
    """Take the next partners into the program that were there when its first policy came into force
    and have never been in it, and go on after them. Those who come later apply or join.

    The job of the first publication, at its moment. Payload: `after`, an organization's id.
    """
    began_at = db.session.scalar(
        select(func.min(PolicyVersion.effective_at)).where(
            PolicyVersion.state == PolicyState.PUBLISHED
        )
    )
    found = db.session.scalars(
        select(Organization)
        .outerjoin(Standing, Standing.organization_id == Organization.id)
        .where(
            Organization.kind == OrganizationKind.PARTNER,
            Organization.id > int(payload.get("after", 0)),
            Organization.created_at < began_at,
            Standing.id.is_(None),
        )
        .order_by(Organization.id)
        .limit(BATCH)
    ).all()
    for organization in found:
        join(organization, by_user_id=None)
    if len(found) == BATCH:
        enqueue(ADMIT_EXISTING, {"after": found[-1].id})
    log.info("existing partners admitted", extra={"partners": len(found)})
