"""From a proven profile to a signed-in person."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, PorticoError
from marketplace.core.facts import record_fact
from marketplace.identity import queries
from marketplace.identity.models import (
    Identity,
    Membership,
    Organization,
    OrganizationKind,
    Role,
    User,
)
from marketplace.identity.profiles import Profile
from marketplace.identity.slugs import free_slug, slug_base


class AccountClosedError(PorticoError):
    """The person's account was deactivated."""

    status = 403
    title = "This account is closed"


class AddressInUseError(PorticoError):
    """Another account has the address; `providers` are the names of its sign-ins."""

    status = 409
    title = "You already have an account"

    def __init__(self, email: str, providers: Sequence[str]) -> None:
        super().__init__("An account with this address exists.")
        self.email = email
        self.providers = list(providers)


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, through which identity, and whether for the first time."""

    user: User
    identity: Identity
    is_new: bool


def sign_in(profile: Profile, *, staff_emails: Sequence[str], site_name: str) -> SignedIn:
    """The person behind the profile; on the first sign-in they are created.

    Issuer and subject name a person, an address never does. `staff_emails` (lower case) become
    admins of the platform's organization, named `site_name` if it has to be created.

    Raises AccountClosedError; AddressInUseError when the address is proven to be another
    account's; ConflictError when the same first sign-in is being finished elsewhere.
    """
    identity = queries.find_identity(profile.issuer, profile.subject)
    is_new = identity is None
    if identity is None:
        identity = _create(profile)
    elif identity.user.deactivated_at is not None:
        raise AccountClosedError("Ask the operator of this site if you think this is a mistake.")
    else:
        _refresh(identity, profile)
    identity.last_used_at = clock.now()
    if profile.email_verified and profile.email in staff_emails:
        _make_staff(identity.user, site_name)
    db.session.flush()
    return SignedIn(identity.user, identity, is_new)


def _create(profile: Profile) -> Identity:
    if profile.email_verified and profile.email is not None:
        other = queries.find_user_by_verified_email(profile.email)
        if other is not None:
            names = [found.provider for found in queries.identities_of(other.id)]
            raise AddressInUseError(profile.email, names)
    user = User(
        name=profile.name,
        email=profile.email,
        email_verified=profile.email_verified,
    )
    identity = identity_of(profile, user)
    db.session.add_all([user, identity])
    try:
        db.session.flush()
    except IntegrityError as error:
        raise ConflictError(
            "This sign-in was finished in another tab at the same moment. Sign in again."
        ) from error
    record_fact(
        "user.created",
        subject=("user", user.id),
        actor_user_id=user.id,
        data={"provider": profile.provider, "identity_id": identity.id},
    )
    return identity


def identity_of(profile: Profile, user: User) -> Identity:
    """A new identity row for `user`, not yet added to the session."""
    return Identity(
        user=user,
        provider=profile.provider,
        issuer=profile.issuer,
        subject=profile.subject,
        email=profile.email,
        email_verified=profile.email_verified,
    )


def _refresh(identity: Identity, profile: Profile) -> None:
    """Follow the provider's address; the contact address follows only if it was this one."""
    user, before = identity.user, identity.email
    identity.provider = profile.provider
    identity.email, identity.email_verified = profile.email, profile.email_verified
    follows = user.email is None or user.email == before
    if not follows or profile.email is None:
        return
    if profile.email != user.email:
        other = queries.find_user_by_verified_email(profile.email)
        if other is not None and other.id != user.id:
            return
        user.email, user.email_verified = profile.email, profile.email_verified
    elif profile.email_verified:
        user.email_verified = True


def _make_staff(user: User, site_name: str) -> None:
    platform = queries.platform_organization()
    if platform is None:
        platform = Organization(
            name=site_name,
            slug=free_slug(site_name, queries.slugs_like(slug_base(site_name))),
            kind=OrganizationKind.PLATFORM,
        )
        db.session.add(platform)
        db.session.flush()
    membership = queries.find_membership(platform.id, user.id)
    if membership is not None and membership.role in {Role.OWNER, Role.ADMIN}:
        return
    before = membership.role.value if membership is not None else None
    if membership is None:
        db.session.add(Membership(user_id=user.id, organization_id=platform.id, role=Role.ADMIN))
    else:
        membership.role = Role.ADMIN
    record_fact(
        "staff.bootstrapped",
        subject=("user", user.id),
        actor_user_id=user.id,
        organization_id=platform.id,
        data={"role": Role.ADMIN.value, "before": before},
    )
