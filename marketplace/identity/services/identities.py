"""Linking and unlinking identities: only ever by a signed-in act of the person."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.mail import send_mail
from marketplace.core.permissions import Actor
from marketplace.identity import queries
from marketplace.identity.models import Identity, User, UserSession
from marketplace.identity.profiles import Profile
from marketplace.identity.providers import provider_label
from marketplace.identity.services.sign_in import identity_of

OFFER_LIFETIME = timedelta(minutes=10)
_OFFER = "offered_identity"


class LastIdentityError(ConflictError):
    """Without its last identity nobody could sign in to the account any more."""

    title = "The last sign-in stays"


class IdentityTakenError(ConflictError):
    """The identity belongs to another account."""

    title = "This sign-in belongs to another account"


def offer_identity(actor: Actor, profile: Profile) -> bool:
    """Keep a proven profile with the session until its person confirms the link.

    False when the identity is the actor's already. Raises IdentityTakenError.
    """
    found = queries.find_identity(profile.issuer, profile.subject)
    if found is not None:
        if found.user_id != actor.user_id:
            raise IdentityTakenError(
                "Sign in with it and unlink it there first. Accounts are never merged."
            )
        return False
    row = _session_of(actor)
    offer = {
        "provider": profile.provider,
        "issuer": profile.issuer,
        "subject": profile.subject,
        "name": profile.name,
        "email": profile.email,
        "email_verified": profile.email_verified,
        "until": (clock.now() + OFFER_LIFETIME).timestamp(),
    }
    row.data = {**row.data, _OFFER: offer}
    db.session.flush()
    return True


def offered_identity(actor: Actor) -> Profile | None:
    """The profile that waits for the actor's confirmation."""
    return _offer(_session_of(actor))


def accept_offer(actor: Actor) -> Identity:
    """Link the offered identity to the actor's account.

    Raises NotFoundError when nothing is on offer (any more), IdentityTakenError when it went to
    somebody else in the meantime.
    """
    row = _session_of(actor)
    profile = _offer(row)
    if profile is None:
        raise NotFoundError("The sign-in to add was not found. Start again on your account page.")
    identity = identity_of(profile, row.user)
    identity.last_used_at = clock.now()
    db.session.add(identity)
    row.data = {key: value for key, value in row.data.items() if key != _OFFER}
    try:
        db.session.flush()
    except IntegrityError as error:
        raise IdentityTakenError("It was linked to an account a moment ago.") from error
    record_fact(
        "identity.linked",
        subject=("user", row.user_id),
        actor_user_id=row.user_id,
        data={"provider": identity.provider, "identity_id": identity.id},
    )
    _tell(row.user, "A sign-in was added to your account", identity)
    return identity


def drop_offer(actor: Actor) -> None:
    """Forget the offered identity."""
    row = _session_of(actor)
    row.data = {key: value for key, value in row.data.items() if key != _OFFER}


def unlink_identity(actor: Actor, identity_id: int) -> Identity:
    """Take an identity off the actor's account, and end the sessions begun with it.

    Raises NotFoundError when it is not theirs, LastIdentityError when it is their last.
    """
    if actor.user_id is None:
        raise NotFoundError
    # A write first: it takes the lock under which the count below stays true.
    db.session.execute(
        update(User).where(User.id == actor.user_id).values(created_at=User.created_at)
    )
    identities = queries.identities_of(actor.user_id)
    identity = next((found for found in identities if found.id == identity_id), None)
    if identity is None:
        raise NotFoundError
    if len(identities) == 1:
        raise LastIdentityError("Link another sign-in first, then you can unlink this one.")
    db.session.execute(
        update(UserSession)
        .where(
            UserSession.identity_id == identity_id,
            UserSession.revoked_at.is_(None),
            UserSession.id != actor.session_id,
        )
        .values(revoked_at=clock.now())
    )
    db.session.execute(
        update(UserSession).where(UserSession.identity_id == identity_id).values(identity_id=None)
    )
    db.session.delete(identity)
    db.session.flush()
    record_fact(
        "identity.unlinked",
        subject=("user", actor.user_id),
        actor_user_id=actor.user_id,
        data={"provider": identity.provider, "identity_id": identity_id},
    )
    user = queries.find_user(actor.user_id)
    if user is not None:
        _tell(user, "A sign-in was removed from your account", identity)
    return identity


def _tell(user: User, what: str, identity: Identity) -> None:
    """Mail the person, who may not be the one who did it."""
    if user.email is None or not user.email_verified:
        return
    at = f" ({identity.email})" if identity.email else ""
    send_mail(
        user.email,
        what,
        f"Hello {user.name},\n\n"
        f"{what}: {provider_label(identity.provider)}{at}.\n\n"
        "If it was not you, sign in, check your sign-ins and devices, and sign out everywhere.\n",
    )


def _session_of(actor: Actor) -> UserSession:
    row = db.session.get(UserSession, actor.session_id) if actor.session_id is not None else None
    if row is None or row.user_id != actor.user_id:
        raise NotFoundError
    return row


def _offer(row: UserSession) -> Profile | None:
    offer: dict[str, Any] | None = row.data.get(_OFFER)
    if offer is None or offer["until"] < clock.now().timestamp():
        return None
    return Profile(**{key: value for key, value in offer.items() if key != "until"})
