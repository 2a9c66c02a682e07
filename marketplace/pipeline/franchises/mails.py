"""What partners are written about territories and royalties."""

from flask import current_app

from billing.formatting import format_money
from marketplace.core.mail import send_mail
from marketplace.pipeline.franchises.models import RoyaltyInvoice, TerritoryGrant
from marketplace.pipeline.franchises.overlap import words_of
from marketplace.sales.affiliates.queries.people import money_people


def tell_granted(grant: TerritoryGrant) -> None:
    """Tell the partner what it holds."""
    areas = "\n".join(f"- {words_of(each.country, each.prefix)}" for each in grant.areas)
    _tell(
        grant.organization_id,
        "You hold a territory",
        f"From {grant.starts_at:%d %b %Y} leads from these places come to you first:\n\n{areas}",
        "/partner/territories",
    )


def tell_ended(grant: TerritoryGrant) -> None:
    """Tell the partner that it has ended."""
    _tell(
        grant.organization_id,
        "Your territory has ended",
        f"Your territory has ended: {grant.end_reason}",
        "/partner/territories",
    )


def tell_invoiced(invoice: RoyaltyInvoice) -> None:
    """Tell the partner what it owes."""
    amount = format_money(invoice.amount, invoice.currency)
    _tell(
        invoice.organization_id,
        f"Royalty invoice {invoice.number}: {amount}",
        f"The royalty of {invoice.month} is {amount} without tax. You can pay it on its page.",
        f"/partner/territories/invoices/{invoice.public_id}",
    )


def tell_credited(note: RoyaltyInvoice) -> None:
    """Tell the partner what was taken back."""
    amount = format_money(note.amount, note.currency)
    _tell(
        note.organization_id,
        f"Credit note {note.number}: {amount}",
        f"{amount} of the royalty of {note.month} is credited: {note.reason}",
        f"/partner/territories/invoices/{note.public_id}",
    )


def _tell(organization_id: int, subject: str, text: str, path: str) -> None:
    site = str(current_app.config["SITE_NAME"])
    address = f"{current_app.config['PUBLIC_URL']}{path}"
    for person in money_people(organization_id):
        if person.email:
            send_mail(
                person.email, subject, f"Hello {person.name},\n\n{text}\n\n{address}\n\n{site}"
            )
