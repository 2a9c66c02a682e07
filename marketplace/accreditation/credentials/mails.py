"""What holders of credentials are written."""

from flask import current_app
from sqlalchemy import select

from marketplace.accreditation.credentials.addresses import credential_url
from marketplace.accreditation.credentials.models import Credential
from marketplace.core.database import db
from marketplace.core.mail import send_mail
from marketplace.identity.models import Membership, Role, User


def tell_issued(credential: Credential) -> None:
    """Tell the holder of a new credential."""
    until = f" It is valid until {credential.expires_at:%d %b %Y}." if credential.expires_at else ""
    _tell(
        credential,
        f"Your credential: {credential.title}",
        f"You now hold “{credential.title}”.{until}\n\n"
        "Its page lets you download it as a signed badge and share it:",
    )


def tell_expiring(credential: Credential) -> None:
    """Remind the holder that a credential expires soon."""
    if credential.expires_at is None:
        return
    _tell(
        credential,
        f"Your credential expires soon: {credential.title}",
        f"“{credential.title}” is valid until {credential.expires_at:%d %b %Y}. What you earned by "
        "a course you can renew by passing it again.",
    )


def tell_revoked(credential: Credential) -> None:
    """Tell the holder that a credential was taken back, and why."""
    reason = f"\n\nThe reason: {credential.revoked_reason}" if credential.revoked_reason else ""
    _tell(
        credential,
        f"Your credential was revoked: {credential.title}",
        f"“{credential.title}” was revoked and no longer counts.{reason}",
    )


def _tell(credential: Credential, subject: str, text: str) -> None:
    site = str(current_app.config["SITE_NAME"])
    address = credential_url(credential.public_id)
    for person in _holders(credential):
        if person.email and person.email_verified:
            send_mail(
                person.email, subject, f"Hello {person.name},\n\n{text}\n\n{address}\n\n{site}"
            )


def _holders(credential: Credential) -> list[User]:
    """The person; of an organization's credential its owners and admins."""
    query = select(User).where(User.deactivated_at.is_(None)).order_by(User.id)
    if credential.user_id is not None:
        return list(db.session.scalars(query.where(User.id == credential.user_id)))
    return list(
        db.session.scalars(
            query.join(Membership, Membership.user_id == User.id).where(
                Membership.organization_id == credential.organization_id,
                Membership.role.in_((Role.OWNER, Role.ADMIN)),
            )
        )
    )
