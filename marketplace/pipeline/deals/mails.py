"""What partners and staff are written about deals."""

from collections.abc import Sequence

from flask import current_app
from sqlalchemy import select

from billing.formatting import format_money
from marketplace.core.database import db
from marketplace.core.mail import send_mail
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User
from marketplace.pipeline.deals.models import CreditSplit, Deal, DealClaim, DealState
from marketplace.pipeline.leads.mails import people_of

MOST_LINES = 20


def tell_decided(deal: Deal) -> None:
    """Tell the partner what staff decided."""
    if deal.state is DealState.APPROVED:
        text = f"“{deal.title}” is approved. The customer is protected for you."
        subject = "Your deal is approved"
    else:
        text = f"“{deal.title}” was not approved: {deal.decision_reason}"
        subject = "Your deal was not approved"
    _tell(deal.organization_id, subject, text, f"/partner/deals/{deal.public_id}")


def remind_of_end(deal: Deal, claim: DealClaim) -> None:
    """Tell the partner that the protection ends soon, and what can be done."""
    day = f"{claim.protected_until:%d %b %Y}" if claim.protected_until else ""
    more = (
        "It was extended before and cannot be extended again."
        if claim.extended_at is not None
        else "You can extend it once, with a reason."
    )
    _tell(
        deal.organization_id,
        f"The protection of a deal ends on {day}",
        f"“{deal.title}” is protected for you until {day} (UTC). {more} A deal that is won counts.",
        f"/partner/deals/{deal.public_id}",
    )


def tell_expired(deal: Deal) -> None:
    """Tell the partner that the protection has ended."""
    _tell(
        deal.organization_id,
        "The protection of a deal has ended",
        f"The protection of “{deal.title}” has ended. Others can register the customer now.",
        f"/partner/deals/{deal.public_id}",
    )


def tell_undecided(deal: Deal) -> None:
    """Tell the partner that nobody decided about its registration."""
    _tell(
        deal.organization_id,
        "Nobody decided about your deal in time",
        f"Nobody decided about “{deal.title}” in time; we are sorry. The registration has ended, "
        "and the customer is free for everybody. You can register it again.",
        f"/partner/deals/{deal.public_id}",
    )


def remind_staff(deals: Sequence[Deal]) -> None:
    """Tell who decides which registrations end soon."""
    shown = deals[:MOST_LINES]
    lines = [f"- {deal.title}, by {deal.decide_by:%d %b %Y}" for deal in shown]
    if len(deals) > len(shown):
        lines.append(f"- and {len(deals) - len(shown)} more")
    people = db.session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(
            Organization.kind == OrganizationKind.PLATFORM,
            Membership.role == Role.PROGRAM_MANAGER,
            User.email.is_not(None),
            User.deactivated_at.is_(None),
        )
        .order_by(User.id)
    )
    text = (
        "These registrations of deals wait for a decision. What nobody decides ends by itself, and "
        "the partner loses its claim:\n\n" + "\n".join(lines)
    )
    for person in people:
        _send(person, "Deals that wait for a decision", text, "/staff/deals?show=to_decide")


def tell_split(deal: Deal, split: CreditSplit) -> None:
    """Tell each partner what it was credited."""
    for credit in split.credits:
        amount = format_money(credit.amount, split.currency)
        _tell(
            credit.organization_id,
            f"Credit for a won deal: {amount}",
            f"You are credited {amount} for a won deal ({credit.kind.value}).",
            "/partner/deals/credits",
        )


def _tell(organization_id: int, subject: str, text: str, path: str) -> None:
    for person in people_of(organization_id):
        _send(person, subject, text, path)


def _send(person: User, subject: str, text: str, path: str) -> None:
    if person.email:
        site = str(current_app.config["SITE_NAME"])
        address = f"{current_app.config['PUBLIC_URL']}{path}"
        send_mail(person.email, subject, f"Hello {person.name},\n\n{text}\n\n{address}\n\n{site}")
