"""Filing authorizations, checking them, and their end."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.accreditation.acting import tell_managers
from marketplace.accreditation.authorizations.models import (
    Authorization,
    AuthorizationStatus,
    CheckState,
    ProcurementProfile,
)
from marketplace.accreditation.authorizations.schemes import LABELS
from marketplace.accreditation.certification.listings import listings_by_id
from marketplace.accreditation.events import accreditation_changed
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.seen import check_seen, digest_of
from marketplace.identity.models import Organization
from marketplace.identity.profiles import clean_email

MOST = 100
MOST_WORDS = 2_000
PAGE = "/partner/authorizations"


@dataclass(frozen=True)
class Claim:
    """What a partner types of an authorization."""

    listing_id: int | None
    level: str
    status: str
    sponsor: str
    evidence_url: str
    authorized_on: date | None
    expires_on: date | None


def save(
    organization: Organization,
    authorization: Authorization | None,
    claim: Claim,
    *,
    by_user_id: int | None,
) -> Authorization:
    """File an authorization, or change it: then it is checked again before it is public.

    Raises InvalidError, ConflictError.
    """
    errors = _errors(organization, claim)
    if errors or claim.listing_id is None:
        raise InvalidError(errors)
    lock_row(Organization, Organization.id == organization.id)
    was_public = False
    if authorization is None:
        count = db.session.scalar(
            select(func.count()).where(
                Authorization.organization_id == organization.id,
                Authorization.check != CheckState.WITHDRAWN,
            )
        )
        if (count or 0) >= MOST:
            raise ConflictError(f"{MOST} authorizations are the most.")
        authorization = Authorization(
            public_id=new_public_id("auth"), organization_id=organization.id
        )
        db.session.add(authorization)
    else:
        locked = lock_row(Authorization, Authorization.id == authorization.id)
        if locked is None or locked.check is CheckState.WITHDRAWN:
            raise ConflictError("This authorization was withdrawn.")
        authorization, was_public = locked, locked.check is CheckState.ACCEPTED
    authorization.listing_id, authorization.level = claim.listing_id, claim.level
    authorization.status = AuthorizationStatus(claim.status)
    authorization.sponsor = " ".join(claim.sponsor.split())
    authorization.evidence_url = claim.evidence_url.strip()
    authorization.authorized_on, authorization.expires_on = (
        claim.authorized_on,
        claim.expires_on,
    )
    authorization.check, authorization.remark = CheckState.SUBMITTED, ""
    authorization.submitted_at, authorization.submitted_by_id = clock.now(), by_user_id
    db.session.flush()
    _fact(authorization, "authorization.filed", by_user_id)
    if was_public:
        accreditation_changed(organization.id, "authorization")
    return authorization


def withdraw(authorization: Authorization, *, by_user_id: int | None) -> None:
    """Take it back; twice is as good as once."""
    locked = lock_row(Authorization, Authorization.id == authorization.id)
    if locked is None or locked.check is CheckState.WITHDRAWN:
        return
    locked.check = CheckState.WITHDRAWN
    db.session.flush()
    _fact(locked, "authorization.withdrawn", by_user_id)
    accreditation_changed(locked.organization_id, "authorization")


def shown_of(authorization: Authorization) -> str:
    """A short name for what a reviewer is shown of it."""
    return digest_of(
        (
            authorization.listing_id,
            authorization.level,
            authorization.status,
            authorization.sponsor,
            authorization.evidence_url,
            authorization.authorized_on,
            authorization.expires_on,
        )
    )


def accept(
    authorization: Authorization, *, by_user_id: int | None, seen: str | None = None
) -> None:
    """It is so, and public from now on. `seen`: what the reviewer was shown (`shown_of`).

    Raises ConflictError when it was decided, was changed since, or has run out meanwhile.
    """
    locked = _submitted(authorization)
    check_seen(seen, shown_of(locked))
    if locked.expires_on is not None and locked.expires_on < clock.now().date():
        raise ConflictError("It has run out meanwhile. Send it back.")
    locked.check, locked.remark = CheckState.ACCEPTED, ""
    locked.decided_at, locked.decided_by_id = clock.now(), by_user_id
    db.session.flush()
    _fact(locked, "authorization.accepted", by_user_id)
    accreditation_changed(locked.organization_id, "authorization")
    _tell(locked, "is public now", "Our team has checked it. Buyers find your listing by it.")


def send_back(authorization: Authorization, *, remark: str, by_user_id: int | None) -> None:
    """It could not be confirmed. Raises InvalidError, ConflictError."""
    words = _remark(remark)
    locked = _submitted(authorization)
    _return(locked, words, by_user_id)
    _fact(locked, "authorization.returned", by_user_id)
    _tell(locked, "needs something", f"Our team writes:\n\n{words}")


def revoke(authorization: Authorization, *, remark: str, by_user_id: int | None) -> None:
    """What was accepted does not hold: it is public no more, and waits for something better from
    its partner. Raises InvalidError, ConflictError when it is not public."""
    words = _remark(remark)
    locked = lock_row(Authorization, Authorization.id == authorization.id)
    if locked is None or locked.check is not CheckState.ACCEPTED:
        raise ConflictError("This authorization is not public any more.")
    _return(locked, words, by_user_id)
    _fact(locked, "authorization.revoked", by_user_id)
    accreditation_changed(locked.organization_id, "authorization")
    _tell(
        locked,
        "was taken back",
        f"Buyers do not find your listing by it any more. Our team writes:\n\n{words}",
    )


def expire(authorization: Authorization) -> None:
    """Its last day is over."""
    locked = lock_row(Authorization, Authorization.id == authorization.id)
    if locked is None or locked.check is not CheckState.ACCEPTED:
        return
    locked.check = CheckState.EXPIRED
    db.session.flush()
    _fact(locked, "authorization.expired", None)
    accreditation_changed(locked.organization_id, "authorization")
    _tell(locked, "has run out", "Buyers do not find your listing by it any more.")


def profile_of(organization_id: int) -> ProcurementProfile | None:
    """What the pack says of a company, if it said anything."""
    return db.session.scalar(
        select(ProcurementProfile).where(ProcurementProfile.organization_id == organization_id)
    )


def save_profile(
    organization: Organization, values: dict[str, str], *, by_user_id: int | None
) -> None:
    """Change what the pack says. Raises InvalidError."""
    limits = {
        "legal_name": 160,
        "registration_number": 80,
        "tax_id": 40,
        "address": 400,
        "security_contact": 120,
        "security_email": 254,
        "security_url": 500,
    }
    tidy = {name: values.get(name, "").replace("\r\n", "\n").strip() for name in limits}
    errors = {
        name: f"Use at most {most} characters."
        for name, most in limits.items()
        if len(tidy[name]) > most or "\x00" in tidy[name]
    }
    if tidy["security_email"] and clean_email(tidy["security_email"]) is None:
        errors["security_email"] = "Enter an e-mail address, like security@example.com."
    if tidy["security_url"] and not is_address(tidy["security_url"]):
        errors["security_url"] = "Enter a whole address, like https://example.com/security."
    if errors:
        raise InvalidError(errors)
    insert_if_new(
        ProcurementProfile, organization_id=organization.id, updated_at=clock.now(),
        **dict.fromkeys(limits, ""),
    )  # fmt: skip
    profile = lock_row(ProcurementProfile, ProcurementProfile.organization_id == organization.id)
    if profile is None:
        raise ConflictError("The organization is being removed.")
    for name, value in tidy.items():
        setattr(profile, name, value)
    db.session.flush()
    record_fact(
        "procurement_profile.changed",
        subject=("organization", organization.id),
        actor_user_id=by_user_id,
        organization_id=organization.id,
    )


def is_address(text: str) -> bool:
    """Whether it is a whole address on the web."""
    if len(text) > 500 or any(letter.isspace() or letter in "<>\"'\\" for letter in text):
        return False
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "." in host and parts.username is None


def _errors(organization: Organization, claim: Claim) -> dict[str, str]:
    errors = {}
    listing = listings_by_id([claim.listing_id]).get(claim.listing_id or 0)
    if listing is None or listing.organization_id != organization.id:
        errors["listing"] = "Choose one of your listings."
    if claim.level not in LABELS:
        errors["level"] = "Choose the scheme and level."
    if claim.status not in set(AuthorizationStatus):
        errors["status"] = "Choose where it stands."
    if len(claim.sponsor) > 120 or "\x00" in claim.sponsor:
        errors["sponsor"] = "Use at most 120 characters."
    if not is_address(claim.evidence_url.strip()):
        errors["evidence_url"] = "Enter the address where the authority says so."
    today = clock.now().date()
    if claim.status == AuthorizationStatus.AUTHORIZED and claim.authorized_on is None:
        errors["authorized_on"] = "Say since when it is authorized."
    if claim.authorized_on is not None and claim.authorized_on > today:
        errors["authorized_on"] = "This day lies ahead."
    if claim.expires_on is not None and claim.expires_on < today:
        errors["expires_on"] = "This day is over."
    return errors


def _remark(text: str) -> str:
    words = text.replace("\x00", "").strip()
    if not 1 <= len(words) <= MOST_WORDS:
        raise InvalidError({"remark": f"Say what is missing, in 1 to {MOST_WORDS:,} characters."})
    return words


def _return(locked: Authorization, words: str, by_user_id: int | None) -> None:
    locked.check, locked.remark = CheckState.RETURNED, words
    locked.decided_at, locked.decided_by_id = clock.now(), by_user_id
    db.session.flush()


def _submitted(authorization: Authorization) -> Authorization:
    locked = lock_row(Authorization, Authorization.id == authorization.id)
    if locked is None or locked.check is not CheckState.SUBMITTED:
        raise ConflictError("This was decided already.")
    return locked


def _fact(authorization: Authorization, kind: str, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("listing_authorization", authorization.id),
        actor_user_id=by_user_id,
        organization_id=authorization.organization_id,
        data={"level": authorization.level, "listing": authorization.listing_id},
    )


def _tell(authorization: Authorization, what: str, text: str) -> None:
    tell_managers(
        authorization.organization_id, f"{LABELS[authorization.level]} {what}", text, PAGE
    )
