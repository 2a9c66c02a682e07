"""Staff who are members of a partner: somebody else decides about it."""

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.errors import ForbiddenError
from marketplace.identity.models import Membership

SOMEBODY_ELSE = "You are a member of this partner; somebody else decides about it."


def is_member(user_id: int | None, *organization_ids: int | None) -> bool:
    """Whether the person has a part, in any role, in one of the organizations."""
    wanted = {each for each in organization_ids if each is not None}
    if user_id is None or not wanted:
        return False
    found = db.session.scalar(
        select(Membership.id)
        .where(Membership.user_id == user_id, Membership.organization_id.in_(wanted))
        .limit(1)
    )
    return found is not None


def refuse_members(user_id: int | None, *organization_ids: int | None) -> None:
    """Raise ForbiddenError when the person has a part in one of the organizations that are decided
    about, whatever else they are: admins, too."""
    if is_member(user_id, *organization_ids):
        raise ForbiddenError(SOMEBODY_ELSE)
