"""Taking a passport to another installation, and hearing that it was accepted there."""

from datetime import timedelta
from typing import Any

from joserfc import jwt
from sqlalchemy import select

from marketplace.accreditation.credentials.addresses import base_url, issuer_id, key_url
from marketplace.accreditation.credentials.documents import (
    VC_CONTEXT,
    issuer_profile,
    sign_document,
    timestamp,
)
from marketplace.accreditation.credentials.foreign import (
    ForeignIssuerError,
    fetch_key,
    few_at_once,
)
from marketplace.accreditation.credentials.keys import ALGORITHM, current_key
from marketplace.accreditation.credentials.tokens import (
    BadSignatureError,
    UnreadableTokenError,
    read_token,
    verified_claims,
)
from marketplace.accreditation.passport.addresses import issuer_of
from marketplace.accreditation.passport.contents import passport_of
from marketplace.accreditation.passport.document import (
    DAYS,
    RECEIPT_TYPE,
    STATUS_TYPE,
    TYPE,
    subject_of,
)
from marketplace.accreditation.passport.models import PassportExport
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form, insert_if_new
from marketplace.identity.models import Organization


def export_passport(
    organization: Organization, audience: str, *, by_user_id: int | None, form_key: str = ""
) -> PassportExport:
    """Sign a passport for the installation at a typed address; it is good for DAYS days. A form
    that is sent again signs nothing more.

    Raises InvalidError (field `audience`).
    """
    issuer = issuer_of(audience, "audience")
    subject = passport_of(organization)
    if not subject.domains:
        raise InvalidError(
            {"audience": "Prove a domain first: the passport is bound to your verified domains."}
        )
    now = clock.now()
    public_id = id_of_form("pas", form_key, by_user_id, organization.id, issuer)
    document = {
        "@context": [VC_CONTEXT],
        "id": f"{base_url()}/passports/{public_id}",
        "type": ["VerifiableCredential", TYPE],
        "issuer": issuer_profile(),
        "validFrom": timestamp(now),
        "validUntil": timestamp(now + timedelta(days=DAYS)),
        "credentialSubject": {
            "id": f"{base_url()}/partners/{organization.slug}",
            "type": ["Organization"],
            **subject.model_dump(mode="json", by_alias=True, exclude_none=True),
        },
    }
    export_id = insert_if_new(
        PassportExport,
        public_id=public_id,
        organization_id=organization.id,
        audience=issuer,
        token=sign_document(document, aud=issuer),
        items=len(subject.items),
        created_at=now,
        created_by_id=by_user_id,
        expires_at=now + timedelta(days=DAYS),
    )
    export = db.session.scalars(
        select(PassportExport).where(PassportExport.public_id == public_id)
    ).one()
    if export_id is None:
        return export
    record_fact(
        "passport.exported",
        subject=("passport_export", export.id),
        actor_user_id=by_user_id,
        organization_id=organization.id,
        data={"audience": issuer},
    )
    return export


def status_of(export: PassportExport) -> str:
    """Which items of a passport of ours still hold, by their places: a signed statement for its
    receiver. It names nobody and nothing."""
    said = subject_of(read_token(export.token).claims)
    organization = db.session.get(Organization, export.organization_id)
    now = (
        {(item.kind, item.title) for item in passport_of(organization).items}
        if organization is not None and organization.suspended_at is None
        else set()
    )
    key_row, key = current_key()
    claims: dict[str, Any] = {
        "iss": issuer_id(),
        "aud": export.audience,
        "sub": f"{base_url()}/passports/{export.public_id}",
        "typ": STATUS_TYPE,
        "holds": [
            place
            for place, item in enumerate(said.items if said is not None else ())
            if (item.kind, item.title) in now
        ],
        "iat": int(clock.now().timestamp()),
    }
    header = {"alg": ALGORITHM, "kid": key_url(key_row.kid), "typ": "JWT"}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


def take_receipt(text: str) -> bool:
    """The receiver of a passport says, signed, that it was accepted. False for anything else.

    Nothing is fetched unless it is about a passport of ours and says to be from its receiver.
    """
    try:
        token = read_token(text)
    except UnreadableTokenError:
        return False
    public_id = str(token.claims.get("sub", "")).removeprefix(f"{base_url()}/passports/")
    export = db.session.scalar(
        select(PassportExport).where(PassportExport.public_id == public_id[:40])
    )
    if export is None or export.accepted_at is not None or token.issuer != export.audience:
        return False
    try:
        with few_at_once():
            key = fetch_key(export.audience, token.kid)
        claims = verified_claims(token, key)
    except (ForeignIssuerError, BadSignatureError):
        return False
    items = claims.get("items")
    fits = (
        claims.get("typ") == RECEIPT_TYPE
        and claims.get("aud") == issuer_id()
        and isinstance(items, int)
        and not isinstance(items, bool)
        and 0 <= items <= export.items
    )
    row = lock_row(PassportExport, PassportExport.id == export.id)
    if not fits or row is None or row.accepted_at is not None:
        return False
    row.accepted_at, row.accepted_items = clock.now(), items
    db.session.flush()
    record_fact(
        "passport.accepted_elsewhere",
        subject=("passport_export", row.id),
        organization_id=row.organization_id,
        data={"audience": row.audience, "items": items},
    )
    return True
