"""A task, an invitation and a request to be let in, for tests of who may reach them."""

from datetime import timedelta

from billing.public_ids import new_public_id
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.identity.sessions import hash_token
from marketplace.program.onboarding.models import JoinAsk, PartnerTask, TaskSide
from marketplace.program.onboarding.services.tasks import due_at
from tests.factories.program import make_policy

TOKEN = "a-token-for-the-tests-of-joining-0000"


def make_task(
    organization: Organization,
    policy_id: int,
    *,
    title: str = "Kick-off call",
    side: TaskSide = TaskSide.PARTNER,
    days: int = 7,
) -> PartnerTask:
    """A task that is due in so many days."""
    row = PartnerTask(
        public_id=new_public_id("tsk"),
        organization_id=organization.id,
        policy_id=policy_id,
        partner_type=organization.partner_type or "",
        key=new_public_id("k")[:30],
        title=title,
        side=side,
        begun_on=clock.now().date(),
        due_at=due_at(clock.now(), days),
    )
    db.session.add(row)
    db.session.flush()
    return row


def make_onboarding_world(
    partner: Organization, owner: User, customer: User, listing: Listing
) -> dict[str, object]:
    """Of the partner: a task, and somebody who asks to be invited."""
    task = make_task(partner, make_policy().id)
    db.session.add(
        JoinAsk(
            organization_id=partner.id,
            email="new@elsewhere.example",
            name="New Person",
            token_hash=hash_token(TOKEN),
            expires_at=clock.now() + timedelta(days=7),
        )
    )
    db.session.flush()
    return {"task_id": task.public_id, "join_ask_token": TOKEN, "join_type": "technology"}
