"""What is signed: Open Badges 3.0 credentials, the status list, the issuer's profile.

The names are those of the Open Badges 3.0 data model and of VC Data Model 2.0. A credential is a
VC-JWT: the payload is the credential itself with `iss`, `jti`, `sub`, `nbf` and `exp` beside it
(Open Badges 3.0, section 8.2).
"""

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from joserfc import jwt
from joserfc.jwk import RSAKey

from marketplace.accreditation.credentials import addresses, status_list
from marketplace.accreditation.credentials.keys import ALGORITHM, current_key
from marketplace.accreditation.credentials.models import Credential

VC_CONTEXT = "https://www.w3.org/ns/credentials/v2"
OB_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OB_SCHEMA = (
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
)
# How long others may keep a status list, in milliseconds.
STATUS_TTL_MS = 300_000


def timestamp(at: datetime) -> str:
    """A moment as these documents write it: UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def issuer_profile() -> dict[str, Any]:
    """Who issues, as it is inside of every credential."""
    return {
        "id": addresses.issuer_id(),
        "type": ["Profile"],
        "name": str(current_app.config["SITE_NAME"]),
        "url": addresses.base_url(),
    }


def credential_document(credential: Credential, email: str | None) -> dict[str, Any]:
    """The unsigned credential. A person's address is in it as a salted hash alone."""
    identifiers = [_identifier("name", credential.recipient_name)]
    if email:
        identifiers.insert(0, _hashed_identifier("emailAddress", email))
    subject: dict[str, Any] = {
        "id": f"urn:uuid:{uuid.uuid4()}",
        "type": ["AchievementSubject"],
        "identifier": identifiers,
        "achievement": {
            "id": achievement_id(credential.achievement),
            "type": ["Achievement"],
            "name": credential.title,
            "description": credential.description or credential.title,
            "criteria": {"narrative": credential.criteria or credential.description},
        },
    }
    number, place = status_list.place_of(credential.id)
    document: dict[str, Any] = {
        "@context": [VC_CONTEXT, OB_CONTEXT],
        "id": addresses.credential_url(credential.public_id),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": credential.title,
        "issuer": issuer_profile(),
        "validFrom": timestamp(credential.issued_at),
        "credentialSubject": subject,
        "credentialSchema": [{"id": OB_SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
        "credentialStatus": {
            "id": f"{addresses.status_list_url(number)}#{place}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(place),
            "statusListCredential": addresses.status_list_url(number),
        },
    }
    if credential.expires_at is not None:
        document["validUntil"] = timestamp(credential.expires_at)
    evidence = [_evidence(each) for each in credential.evidence]
    if evidence:
        document["evidence"] = evidence
    return document


def status_document(number: int, places: list[int], at: datetime) -> dict[str, Any]:
    """The unsigned status list: the places of revoked credentials are set."""
    address = addresses.status_list_url(number)
    return {
        "@context": [VC_CONTEXT],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": addresses.issuer_id(),
        "validFrom": timestamp(at),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": status_list.encode(places),
            "ttl": STATUS_TTL_MS,
        },
    }


def sign_document(document: Mapping[str, Any], **claims: Any) -> str:
    """The document as a VC-JWT by the current key, with more claims beside it."""
    row, key = current_key()
    return sign_with(document, key, addresses.key_url(row.kid), **claims)


def sign_with(document: Mapping[str, Any], key: RSAKey, kid: str, **claims: Any) -> str:
    """The document as a VC-JWT: the registered claims repeat what it says."""
    issuer = document["issuer"]
    subject = document["credentialSubject"]
    payload: dict[str, Any] = {
        **document,
        "iss": issuer["id"] if isinstance(issuer, dict) else issuer,
        "jti": document["id"],
        "sub": subject["id"],
        "nbf": _numeric_date(document["validFrom"]),
        **claims,
    }
    if "validUntil" in document:
        payload["exp"] = _numeric_date(document["validUntil"])
    header = {"alg": ALGORITHM, "kid": kid, "typ": "JWT"}
    return jwt.encode(header, payload, key, algorithms=[ALGORITHM])


def achievement_id(achievement: str) -> str:
    """A stable URI of an achievement of this installation."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, addresses.issuer_id() + '#' + achievement)}"


def identity_hash(value: str, salt: str) -> str:
    """An IdentityHash of Open Badges 3.0: SHA-256 of the value followed by the salt."""
    return "sha256$" + hashlib.sha256((value + salt).encode()).hexdigest()


def _identifier(kind: str, value: str) -> dict[str, Any]:
    return {
        "type": "IdentityObject",
        "hashed": False,
        "identityHash": value,
        "identityType": kind,
    }


def _hashed_identifier(kind: str, value: str) -> dict[str, Any]:
    salt = secrets.token_hex(8)
    return {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": identity_hash(value.strip().lower(), salt),
        "identityType": kind,
        "salt": salt,
    }


def _evidence(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A piece of evidence: what is known of id, name, narrative, description and genre."""
    known = ("id", "name", "narrative", "description", "genre", "audience")
    return {"type": ["Evidence"], **{key: str(entry[key]) for key in known if entry.get(key)}}


def _numeric_date(text: str) -> int:
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
