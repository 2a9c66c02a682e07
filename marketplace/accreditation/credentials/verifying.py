"""Whether a credential that somebody shows is good: signature, issuer, dates, revocation.

The steps are those of Open Badges 3.0, section 9.1. What we have issued is looked up; the keys and
lists of other issuers are fetched from their own addresses.
"""

import enum
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from marketplace.accreditation.credentials import addresses, status_list
from marketplace.accreditation.credentials.documents import identity_hash
from marketplace.accreditation.credentials.foreign import (
    Fetching,
    ForeignIssuerError,
    few_at_once,
)
from marketplace.accreditation.credentials.keys import find_key
from marketplace.accreditation.credentials.models import Credential, CredentialState
from marketplace.accreditation.credentials.tokens import (
    BadSignatureError,
    UnreadableTokenError,
    Unverified,
    read_token,
    thumbprint_of,
    verified_claims,
)
from marketplace.core import clock
from marketplace.core.database import db

# An issuer revokes in one list or two.
_MOST_STATUSES = 4
_CREDENTIAL_TYPES = frozenset({"OpenBadgeCredential", "AchievementCredential"})


class Verdict(enum.StrEnum):
    """What became of the verification."""

    VALID = "valid"
    UNREADABLE = "unreadable"
    # The signature does not fit, or what is signed contradicts itself.
    TAMPERED = "tampered"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    # Nobody publishes the key where the issuer says.
    UNKNOWN_ISSUER = "unknown_issuer"
    # Signed and in its dates, but the issuer does not say whether it was revoked.
    UNCHECKED = "unchecked"


@dataclass(frozen=True)
class Finding:
    """A verdict, and what of the credential may be believed: `claims` are empty unless the
    signature fits."""

    verdict: Verdict
    reason: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    is_ours: bool = False
    credential: Credential | None = None
    thumbprint: str = ""

    @property
    def achievement(self) -> Mapping[str, Any]:
        """The achievement's members."""
        return _dict(_dict(self.claims.get("credentialSubject")).get("achievement"))

    @property
    def issuer(self) -> Mapping[str, Any]:
        """The issuer's members; an issuer that is an address has its id alone."""
        found = self.claims.get("issuer")
        return found if isinstance(found, dict) else {"id": str(found or "")}

    @property
    def recipients(self) -> list[str]:
        """Whom it says in plain words that it was issued to."""
        found = _dict(self.claims.get("credentialSubject")).get("identifier")
        return [
            str(each.get("identityHash"))
            for each in (found if isinstance(found, list) else [])
            if isinstance(each, dict) and not each.get("hashed")
        ]


class _NoVerdictError(Exception):
    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.reason = reason


def verify(text: str) -> Finding:
    """What a pasted credential is worth now."""
    try:
        token = read_token(text)
    except UnreadableTokenError as error:
        return Finding(Verdict.UNREADABLE, str(error))
    if token.issuer == addresses.issuer_id():
        return _verified(token, None)
    try:
        with few_at_once():
            return _verified(token, Fetching())
    except ForeignIssuerError as error:
        return Finding(Verdict.UNKNOWN_ISSUER, str(error))


def _verified(token: Unverified, fetching: Fetching | None) -> Finding:
    """What a token is worth; one of ours without `fetching`."""
    is_ours = fetching is None
    claims: dict[str, Any] = {}
    thumbprint = ""
    try:
        key = _own_key(token) if fetching is None else _foreign_key(token, fetching)
        thumbprint = thumbprint_of(key)
        try:
            verified = verified_claims(token, key)
        except BadSignatureError as error:
            raise _NoVerdictError(Verdict.TAMPERED, str(error)) from None
        _check_claims(verified)
        claims = verified
        if fetching is None:
            credential = _own_credential(claims)
            _check_dates(claims)
            return Finding(Verdict.VALID, "", claims, True, credential, thumbprint)
        _check_dates(claims)
        _check_foreign_status(claims, fetching)
    except _NoVerdictError as refusal:
        return Finding(
            refusal.verdict, refusal.reason, claims, is_ours, _row_of(claims, is_ours), thumbprint
        )
    return Finding(Verdict.VALID, "", claims, False, None, thumbprint)


def is_recipient(claims: Mapping[str, Any], known: str) -> bool:
    """Whether an e-mail address or a name is the one that the credential was issued to."""
    value = known.strip()
    identifiers = _dict(claims.get("credentialSubject")).get("identifier")
    for each in identifiers if isinstance(identifiers, list) else []:
        if not isinstance(each, dict):
            continue
        stored, salt = str(each.get("identityHash", "")), str(each.get("salt", ""))
        if each.get("hashed") is True:
            if stored in {identity_hash(value, salt), identity_hash(value.lower(), salt)}:
                return True
        elif value and stored.casefold() == value.casefold():
            return True
    return False


def _own_key(token: Unverified) -> Mapping[str, Any]:
    prefix = addresses.key_url("")
    row = find_key(token.kid.removeprefix(prefix)) if token.kid.startswith(prefix) else None
    if row is None:
        raise _NoVerdictError(Verdict.TAMPERED, "It names a key that is not ours.")
    return row.public_jwk


def _foreign_key(token: Unverified, fetching: Fetching) -> Mapping[str, Any]:
    if not token.issuer or not token.kid:
        raise _NoVerdictError(
            Verdict.UNKNOWN_ISSUER, "It does not say where its issuer publishes the key."
        )
    try:
        return fetching.key(token.issuer, token.kid)
    except ForeignIssuerError as error:
        raise _NoVerdictError(Verdict.UNKNOWN_ISSUER, str(error)) from None


def _check_claims(claims: Mapping[str, Any]) -> None:
    """The registered claims must say what the credential says (section 8.2.5.1)."""
    types = claims.get("type")
    named = {each for each in types if isinstance(each, str)} if isinstance(types, list) else set()
    subject = _dict(claims.get("credentialSubject"))
    issuer = claims.get("issuer")
    issuer_id = issuer.get("id") if isinstance(issuer, dict) else issuer
    begins, ends = _moment(claims.get("validFrom")), _moment(claims.get("validUntil"))
    fits = (
        "VerifiableCredential" in named
        and bool(named & _CREDENTIAL_TYPES)
        and claims.get("iss") == issuer_id
        and claims.get("jti") == claims.get("id")
        and claims.get("sub") == subject.get("id")
        and begins is not None
        and claims.get("nbf") == int(begins.timestamp())
        and ("validUntil" not in claims or ends is not None)
        and ("exp" not in claims or (ends and claims["exp"] == int(ends.timestamp())))
        and isinstance(subject.get("achievement"), dict)
    )
    if not fits:
        raise _NoVerdictError(Verdict.TAMPERED, "What is signed contradicts itself.")


def _check_dates(claims: Mapping[str, Any]) -> None:
    now = clock.now()
    begins, ends = _moment(claims.get("validFrom")), _moment(claims.get("validUntil"))
    if ends is not None and ends <= now:
        raise _NoVerdictError(Verdict.EXPIRED, "")
    if begins is not None and begins > now:
        raise _NoVerdictError(Verdict.NOT_YET, "")


def _own_credential(claims: Mapping[str, Any]) -> Credential:
    credential = _row_of(claims, True)
    if credential is None:
        raise _NoVerdictError(Verdict.REVOKED, "It is not on record here any more.")
    if credential.state is CredentialState.REVOKED:
        raise _NoVerdictError(Verdict.REVOKED, "")
    return credential


def _row_of(claims: Mapping[str, Any], is_ours: bool) -> Credential | None:
    if not is_ours or not claims:
        return None
    public_id = str(claims.get("id", "")).removeprefix(addresses.credential_url(""))
    return db.session.scalar(select(Credential).where(Credential.public_id == public_id))


def _check_foreign_status(claims: Mapping[str, Any], fetching: Fetching) -> None:
    """Whether the issuer's own list revokes it; one that does not answer leaves that open."""
    status = claims.get("credentialStatus")
    entries = status if isinstance(status, list) else [status] if status else []
    if len(entries) > _MOST_STATUSES:
        raise _NoVerdictError(Verdict.UNCHECKED, "It names more lists than are looked at here.")
    for entry in entries:
        kind = entry.get("type") if isinstance(entry, dict) else None
        check = _STATUS_KINDS.get(str(kind))
        if check is None:
            raise _NoVerdictError(Verdict.UNCHECKED, "How it is revoked is not known here.")
        try:
            is_revoked = check(entry, claims, fetching)
        except (ForeignIssuerError, UnreadableTokenError, BadSignatureError) as error:
            raise _NoVerdictError(Verdict.UNCHECKED, str(error)) from None
        except (status_list.NotAListError, ValueError, TypeError, RecursionError):
            raise _NoVerdictError(
                Verdict.UNCHECKED, "The issuer’s list of revoked credentials cannot be read."
            ) from None
        if is_revoked:
            raise _NoVerdictError(Verdict.REVOKED, "")


def _by_bitstring(entry: Mapping[str, Any], claims: Mapping[str, Any], fetching: Fetching) -> bool:
    if entry.get("statusPurpose") not in {"revocation", "suspension"}:
        return False
    issuer = str(claims["iss"])
    address = str(entry.get("statusListCredential", ""))
    listed = read_token(fetching.list_at(issuer, address))
    found = verified_claims(listed, fetching.key(issuer, listed.kid))
    if found.get("iss") != issuer or found.get("id") != address:
        raise BadSignatureError("The list of revoked credentials is another issuer’s.")
    subject = _dict(found.get("credentialSubject"))
    return status_list.is_set(
        str(subject.get("encodedList", "")), int(str(entry.get("statusListIndex", ""))[:12])
    )


def _by_revocation_list(
    entry: Mapping[str, Any], claims: Mapping[str, Any], fetching: Fetching
) -> bool:
    found = json.loads(fetching.list_at(str(claims["iss"]), str(entry.get("id", ""))))
    revoked = _dict(found).get("revokedCredential")
    return any(
        isinstance(each, dict)
        and each.get("id") == claims.get("id")
        and each.get("revoked", True) is not False
        for each in (revoked if isinstance(revoked, list) else [])
    )


_StatusCheck = Callable[[Mapping[str, Any], Mapping[str, Any], Fetching], bool]
_STATUS_KINDS: dict[str, _StatusCheck] = {
    "BitstringStatusListEntry": _by_bitstring,
    "1EdTechRevocationList": _by_revocation_list,
}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
