"""Telling people of keys that are about to expire."""

from datetime import timedelta

from flask import current_app
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact, record_fact
from marketplace.core.jobs import Payload, periodic
from marketplace.core.mail import send_mail
from marketplace.identity.models import Role, User
from marketplace.installs.developer.queries import keys as queries
from marketplace.installs.models import AccessKey

TOLD_BEFORE = timedelta(days=7)
BATCH = 200


@periodic("access_keys.tell_expiring", timedelta(hours=6))
def tell_expiring(_payload: Payload) -> None:
    """Write once to whom a key belongs, a week before it expires."""
    at, last = clock.now(), 0
    while rows := queries.expiring(at, at + TOLD_BEFORE, last, BATCH):
        last = rows[-1].id
        keys = {f"access_key.expiring:{row.id}": row for row in rows}
        told = set(
            db.session.scalars(
                select(Fact.idempotency_key).where(Fact.idempotency_key.in_(list(keys)))
            )
        )
        for idempotency_key, row in keys.items():
            if idempotency_key in told:
                continue
            _tell(row)
            record_fact(
                "access_key.expiring",
                subject=("access_key", row.id),
                organization_id=row.organization_id,
                idempotency_key=idempotency_key,
            )


def _tell(key: AccessKey) -> None:
    url = current_app.extensions["portico_settings"].public_url
    owner = "Your" if key.user_id is not None else f"{key.organization.name}'s"
    expires = key.expires_at.strftime("%d %b %Y, %H:%M UTC") if key.expires_at else ""
    for person in _people_of(key):
        send_mail(
            person.email or "",
            f"The API key “{key.name}” expires soon",
            f"Hello {person.name},\n\n"
            f"{owner} API key “{key.name}” (it ends with {key.hint}) expires on {expires}. From "
            "then on the API refuses it.\n\n"
            "If something still uses it, make a new key and exchange it before that day:\n"
            f"{url}/partner/keys\n",
        )


def _people_of(key: AccessKey) -> list[User]:
    if key.user is None:
        return list(queries.people_with(key.organization_id, (Role.OWNER, Role.ADMIN)))
    reachable = key.user.email and key.user.email_verified and not key.user.deactivated_at
    return [key.user] if reachable else []
