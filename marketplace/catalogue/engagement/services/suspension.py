"""Hiding listings and publishers, showing them again, and telling everybody concerned."""

from sqlalchemy import func, select

from marketplace.catalogue.changes import listing_changed, publisher_changed
from marketplace.catalogue.content import clean_text
from marketplace.catalogue.engagement.links import absolute, case_url, listing_url
from marketplace.catalogue.engagement.queries.cases import addresses_to_warn
from marketplace.catalogue.engagement.queries.people import member_addresses
from marketplace.catalogue.engagement.services.counters import lock_listing
from marketplace.catalogue.models import AbuseCase, CaseState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import enqueue
from marketplace.core.mail import send_mail
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization

WARN_USERS = "engagement.warn_users"
PUBLISHER_ROLES = ("owner", "admin", "editor")


def hide_listing(actor: Actor, case: AbuseCase) -> None:
    """Suspend the case's listing for the case's reason; publisher and users are told."""
    listing = case.listing
    lock_listing(listing.id)
    db.session.refresh(listing, ["suspended_at"])
    if listing.suspended_at is None:
        listing.suspended_at = clock.now()
        listing.suspended_reason = case.decision_reason
        _fact("listing.suspended", listing.id, actor, reason=case.decision_reason)
        enqueue(WARN_USERS, {"case_id": case.id})
    for address in member_addresses(listing.publisher_id, PUBLISHER_ROLES):
        send_mail(
            address,
            f"{listing.name} is suspended ({case.number})",
            f"Our team suspended {listing.name}. Nobody can find or open its page until it is "
            f"reinstated.\n\nReason: {case.decision_reason}\n\n"
            "If you think that this is a mistake, or when you have put it right, an owner or admin "
            f"can appeal here. Somebody else of our team decides:\n{case_url(case.number)}\n",
        )
    db.session.flush()
    listing_changed(listing.id)


def show_listing_unless_suspended_otherwise(actor: Actor, case: AbuseCase, reason: str) -> bool:
    """End the listing's suspension unless another case holds it; whether it is shown again."""
    listing = case.listing
    lock_listing(listing.id)
    others = db.session.scalar(
        select(func.count())
        .select_from(AbuseCase)
        .where(
            AbuseCase.listing_id == listing.id,
            AbuseCase.id != case.id,
            AbuseCase.state == CaseState.SUSPENDED,
        )
    )
    shown = not others
    if shown:
        listing.suspended_at, listing.suspended_reason = None, None
        _fact("listing.reinstated", listing.id, actor, reason=reason)
    for address in member_addresses(listing.publisher_id, PUBLISHER_ROLES):
        send_mail(
            address,
            f"{listing.name} is reinstated ({case.number})"
            if shown
            else f"Case {case.number} about {listing.name} is closed",
            (
                f"Our team reinstated {listing.name}: {listing_url(listing.slug)}\n"
                if shown
                else f"The suspension by case {case.number} has ended. {listing.name} stays "
                "suspended because of another case.\n"
            )
            + f"\nReason: {reason}\n",
        )
    db.session.flush()
    listing_changed(listing.id)
    return shown


def warn_users(case_id: int) -> int:
    """Tell followers and the owners and admins of organizations that use a suspended listing.

    Everybody once, however many reasons there are to be told; how many mails. Nobody is told
    when the listing was reinstated in the meantime.
    """
    case = db.session.get(AbuseCase, case_id)
    if case is None or case.state is not CaseState.SUSPENDED or case.listing.suspended_at is None:
        return 0
    addresses = addresses_to_warn(case.listing_id, case.listing.publisher_id)
    for address in addresses:
        send_mail(
            address,
            f"{case.listing.name} was suspended",
            f"You follow {case.listing.name} by {case.listing.publisher.name}, or your "
            "organization uses it. Our team suspended it.\n\n"
            f"Reason: {case.decision_reason}\n\n"
            "If it has access to your data, consider taking that access back until it is "
            f"reinstated.\n\nWhat your organization uses: {absolute('/account/listings')}\n",
        )
    return len(addresses)


def suspend_publisher(actor: Actor, publisher: Organization, reason: str) -> None:
    """Hide a publisher with all its listings, for a reason that its people read.

    Raises InvalidError without a reason, ConflictError when it is suspended already.
    """
    reason = clean_text(reason)
    if not 5 <= len(reason) <= 2_000:
        raise InvalidError({"reason": "Give the reason in 5 to 2,000 characters."})
    db.session.refresh(publisher, ["suspended_at"], with_for_update=True)
    if publisher.suspended_at is not None:
        raise ConflictError("This publisher is suspended already.")
    publisher.suspended_at, publisher.suspended_reason = clock.now(), reason
    record_fact(
        "publisher.suspended",
        subject=("organization", publisher.id),
        actor_user_id=actor.user_id,
        organization_id=publisher.id,
        data={"reason": reason},
    )
    for address in member_addresses(publisher.id, PUBLISHER_ROLES):
        send_mail(
            address,
            f"{publisher.name} is suspended",
            f"Our team suspended {publisher.name}. Its page and all its listings are hidden until "
            f"it is reinstated.\n\nReason: {reason}\n\n"
            "If you think that this is a mistake, reply to this message.\n",
        )
    db.session.flush()
    publisher_changed(publisher.id)


def reinstate_publisher(actor: Actor, publisher: Organization) -> None:
    """Show a publisher and its listings again. Repeating it is harmless."""
    db.session.refresh(publisher, ["suspended_at"], with_for_update=True)
    if publisher.suspended_at is None:
        return
    publisher.suspended_at, publisher.suspended_reason = None, None
    record_fact(
        "publisher.reinstated",
        subject=("organization", publisher.id),
        actor_user_id=actor.user_id,
        organization_id=publisher.id,
    )
    for address in member_addresses(publisher.id, PUBLISHER_ROLES):
        send_mail(
            address,
            f"{publisher.name} is reinstated",
            f"Our team reinstated {publisher.name}. Its page and its listings can be found again: "
            f"{absolute(f'/partners/{publisher.slug}')}\n",
        )
    db.session.flush()
    publisher_changed(publisher.id)


def _fact(kind: str, listing_id: int, actor: Actor, **data: object) -> None:
    record_fact(kind, subject=("listing", listing_id), actor_user_id=actor.user_id, data=dict(data))
