"""The keys that sign: made when first needed, sealed at rest, rotated, and verifiable for ever."""

import json
from collections.abc import Sequence
from typing import Any

from joserfc.jwk import RSAKey
from sqlalchemy import func, select

from marketplace.accreditation.credentials.models import SigningKey
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.sealing import SealBrokenError, seal, unseal

# What Open Badges 3.0 asks every verifier to know (section 8.2.4.1).
ALGORITHM = "RS256"
KEY_BITS = 2048


def current_key() -> tuple[SigningKey, RSAKey]:
    """The key that signs now, begun when there is none or when its seal is broken."""
    row = _newest()
    if row is not None:
        try:
            return row, RSAKey.import_key(json.loads(unseal(row.sealed_private)))
        except SealBrokenError:
            # SECRET_KEY was exchanged without the previous one. What the old key signed is still
            # verified by its public half.
            row.retired_at, row.sealed_private = clock.now(), ""
            db.session.flush()
    return _begin(None)


def rotate(*, by_user_id: int | None) -> SigningKey:
    """Begin a new key and erase the private half of the one before."""
    newest = _newest()
    if newest is not None:
        locked = lock_row(SigningKey, SigningKey.id == newest.id)
        if locked is not None and locked.retired_at is None:
            locked.retired_at, locked.retired_by_id = clock.now(), by_user_id
            locked.sealed_private = ""
            db.session.flush()
    return _begin(by_user_id)[0]


def all_keys() -> Sequence[SigningKey]:
    """Every key there was, the newest first."""
    return db.session.scalars(select(SigningKey).order_by(SigningKey.number.desc())).all()


def find_key(kid: str) -> SigningKey | None:
    """The key of that thumbprint."""
    return db.session.scalar(select(SigningKey).where(SigningKey.kid == kid))


def public_jwk(row: SigningKey) -> dict[str, Any]:
    """The public half as it is served."""
    return {**row.public_jwk, "kid": row.kid, "alg": ALGORITHM, "use": "sig"}


def _newest() -> SigningKey | None:
    return db.session.scalar(
        select(SigningKey)
        .where(SigningKey.retired_at.is_(None))
        .order_by(SigningKey.number.desc())
        .limit(1)
    )


def _begin(by_user_id: int | None) -> tuple[SigningKey, RSAKey]:
    key = RSAKey.generate_key(KEY_BITS, private=True)
    number = (db.session.scalar(select(func.max(SigningKey.number))) or 0) + 1
    made = insert_if_new(
        SigningKey,
        number=number,
        kid=key.thumbprint(),
        public_jwk=key.as_dict(private=False),
        sealed_private=seal(json.dumps(key.as_dict(private=True))),
        created_at=clock.now(),
    )
    row = db.session.scalars(select(SigningKey).where(SigningKey.number == number)).one()
    if made is None:  # somebody else began it at the same moment
        return row, RSAKey.import_key(json.loads(unseal(row.sealed_private)))
    record_fact(
        "credential_key.begun",
        subject=("credential_signing_key", row.id),
        actor_user_id=by_user_id,
        data={"kid": row.kid},
    )
    return row, key
