"""Who acts in accreditation: a partner's people, reviewers, and who is written to."""

from collections.abc import Sequence

from flask import current_app
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.errors import SignInRequiredError
from marketplace.core.mail import send_mail
from marketplace.core.permissions import Actor, current_actor
from marketplace.identity.models import Membership, Role, User

MANAGERS = frozenset({"owner", "admin"})
# Who of a partner may gather evidence.
WRITERS = frozenset({"owner", "admin", "editor", "developer"})
REVIEWERS = ("reviewer", "program_manager")


def acts_for_partner(actor: Actor, roles: frozenset[str]) -> bool:
    """Whether the person acts for a partner in one of these roles."""
    active = actor.organization
    return active is not None and active.organization_kind == "partner" and active.role in roles


def reviews(actor: Actor) -> bool:
    """Whether the person reviews for the platform."""
    return actor.is_staff_as(*REVIEWERS)


def may_judge(actor: Actor, organization_id: int) -> bool:
    """Whether the person reviews, and has no part in the organization."""
    return reviews(actor) and actor.role_in(organization_id) is None


def signed_in() -> None:
    """Raise SignInRequiredError before anything is looked up for nobody."""
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")


def managers_of(organization_id: int) -> Sequence[User]:
    """Owners and admins who can be written to."""
    return db.session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organization_id == organization_id,
            Membership.role.in_((Role.OWNER, Role.ADMIN)),
            User.email.is_not(None),
            User.deactivated_at.is_(None),
        )
        .order_by(User.id)
    ).all()


def tell_managers(
    organization_id: int, subject: str, text: str, path: str, *, once: str | None = None
) -> None:
    """Mail the owners and admins of an organization, with the address of one of our pages.

    `once` names the message: while it waits it is not queued again.
    """
    address = f"{current_app.config['PUBLIC_URL']}{path}"
    site = str(current_app.config["SITE_NAME"])
    for person in managers_of(organization_id):
        send_mail(
            person.email or "",
            subject,
            f"Hello {person.name},\n\n{text}\n\n{address}\n\n{site}",
            dedupe_key=f"{once}:{person.id}" if once else None,
        )


def people_by_id(ids: Sequence[int | None]) -> dict[int, User]:
    """People by their ids, in one query."""
    wanted = {each for each in ids if each is not None}
    rows = db.session.scalars(select(User).where(User.id.in_(wanted)))
    return {row.id: row for row in rows}
