"""Issuing credentials, once for each reason, and revoking them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from billing.public_ids import new_public_id
from marketplace.accreditation.credentials import documents
from marketplace.accreditation.credentials.events import credential_revoked
from marketplace.accreditation.credentials.mails import tell_revoked
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.events import accreditation_changed
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import User


def issue(
    achievement: str,
    *,
    organization_id: int,
    user_id: int | None,
    recipient_name: str,
    title: str,
    description: str,
    expires_at: datetime | None,
    evidence: Sequence[Mapping[str, Any]],
    key: str,
    criteria: str = "",
    by_user_id: int | None = None,
) -> Credential:
    """Issue and sign an Open Badges 3.0 credential; with a `key` that was used, the one before.

    `achievement` names what was achieved (`course:crs_1`): credentials of one achievement share
    its id. `user_id`: the person; None for one of the organization itself. `evidence` entries have
    `name`, `narrative`, `id` (an address) and more, all optional. The caller tells the holder.
    """
    now = clock.now()
    made = insert_if_new(
        Credential,
        public_id=new_public_id("cred"),
        issue_key=key,
        achievement=achievement,
        organization_id=organization_id,
        user_id=user_id,
        recipient_name=recipient_name[:120],
        title=title[:200],
        description=description,
        criteria=criteria,
        evidence=[dict(each) for each in evidence],
        issued_at=now,
        expires_at=expires_at,
        revoked_reason="",
        # An organization's credential is public as its other accreditations are.
        shows_name=user_id is None,
        token="",
    )
    credential = db.session.scalars(select(Credential).where(Credential.issue_key == key)).one()
    if made is None:
        return credential
    user = db.session.get(User, user_id) if user_id is not None else None
    email = user.email if user is not None and user.email_verified else None
    credential.token = documents.sign_document(documents.credential_document(credential, email))
    db.session.flush()
    record_fact(
        "credential.issued",
        subject=("credential", credential.id),
        actor_user_id=by_user_id,
        organization_id=organization_id,
        data={"achievement": achievement, "user": user_id},
        idempotency_key=f"credential.issued:{credential.id}",
    )
    accreditation_changed(organization_id, "credential")
    return credential


def revoke(credential: Credential, *, reason: str, by_user_id: int | None) -> bool:
    """Take a credential back for good; its holder is told by mail. False when it was already."""
    locked = lock_row(Credential, Credential.id == credential.id)
    if locked is None or locked.revoked_at is not None:
        return False
    locked.revoked_at, locked.revoked_reason = clock.now(), reason.strip()
    locked.revoked_by_id = by_user_id
    db.session.flush()
    record_fact(
        "credential.revoked",
        subject=("credential", locked.id),
        actor_user_id=by_user_id,
        organization_id=locked.organization_id,
        data={"achievement": locked.achievement, "user": locked.user_id},
    )
    tell_revoked(locked)
    credential_revoked(locked)
    accreditation_changed(locked.organization_id, "credential")
    return True
