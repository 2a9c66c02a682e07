"""Reports of abuse: reporting, investigating and deciding them."""

import re
import uuid

from sqlalchemy import select, update

from marketplace.catalogue.content import clean_text
from marketplace.catalogue.engagement.abuse_cases import REASONS, case_number, may_become
from marketplace.catalogue.engagement.links import listing_url
from marketplace.catalogue.engagement.services.suspension import (
    hide_listing,
    show_listing_unless_suspended_otherwise,
)
from marketplace.catalogue.models import AbuseCase, CaseState, Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.mail import send_mail
from marketplace.core.permissions import Actor
from marketplace.identity.models import User

MIN_DETAILS = 20
MAX_DETAILS = 4_000
MAX_REASON = 2_000
_EMAIL = re.compile(r"[^\s@<>\"',;:]{1,64}@[^\s@<>\"',;:]+\.[^\s@<>\"',;:]{2,}")


def report_listing(
    actor: Actor, listing: Listing, reason: str, details: str, email: str
) -> AbuseCase:
    """Report the listing. Somebody who is not signed in gives an address; the case, numbered.

    The reporter is mailed the number. Raises InvalidError at a field.
    """
    details, email = clean_text(details), email.strip()
    wrong: dict[str, str] = {}
    if reason not in REASONS:
        wrong["reason"] = "Choose what is wrong."
    if len(details) < MIN_DETAILS:
        wrong["details"] = f"Use at least {MIN_DETAILS} characters, so that we can look into it."
    elif len(details) > MAX_DETAILS:
        wrong["details"] = f"Use at most {MAX_DETAILS:,} characters; this has {len(details):,}."
    if actor.is_authenticated:
        # A reporter is written to at a confirmed address only; the case is taken either way.
        email = actor.email if _is_confirmed(actor) else ""
    elif len(email) > 254 or not _EMAIL.fullmatch(email):
        wrong["email"] = "Enter your address, like name@example.com."
    if wrong:
        raise InvalidError(wrong)
    case = open_case(actor, listing, reason, details, email)
    if email:
        send_mail(
            email,
            f"Your report about {listing.name}: {case.number}",
            f"Thank you for telling us about {listing.name}.\n\n"
            f"Your case number is {case.number}. Our team looks into it and writes to you when it "
            "has decided.\n" + (f"\nYou wrote:\n\n{details}\n" if actor.is_authenticated else ""),
            # Words of a stranger are not mailed to an address that nobody confirmed.
        )
    return case


def open_case(actor: Actor, listing: Listing, reason: str, details: str, email: str) -> AbuseCase:
    """A new case with its number, without any mail."""
    at = clock.now()
    case = AbuseCase(
        # Its number is made of its id, which the database gives; until then it is unique anyhow.
        number=uuid.uuid4().hex[:24],
        listing_id=listing.id,
        reporter_id=actor.user_id,
        reporter_email=email,
        reason=reason,
        details=details,
        created_at=at,
    )
    db.session.add(case)
    db.session.flush()
    case.number = case_number(at.year, case.id)
    db.session.flush()
    _fact("case.opened", case, actor, reason=reason)
    return case


def take_case(actor: Actor, case: AbuseCase) -> None:
    """Investigate it oneself; whoever had it before has it no longer. Raises ConflictError."""
    _lock(case)
    if case.assigned_to_id == actor.user_id and case.state is CaseState.INVESTIGATING:
        return
    _go(case, CaseState.INVESTIGATING)
    case.assigned_to_id = actor.user_id
    _fact("case.taken", case, actor)
    db.session.flush()


def dismiss_case(actor: Actor, case: AbuseCase, reason: str) -> None:
    """Do nothing, for a reason that the reporter reads. Raises InvalidError, ConflictError."""
    reason = checked_reason(reason)
    _lock(case)
    _go(case, CaseState.DISMISSED)
    _decide(actor, case, reason)
    _fact("case.dismissed", case, actor, reason=reason)
    _tell_reporter(
        case,
        f"We looked into your report about {case.listing.name} and do not act on it.\n\n"
        f"Reason: {reason}\n",
    )
    db.session.flush()


def suspend_for_case(actor: Actor, case: AbuseCase, reason: str) -> None:
    """Suspend the case's listing, for a reason that publisher, users and reporter read.

    Raises InvalidError, ConflictError.
    """
    reason = checked_reason(reason)
    _lock(case)
    _go(case, CaseState.SUSPENDED)
    _decide(actor, case, reason)
    _fact("case.suspended", case, actor, reason=reason)
    db.session.flush()
    hide_listing(actor, case)
    _tell_reporter(
        case, f"We suspended {case.listing.name} after your report. Thank you for telling us.\n"
    )


def suspend_listing(actor: Actor, listing: Listing, reason: str) -> AbuseCase:
    """Suspend a listing that nobody reported: opens a case, so that it can be appealed.

    Raises InvalidError, ConflictError when it is suspended already.
    """
    reason = checked_reason(reason)
    if listing.suspended_at is not None:
        raise ConflictError("This listing is suspended already.")
    case = open_case(actor, listing, "other", reason, "")
    suspend_for_case(actor, case, reason)
    return case


def reinstate_case(actor: Actor, case: AbuseCase, reason: str) -> None:
    """End the case's suspension, for a reason that the publisher reads.

    The listing stays suspended while another case suspends it. Raises InvalidError, ConflictError.
    """
    reason = checked_reason(reason)
    _lock(case)
    _go(case, CaseState.REINSTATED)
    _fact("case.reinstated", case, actor, reason=reason)
    db.session.flush()
    show_listing_unless_suspended_otherwise(actor, case, reason)


def checked_reason(reason: str) -> str:
    """The reason, cleaned. Raises InvalidError when it is too short or too long."""
    reason = clean_text(reason)
    if len(reason) < 5:
        raise InvalidError({"reason": "Give the reason in 5 characters or more."})
    if len(reason) > MAX_REASON:
        raise InvalidError(
            {"reason": f"Use at most {MAX_REASON:,} characters; this has {len(reason):,}."}
        )
    return reason


def lock_case(case: AbuseCase) -> None:
    """Hold the case until the transaction ends, and see what it has become."""
    _lock(case)


def _lock(case: AbuseCase) -> None:
    db.session.flush()
    db.session.execute(
        update(AbuseCase)
        .where(AbuseCase.id == case.id)
        .values(reason=AbuseCase.reason)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(case, ["state", "assigned_to_id", "decided_by_id", "decided_at"])


def _go(case: AbuseCase, then: CaseState) -> None:
    if not may_become(case.state, then):
        raise ConflictError(f"Somebody was faster: this case is {case.state.value} now.")
    case.state = then


def _decide(actor: Actor, case: AbuseCase, reason: str) -> None:
    case.decision_reason = reason
    case.decided_by_id = actor.user_id
    case.decided_at = clock.now()


def _is_confirmed(actor: Actor) -> bool:
    query = select(User.email_verified).where(User.id == actor.user_id)
    return bool(db.session.scalar(query))


def _tell_reporter(case: AbuseCase, text: str) -> None:
    if case.reporter_email:
        send_mail(
            case.reporter_email,
            f"Your report {case.number} is decided",
            f"{text}\nCase {case.number}: {listing_url(case.listing.slug)}\n",
        )


def _fact(kind: str, case: AbuseCase, actor: Actor, **data: object) -> None:
    record_fact(
        kind,
        subject=("case", case.id),
        actor_user_id=actor.user_id,
        data={"listing_id": case.listing_id, "number": case.number, **data},
    )
