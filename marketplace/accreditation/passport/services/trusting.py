"""Which other installations' passports count here."""

import json

from sqlalchemy import select

from billing.public_ids import new_public_id
from marketplace.accreditation.credentials.foreign import ForeignIssuerError, fetch_text
from marketplace.accreditation.credentials.tokens import thumbprint_of
from marketplace.accreditation.passport.addresses import base_of, issuer_of
from marketplace.accreditation.passport.models import TrustedIssuer
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row

_MOST_BYTES = 256 * 1024
_MOST_PINNED = 10


def published_thumbprints(issuer: str) -> list[str]:
    """The thumbprints of the keys that an installation publishes. Raises ForeignIssuerError."""
    text = fetch_text(f"{base_of(issuer)}/credentials/keys", _MOST_BYTES)
    try:
        found = json.loads(text)
        keys = found["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ForeignIssuerError("It publishes no keys there.") from None
    prints = [thumbprint_of(key) for key in keys if isinstance(key, dict)][:100]
    return [each for each in prints if each]


def trust(address: str, name: str, thumbprint: str, *, by_user_id: int | None) -> TrustedIssuer:
    """Pin a key of the installation at a typed address; a further key is added to the others.

    Raises InvalidError when it does not publish that key, with messages for the fields.
    """
    issuer = issuer_of(address, "address")
    pinned = "".join(thumbprint.split())
    label = name.strip() or base_of(issuer).partition("://")[2]
    if "\x00" in label or len(label) > 120:
        raise InvalidError({"name": "Use at most 120 ordinary characters."})
    try:
        published = published_thumbprints(issuer)
    except ForeignIssuerError as error:
        raise InvalidError({"address": str(error)}) from None
    if not published:
        raise InvalidError({"address": "It publishes no keys there."})
    if pinned not in published:
        raise InvalidError(
            {"thumbprint": "It does not publish a key with that thumbprint. Ask its operator."}
        )
    row = db.session.scalar(select(TrustedIssuer).where(TrustedIssuer.issuer == issuer))
    if row is None:
        row = TrustedIssuer(
            public_id=new_public_id("iss"), issuer=issuer, name=label, thumbprints=[]
        )
        db.session.add(row)
    known = [] if row.removed_at is not None else [key for key in row.thumbprints if key != pinned]
    row.thumbprints = [*known, pinned][-_MOST_PINNED:]
    row.name, row.removed_at = label, None
    row.added_at, row.added_by_id = clock.now(), by_user_id
    db.session.flush()
    record_fact(
        "passport_issuer.trusted",
        subject=("passport_issuer", row.id),
        actor_user_id=by_user_id,
        data={"issuer": issuer, "thumbprint": pinned},
    )
    return row


def distrust(issuer: TrustedIssuer, *, by_user_id: int | None) -> bool:
    """Let its passports count no more. What was recognised stays until it is ended or expires."""
    row = lock_row(TrustedIssuer, TrustedIssuer.id == issuer.id)
    if row is None or row.removed_at is not None:
        return False
    row.removed_at = clock.now()
    db.session.flush()
    record_fact(
        "passport_issuer.removed",
        subject=("passport_issuer", row.id),
        actor_user_id=by_user_id,
        data={"issuer": row.issuer},
    )
    return True
