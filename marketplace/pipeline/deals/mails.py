"""What partners are written about deals."""

from flask import current_app

from billing.formatting import format_money
from marketplace.core.mail import send_mail
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User
from marketplace.pipeline.deals.models import CreditSplit, Deal, DealClaim, DealState
from marketplace.pipeline.leads.mails import people_of


def tell_decided(deal: Deal) -> None:
    """Tell the partner what staff decided."""
    if deal.state is DealState.APPROVED:
        text = f"“{deal.title}” is approved. The customer is protected for you."
        subject = "Your deal is approved"
    else:
        text = f"“{deal.title}” was not approved: {deal.decision_reason}"
        subject = "Your deal was not approved"
    _tell(deal.organization_id, subject, text, f"/partner/deals/{deal.public_id}")


def tell_expired(deal: Deal) -> None:
    """Tell the partner that the protection has ended."""
    _tell(
        deal.organization_id,
        "The protection of a deal has ended",
        f"The protection of “{deal.title}” has ended. Others can register the customer now.",
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


        f"/partner/deals/{deal.public_id}",
    )


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
    site = str(current_app.config["SITE_NAME"])
    address = f"{current_app.config['PUBLIC_URL']}{path}"
    for person in people_of(organization_id):
        if person.email:
            send_mail(
                person.email, subject, f"Hello {person.name},\n\n{text}\n\n{address}\n\n{site}"
            )
