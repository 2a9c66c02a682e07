"""Passports of other installations: looked at, refused or accepted item by item."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from sqlalchemy import select

from billing.public_ids import new_public_id
from marketplace.accreditation.credentials.addresses import issuer_id
from marketplace.accreditation.credentials.foreign import Fetching, ForeignIssuerError
from marketplace.accreditation.credentials.tokens import (
    BadSignatureError,
    UnreadableTokenError,
    read_token,
    thumbprint_of,
    verified_claims,
)
from marketplace.accreditation.passport.document import (
    STATUS_TYPE,
    PassportSubject,
    moment,
    subject_of,
)
from marketplace.accreditation.passport.jobs import send_receipt_later
from marketplace.accreditation.passport.models import PassportImport, Recognition, TrustedIssuer
from marketplace.accreditation.verification.reading import verified_domains
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import Organization
from marketplace.identity.own_partner import SOMEBODY_ELSE, is_member

# The longest that we recognise what another installation vouches for.
LONGEST = timedelta(days=365)
_LEEWAY = timedelta(seconds=60)


class PassportRefusedError(ConflictError):
    """The passport does not count here; `detail` says why."""

    title = "This passport is refused"


@dataclass(frozen=True)
class Looked:
    """A passport that holds for an organization. `domains`: those both sides have verified;
    `holds`: the places of the items that its issuer still vouches for."""

    issuer: TrustedIssuer
    uri: str
    subject: PassportSubject
    domains: tuple[str, ...]
    expires_at: datetime
    holds: frozenset[int] = frozenset()


def look_at(text: str, organization: Organization) -> Looked:
    """Verify a passport for an organization of ours. Raises PassportRefusedError."""
    try:
        token = read_token(text)
    except UnreadableTokenError as error:
        raise PassportRefusedError(str(error)) from None
    issuer = db.session.scalar(
        select(TrustedIssuer).where(
            TrustedIssuer.issuer == token.issuer, TrustedIssuer.removed_at.is_(None)
        )
    )
    if issuer is None:
        raise PassportRefusedError("Its issuer is not trusted here.")
    fetching = Fetching()
    try:
        key = fetching.key(issuer.issuer, token.kid)
    except ForeignIssuerError as error:
        raise PassportRefusedError(f"Its issuer’s key cannot be had. {error}") from None
    if thumbprint_of(key) not in issuer.thumbprints:
        raise PassportRefusedError("It is signed by a key that is not pinned for its issuer.")
    try:
        claims = verified_claims(token, key)
    except BadSignatureError:
        raise PassportRefusedError("It was changed after it was signed.") from None
    looked = _checked(claims, issuer, organization)
    return replace(looked, holds=_holding(looked, fetching))


def accept(
    text: str, organization: Organization, chosen: Collection[int], *, by_user_id: int | None
) -> list[Recognition]:
    """Recognise the chosen items (their places) of a passport, once for each passport.

    Raises PassportRefusedError, also when nothing was chosen, or by a member of the organization.
    """
    if is_member(by_user_id, organization.id):
        raise PassportRefusedError(SOMEBODY_ELSE)
    looked = look_at(text, organization)
    items = [
        (place, item)
        for place, item in enumerate(looked.subject.items)
        if place in chosen and place in looked.holds
    ]
    if not items:
        raise PassportRefusedError("Choose at least one item.")
    lock_row(Organization, Organization.id == organization.id)
    now = clock.now()
    import_id = insert_if_new(
        PassportImport,
        issuer_id=looked.issuer.id,
        passport_uri=looked.uri,
        organization_id=organization.id,
        document=looked.subject.model_dump(mode="json", by_alias=True),
        imported_at=now,
        imported_by_id=by_user_id,
    )
    if import_id is None:
        raise PassportRefusedError("This passport was imported before.")
    rows = []
    for _place, item in items:
        until = moment(item.valid_until)
        row = Recognition(
            public_id=new_public_id("rec"),
            import_id=import_id,
            organization_id=organization.id,
            kind=item.kind,
            title=item.title,
            detail=item.detail,
            since=moment(item.since),
            expires_at=min(until, now + LONGEST) if until else now + LONGEST,
        )
        db.session.add(row)
        rows.append(row)
    db.session.flush()
    record_fact(
        "passport.imported",
        subject=("passport_import", import_id),
        actor_user_id=by_user_id,
        organization_id=organization.id,
        data={"issuer": looked.issuer.issuer, "items": len(rows)},
    )
    send_receipt_later(import_id)
    return rows


def end_recognition(row: Recognition, *, by_user_id: int | None) -> bool:
    """Recognise it no more. False when it was ended before."""
    locked = lock_row(Recognition, Recognition.id == row.id)
    if locked is None or locked.ended_at is not None:
        return False
    locked.ended_at, locked.ended_by_id = clock.now(), by_user_id
    db.session.flush()
    record_fact(
        "passport_recognition.ended",
        subject=("passport_recognition", locked.id),
        actor_user_id=by_user_id,
        organization_id=locked.organization_id,
    )
    return True


def _checked(claims: dict[str, Any], issuer: TrustedIssuer, organization: Organization) -> Looked:
    subject, now = subject_of(claims), clock.now()
    uri, ends, begins = claims.get("jti"), claims.get("exp"), claims.get("nbf")
    if (
        subject is None
        or not isinstance(uri, str)
        or not 0 < len(uri) <= 300
        or "\x00" in uri
        or claims.get("id") != uri
        or not _is_date(ends)
        or not _is_date(begins)
    ):
        raise PassportRefusedError("What is signed is not a passport.")
    expires_at = datetime.fromtimestamp(ends, tz=now.tzinfo)
    if expires_at <= now:
        raise PassportRefusedError("It has expired. The partner can export a new one.")
    if datetime.fromtimestamp(begins, tz=now.tzinfo) > now + _LEEWAY:
        raise PassportRefusedError("It is not valid yet.")
    if claims.get("aud") != issuer_id():
        raise PassportRefusedError("It was made for another installation.")
    own = {each.lower() for each in verified_domains(organization.id)}
    shared = tuple(each for each in subject.domains if each.lower() in own)
    if not shared:
        raise PassportRefusedError(
            f"{organization.name} has verified none of its domains here, so it may be another "
            "organization’s."
        )
    known = db.session.scalar(
        select(PassportImport.id).where(
            PassportImport.issuer_id == issuer.id, PassportImport.passport_uri == uri
        )
    )
    if known is not None:
        raise PassportRefusedError("This passport was imported before.")
    return Looked(issuer, uri, subject, shared, expires_at)


def _holding(looked: Looked, fetching: Fetching) -> frozenset[int]:
    """What its issuer says, signed, at the passport's own address: what was taken back since the
    passport was signed is not recognised. Raises PassportRefusedError when it does not say."""
    issuer = looked.issuer
    try:
        token = read_token(fetching.list_at(issuer.issuer, looked.uri))
        key = fetching.key(issuer.issuer, token.kid)
        if thumbprint_of(key) not in issuer.thumbprints:
            raise BadSignatureError("It is signed by a key that is not pinned.")
        claims = verified_claims(token, key)
    except (ForeignIssuerError, UnreadableTokenError, BadSignatureError) as error:
        raise PassportRefusedError(
            f"Its issuer does not say what of it still holds. {error}"
        ) from None
    holds = claims.get("holds")
    if (
        claims.get("typ") != STATUS_TYPE
        or claims.get("iss") != issuer.issuer
        or claims.get("aud") != issuer_id()
        or claims.get("sub") != looked.uri
        or not isinstance(holds, list)
    ):
        raise PassportRefusedError("Its issuer does not say what of it still holds.")
    return frozenset(each for each in holds if type(each) is int)


def _is_date(value: Any) -> TypeGuard[int]:
    """Whether it is a time of JWT (seconds) that we can tell, up to the year 3000."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 32_503_680_000
