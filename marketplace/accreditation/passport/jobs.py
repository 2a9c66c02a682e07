"""Telling an issuer that its passport was accepted here."""

from datetime import timedelta
from typing import Any

from joserfc import jwt
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.credentials.addresses import issuer_id, key_url
from marketplace.accreditation.credentials.keys import ALGORITHM, current_key
from marketplace.accreditation.passport.addresses import base_of
from marketplace.accreditation.passport.document import RECEIPT_TYPE
from marketplace.accreditation.passport.models import PassportImport, Recognition
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import PorticoError
from marketplace.core.jobs import Payload, RetryLater, enqueue, job_handler
from marketplace.core.outbound import OutboundRefusedError, send

JOB = "passport.send_receipt"
_GIVE_UP_AFTER = timedelta(days=3)
_TAKES_NONE = frozenset({404, 405, 410})


def send_receipt_later(import_id: int) -> None:
    """Tell the issuer, after the commit."""
    # The receiver fetches our key while the job runs: it must be committed before.
    current_key()
    enqueue(JOB, {"import": import_id}, dedupe_key=f"{JOB}:{import_id}")


@job_handler(JOB)
def send_receipt(payload: Payload) -> None:
    """Post a signed receipt. An issuer that cannot take one is left in peace after three days."""
    row = db.session.get(
        PassportImport, int(payload["import"]), options=[joinedload(PassportImport.issuer)]
    )
    if row is None or clock.now() - row.imported_at > _GIVE_UP_AFTER:
        return
    token = _receipt(row)
    address = f"{base_of(row.issuer.issuer)}/passports/receipts"
    try:
        answer = send(
            "POST", address, headers={"Content-Type": "application/jwt"}, body=token.encode()
        )
    except OutboundRefusedError:
        return
    except PorticoError as error:
        raise RetryLater(timedelta(hours=1), error.detail) from None
    if answer.status >= 300 and answer.status not in _TAKES_NONE:
        raise RetryLater(timedelta(hours=1), f"answered {answer.status}")


def _receipt(row: PassportImport) -> str:
    key_row, key = current_key()
    items = db.session.scalar(select(func.count()).where(Recognition.import_id == row.id)) or 0
    claims: dict[str, Any] = {
        "iss": issuer_id(),
        "aud": row.issuer.issuer,
        "sub": row.passport_uri,
        "typ": RECEIPT_TYPE,
        "items": items,
        "iat": int(clock.now().timestamp()),
    }
    header = {"alg": ALGORITHM, "kid": key_url(key_row.kid), "typ": "JWT"}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])
