"""The demo's credentials by hand: one of an organization, one that was revoked."""

from collections.abc import Callable

from sqlalchemy import select

from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.services import by_hand, issuing
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.acting import actor

_BY_HAND = "manual:demo-"


def load(tell: Callable[[str], None]) -> None:
    """Issue two and revoke one. Commits; does nothing when they are there."""
    manager, owner = actor("program-manager"), actor("partner-owner", "tidewater-labs")
    if manager is None or owner is None:
        return
    if db.session.scalar(select(Credential.id).where(Credential.issue_key.startswith(_BY_HAND))):
        return
    with unit_of_work():
        by_hand.issue_by_hand(
            partner="tidewater-labs",
            email="",
            title="Launch partner",
            description="Was there from the first day, and told us what did not work.",
            criteria="Having published a listing before the marketplace opened.",
            expires_on=None,
            nonce="demo-launch",
            by_user_id=manager.user_id,
        )
        guest = by_hand.issue_by_hand(
            partner="tidewater-labs",
            email="theo.okafor@tidewater-labs.example",
            title="Speaker at the partner day",
            description="Gave a talk at the partner day.",
            criteria="Giving a talk.",
            expires_on=None,
            nonce="demo-speaker",
            by_user_id=manager.user_id,
        )
        issuing.revoke(
            guest,
            reason="Issued by mistake: the talk was moved to next year.",
            by_user_id=manager.user_id,
        )
        own = db.session.scalars(
            select(Credential).where(
                Credential.user_id == owner.user_id, Credential.revoked_at.is_(None)
            )
        )
        for credential in own:
            by_hand.show_name(credential, True, by_user_id=owner.user_id)
    tell("Partners hold badges; one was revoked.")
