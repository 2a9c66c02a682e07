"""A person's own account: name, time zone, contact address, the organization they act for."""

import hmac
from dataclasses import replace
from zoneinfo import available_timezones

from itsdangerous import BadSignature, URLSafeSerializer

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.mail import send_mail
from marketplace.core.permissions import Actor, MembershipInfo
from marketplace.identity import queries
from marketplace.identity.models import User, UserSession
from marketplace.identity.profiles import MAX_NAME, clean_email
from marketplace.identity.sessions import tell_active

CONFIRMATION_SECONDS = 24 * 3600
_SALT = "portico.identity.email-confirmation"


def update_profile(actor: Actor, *, name: str, timezone: str) -> User:
    """Change how the person is called and in which zone times are shown. Raises InvalidError."""
    user = _own_user(actor)
    name = " ".join(name.split())
    errors = {}
    if not name:
        errors["name"] = "Enter your name."
    elif len(name) > MAX_NAME:
        errors["name"] = f"Use at most {MAX_NAME} characters."
    if timezone not in available_timezones():
        errors["timezone"] = "Choose a time zone from the list."
    if errors:
        raise InvalidError(errors)
    changed = [
        field
        for field, value in (("name", name), ("timezone", timezone))
        if getattr(user, field) != value
    ]
    user.name, user.timezone = name, timezone
    if changed:
        record_fact(
            "user.profile_changed",
            subject=("user", user.id),
            actor_user_id=user.id,
            data={"fields": changed},
        )
    return user


def choose_email(actor: Actor, email: str) -> User:
    """Make a proven address the contact address. Raises InvalidError for any other."""
    user = _own_user(actor)
    wanted = clean_email(email)
    if wanted is None or wanted not in queries.verified_emails(user.id):
        raise InvalidError({"email": "Choose one of your confirmed addresses."})
    user.email, user.email_verified = wanted, True
    record_fact("user.email_chosen", subject=("user", user.id), actor_user_id=user.id)
    return user


def send_confirmation(actor: Actor, email: str, *, secret_key: str, public_url: str) -> str:
    """Mail a link that proves the address; the address. Raises InvalidError."""
    user = _own_user(actor)
    wanted = clean_email(email)
    if wanted is None:
        raise InvalidError({"new_email": "Enter an e-mail address, like ada@example.com."})
    if wanted in queries.verified_emails(user.id):
        raise InvalidError({"new_email": "This address is confirmed already."})
    until = int(clock.now().timestamp()) + CONFIRMATION_SECONDS
    token = URLSafeSerializer(secret_key, salt=_SALT).dumps([user.id, wanted, until])
    send_mail(
        wanted,
        "Confirm your e-mail address",
        f"Hello {user.name},\n\n"
        "you asked to use this address for your account. Open this link while you are signed in, "
        "within 24 hours:\n\n"
        f"{public_url}/account/email/confirmation?token={token}\n\n"
        "If it was not you, ignore this message: nothing changes.\n",
    )
    record_fact("user.email_confirmation_sent", subject=("user", user.id), actor_user_id=user.id)
    return wanted


def read_confirmation(actor: Actor, token: str, *, secret_key: str) -> str:
    """The address that a link is to confirm for this actor.

    Raises InvalidError (field `token`, a sentence) for a link that is wrong, too old or somebody
    else's.
    """
    try:
        user_id, email, until = URLSafeSerializer(secret_key, salt=_SALT).loads(token)
    except (BadSignature, ValueError, TypeError):
        raise InvalidError({"token": "The link is not complete. Copy all of it."}) from None
    if until < clock.now().timestamp():
        raise InvalidError({"token": "The link is more than 24 hours old. Ask for a new one."})
    if not hmac.compare_digest(str(user_id), str(actor.user_id)):
        raise InvalidError({"token": "The link was made for another account. Sign in with that."})
    return str(email)


def confirm_email(actor: Actor, token: str, *, secret_key: str) -> User:
    """Prove the link's address and make it the contact address. Raises InvalidError."""
    email = read_confirmation(actor, token, secret_key=secret_key)
    user = _own_user(actor)
    other = queries.find_user_by_verified_email(email)
    if other is not None and other.id != user.id:
        raise InvalidError({"token": "Another account uses this address already."})
    user.email, user.email_verified = email, True
    record_fact("user.email_confirmed", subject=("user", user.id), actor_user_id=user.id)
    return user


def switch_organization(actor: Actor, organization_id: int) -> MembershipInfo:
    """Act for another of one's organizations from now on. Raises NotFoundError."""
    membership = next(
        (found for found in actor.organizations if found.organization_id == organization_id), None
    )
    row = db.session.get(UserSession, actor.session_id) if actor.session_id is not None else None
    if membership is None or row is None:
        raise NotFoundError
    row.organization_id = organization_id
    tell_active(replace(actor, organization=membership))
    return membership


def _own_user(actor: Actor) -> User:
    user = queries.find_user(actor.user_id)
    if user is None:
        raise NotFoundError
    return user
