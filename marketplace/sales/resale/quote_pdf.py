"""A quote as PDF: what the customer is offered, and nothing of the reseller's own sums."""

from flask import current_app

from billing.formatting import format_money
from billing.models import ResaleQuote
from marketplace.catalogue.models import Listing
from marketplace.core.pdf import PdfDocument
from marketplace.identity.models import Organization
from marketplace.sales.resale.texts import BILLING


def quote_pdf(
    quote: ResaleQuote, listing: Listing | None, reseller: Organization, customer: Organization
) -> bytes:
    """The file. The same quote gives the same bytes."""
    made_at = quote.sent_at or quote.created_at
    plan = quote.agreement.plan
    unit = format_money(quote.unit_amount, quote.currency)
    total = format_money(quote.unit_amount * quote.quantity, quote.currency)
    document = PdfDocument(
        f"Quote for {customer.name}",
        made_at=made_at,
        site_name=str(current_app.config["SITE_NAME"]),
        subtitle=f"By {reseller.name}",
    )
    document.pairs(
        [
            ("Quote", quote.public_id),
            ("From", reseller.name),
            ("To", customer.name),
            ("Date", _day(made_at)),
            ("Valid until", _day(quote.expires_at)),
        ]
    )
    if quote.message:
        document.heading("Message")
        document.paragraph(quote.message)
    name = f"{listing.name}: {plan.name}" if listing else plan.name
    document.table(
        ("Item", "Paid", "Price of one", "Quantity", "Amount"),
        [
            (name, BILLING[plan.billing], unit, str(quote.quantity), total),
            ("Sum without tax", "", "", "", total),
        ],
        widths=(6, 2, 3, 2, 3),
        numeric=(2, 3, 4),
        totals=1,
    )
    document.paragraph(
        "Tax is added at the checkout, by where you are. Accept the quote in your account: "
        f"{current_app.config['PUBLIC_URL']}/organizations/{customer.slug}/quotes",
        muted=True,
    )
    return document.bytes()


def _day(moment: object) -> str:
    return f"{moment:%d %b %Y}"
