"""Reading people, organizations and their sign-ins."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import (
    Identity,
    Invitation,
    Membership,
    Organization,
    OrganizationKind,
    Role,
    User,
    UserSession,
)


def find_user(user_id: int | None) -> User | None:
    """The person with that id."""
    return db.session.get(User, user_id) if user_id is not None else None


def find_identity(issuer: str, subject: str) -> Identity | None:
    """The identity at a provider, with its person."""
    return db.session.scalar(
        select(Identity)
        .where(Identity.issuer == issuer, Identity.subject == subject)
        .options(joinedload(Identity.user))
    )


def identities_of(user_id: int) -> Sequence[Identity]:
    """A person's identities, oldest first."""
    return db.session.scalars(
        select(Identity).where(Identity.user_id == user_id).order_by(Identity.id)
    ).all()


def find_own_identity(user_id: int, identity_id: int) -> Identity | None:
    """The person's identity of that id."""
    return db.session.scalar(
        select(Identity).where(Identity.id == identity_id, Identity.user_id == user_id)
    )


def verified_emails(user_id: int) -> set[str]:
    """The addresses that are proven to be the person's: by a provider, or by a mail of ours."""
    own = select(User.email).where(
        User.id == user_id, User.email_verified.is_(True), User.email.is_not(None)
    )
    provided = select(Identity.email).where(
        Identity.user_id == user_id, Identity.email_verified.is_(True), Identity.email.is_not(None)
    )
    return {email for email in db.session.scalars(own.union(provided)) if email is not None}


def find_user_by_verified_email(email: str) -> User | None:
    """Somebody whose contact address this is, proven; or to whose identity it belongs."""
    return db.session.scalar(
        select(User)
        .outerjoin(Identity, Identity.user_id == User.id)
        .where(
            ((User.email == email) & User.email_verified.is_(True))
            | ((Identity.email == email) & Identity.email_verified.is_(True))
        )
        .order_by(User.id)
        .limit(1)
    )


def find_organization(slug: str) -> Organization | None:
    """The organization of that slug."""
    return db.session.scalar(select(Organization).where(Organization.slug == slug))


def platform_organization() -> Organization | None:
    """The operator's own organization."""
    return db.session.scalar(
        select(Organization)
        .where(Organization.kind == OrganizationKind.PLATFORM)
        .order_by(Organization.id)
        .limit(1)
    )


def name_belongs_to_known(name: str, *, but: int | None = None) -> bool:
    """Whether a verified partner or the platform (other than organization `but`) is called so."""
    query = select(Organization.id).where(
        func.lower(Organization.name) == name.lower(),
        or_(
            Organization.kind == OrganizationKind.PLATFORM,
            (Organization.kind == OrganizationKind.PARTNER) & Organization.verified_at.is_not(None),
        ),
    )
    if but is not None:
        query = query.where(Organization.id != but)
    return db.session.scalar(query.limit(1)) is not None


def created_just_now(
    user_id: int, name: str, kind: OrganizationKind, *, since: datetime
) -> Organization | None:
    """An organization of that name and kind which the person owns and created after `since`."""
    return db.session.scalar(
        select(Organization)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(
            Membership.user_id == user_id,
            Membership.role == Role.OWNER,
            Organization.name == name,
            Organization.kind == kind,
            Organization.created_at >= since,
        )
        .order_by(Organization.id)
        .limit(1)
    )


def slugs_like(base: str) -> set[str]:
    """The taken slugs that begin with `base`."""
    return set(
        db.session.scalars(
            select(Organization.slug).where(Organization.slug.startswith(base, autoescape=True))
        )
    )


def memberships_of(user_id: int) -> Sequence[Membership]:
    """A person's memberships with their organizations, oldest first."""
    return db.session.scalars(
        select(Membership)
        .where(Membership.user_id == user_id)
        .options(joinedload(Membership.organization))
        .order_by(Membership.id)
    ).all()


def members_of(organization_id: int) -> Sequence[Membership]:
    """An organization's members with their people, by name."""
    return db.session.scalars(
        select(Membership)
        .join(Membership.user)
        .where(Membership.organization_id == organization_id)
        .options(joinedload(Membership.user))
        .order_by(func.lower(User.name), Membership.id)
    ).all()


def find_membership(organization_id: int, user_id: int) -> Membership | None:
    """The membership as it is in the database now, whatever was read before."""
    return db.session.scalar(
        select(Membership)
        .where(Membership.organization_id == organization_id, Membership.user_id == user_id)
        .options(joinedload(Membership.user), joinedload(Membership.organization))
        .execution_options(populate_existing=True)
    )


def people_to_write(
    organization_id: int, roles: Collection[Role], *, proven: bool = False
) -> Sequence[User]:
    """The members in these roles who have an address (with `proven`, one that is proven to be
    theirs) and an account in use; nobody while the organization is suspended. One query."""
    asked = [User.email_verified.is_(True)] if proven else []
    return db.session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(
            Membership.organization_id == organization_id,
            Membership.role.in_(roles),
            Organization.suspended_at.is_(None),
            User.email.is_not(None),
            User.deactivated_at.is_(None),
            *asked,
        )
        .order_by(User.id)
    ).all()


def may_write_to(user: User | None, organization_id: int) -> bool:
    """Whether a person still works for an organization and has an address."""
    return (
        user is not None
        and bool(user.email)
        and user.deactivated_at is None
        and find_membership(organization_id, user.id) is not None
    )


def count_members(organization_id: int, roles: Collection[Role]) -> int:
    """How many members have one of `roles`."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Membership)
            .where(Membership.organization_id == organization_id, Membership.role.in_(roles))
        )
        or 0
    )


def open_invitations(organization_id: int) -> Sequence[Invitation]:
    """Invitations that were neither accepted nor revoked, expired ones included, newest first."""
    return db.session.scalars(
        select(Invitation)
        .where(
            Invitation.organization_id == organization_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .options(joinedload(Invitation.invited_by))
        .order_by(Invitation.id.desc())
    ).all()


def invitations_for(emails: Collection[str]) -> Sequence[Invitation]:
    """Invitations to any of the addresses that can be accepted now."""
    if not emails:
        return []
    return db.session.scalars(
        select(Invitation)
        .where(
            Invitation.email.in_(emails),
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > clock.now(),
        )
        .options(joinedload(Invitation.organization), joinedload(Invitation.invited_by))
        .order_by(Invitation.id)
    ).all()


def find_invitation(invitation_id: int) -> Invitation | None:
    """The invitation of that id, with its organization."""
    return db.session.scalar(
        select(Invitation)
        .where(Invitation.id == invitation_id)
        .options(joinedload(Invitation.organization), joinedload(Invitation.invited_by))
    )


def find_invitation_by_hash(token_hash: str) -> Invitation | None:
    """The invitation whose link has the token with that hash."""
    return db.session.scalar(
        select(Invitation)
        .where(Invitation.token_hash == token_hash)
        .options(joinedload(Invitation.organization), joinedload(Invitation.invited_by))
    )


def live_sessions(user_id: int) -> Sequence[UserSession]:
    """A person's signed-in browsers, the one seen last first."""
    return db.session.scalars(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > clock.now(),
        )
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    ).all()


def last_active_organization(user_id: int) -> int | None:
    """The organization that the person worked for last, if they still are a member."""
    return db.session.scalar(
        select(UserSession.organization_id)
        .join(
            Membership,
            (Membership.organization_id == UserSession.organization_id)
            & (Membership.user_id == UserSession.user_id),
        )
        .where(UserSession.user_id == user_id)
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
        .limit(1)
    )
