"""Making and revoking access keys."""

import enum
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.identity import queries as people
from marketplace.identity.services.members import lock_members
from marketplace.installs.credentials import hash_secret, hint_of, new_secret
from marketplace.installs.developer.key_scopes import scopes_of_role
from marketplace.installs.developer.queries import keys as queries
from marketplace.installs.models import AccessKey, Environment

MAX_NAME = 80
MOST_KEYS = 50
LONGEST = timedelta(days=366 * 2)


class Lifetime(enum.StrEnum):
    """How long a key lives; `never` only by choosing it."""

    DAYS_30 = "30"
    DAYS_90 = "90"
    DAYS_365 = "365"
    UNTIL = "date"
    NEVER = "never"


@dataclass(frozen=True)
class KeyWish:
    """What the form asks for. `until` is the last day (UTC) of a key with Lifetime.UNTIL."""

    name: str
    is_personal: bool
    environment: Environment
    scopes: Collection[str]
    lifetime: str
    until: date | None = None


def make_key(actor: Actor, wish: KeyWish) -> tuple[AccessKey, str]:
    """A new key of the active partner and its token, which can be shown this once.

    Raises InvalidError (fields name, scopes, lifetime, until), ForbiddenError (an organization's
    key that is not the actor's to make) and ConflictError (too many keys).
    """
    organization_id, user_id = actor.organization_id, actor.user_id
    if organization_id is None or user_id is None or not actor.can("key.create"):
        raise ForbiddenError("Your role does not allow this.")
    # One at a time, so that a name is taken once; and the role is read as it is now.
    lock_members(organization_id)
    membership = people.find_membership(organization_id, user_id)
    if membership is None:
        raise ForbiddenError("You are no longer a member.")
    if not wish.is_personal and not actor.can("key.create_for_organization"):
        raise ForbiddenError("Only owners and admins make keys of the organization.")
    if membership.organization.suspended_at is not None:
        raise ForbiddenError("Your organization is suspended, so no key can be made.")
    at = clock.now()
    owner_id = user_id if wish.is_personal else None
    name = " ".join(wish.name.replace("\0", "").split())
    errors: dict[str, str] = {}
    if not 2 <= len(name) <= MAX_NAME:
        errors["name"] = f"Use 2 to {MAX_NAME} characters."
    elif queries.name_is_taken(organization_id, owner_id, name, at):
        errors["name"] = "There is a key of this name. Keys are shown once; revoke one you lost."
    scopes = sorted(set(wish.scopes))
    if not scopes:
        errors["scopes"] = "Choose what the key may do."
    elif not set(scopes) <= scopes_of_role(membership.role.value):
        errors["scopes"] = "Your role does not allow all of these."
    expires_at, problem = _expiry(wish, at)
    errors |= problem
    if errors:
        raise InvalidError(errors)
    if queries.count_live(organization_id, owner_id, at) >= MOST_KEYS:
        raise ConflictError(f"There are {MOST_KEYS} keys already. Revoke some that are not used.")
    token = new_secret("personal_key" if wish.is_personal else "organization_key")
    key = AccessKey(
        organization_id=organization_id,
        user_id=owner_id,
        environment=wish.environment,
        name=name,
        token_hash=hash_secret(token),
        hint=hint_of(token),
        scopes=scopes,
        created_by_id=user_id,
        created_at=at,
        expires_at=expires_at,
    )
    db.session.add(key)
    db.session.flush()
    record_fact(
        "access_key.made",
        subject=("access_key", key.id),
        actor_user_id=user_id,
        organization_id=organization_id,
        data={
            "personal": wish.is_personal,
            "environment": wish.environment.value,
            "scopes": scopes,
            "expires_at": expires_at.isoformat() if expires_at else None,
        },
    )
    return key, token


def revoke_key(actor: Actor, key: AccessKey) -> bool:
    """Refuse a key from now on; False when it was revoked before."""
    done = db.session.scalar(
        update(AccessKey)
        .where(AccessKey.id == key.id, AccessKey.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(AccessKey.id)
        .execution_options(synchronize_session=False)
    )
    if done is None:
        return False
    db.session.expire(key, ["revoked_at"])
    record_fact(
        "access_key.revoked",
        subject=("access_key", key.id),
        actor_user_id=actor.user_id,
        organization_id=key.organization_id,
    )
    return True


def _expiry(wish: KeyWish, at: datetime) -> tuple[datetime | None, dict[str, str]]:
    if wish.lifetime == Lifetime.NEVER:
        return None, {}
    if wish.lifetime in {Lifetime.DAYS_30, Lifetime.DAYS_90, Lifetime.DAYS_365}:
        return at + timedelta(days=int(wish.lifetime)), {}
    if wish.lifetime != Lifetime.UNTIL:
        return None, {"lifetime": "Choose how long the key lives."}
    if wish.until is None:
        return None, {"until": "Enter the last day on which the key works."}
    if wish.until < at.date():
        return None, {"until": "This day is over."}
    if wish.until > (at + LONGEST).date():
        return None, {"until": "Choose a day within the next two years, or that it never expires."}
    # The day that was chosen is the last one on which it works.
    return datetime.combine(wish.until + timedelta(days=1), time(), UTC), {}
