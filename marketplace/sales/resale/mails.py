"""What publishers, resellers and customers are written."""

from flask import current_app

from billing.formatting import format_money
from billing.models import ResaleQuote, ResellerAgreement
from marketplace.core.mail import send_mail
from marketplace.sales.affiliates.queries.people import money_people, organizations_by_id


def tell_offered(agreement: ResellerAgreement) -> None:
    """Tell a reseller of an offer."""
    who = organizations_by_id([agreement.publisher_id])[agreement.publisher_id].name
    _tell(
        agreement.reseller_id,
        f"{who} offers you to resell {agreement.plan.name}",
        f"{who} offers that you resell {agreement.plan.name} above a floor price of "
        f"{format_money(agreement.floor_amount, agreement.currency)}.",
        _address(f"/partner/resale/agreements/{agreement.public_id}"),
    )


def tell_answered(agreement: ResellerAgreement) -> None:
    """Tell the publisher what the reseller answered."""
    who = organizations_by_id([agreement.reseller_id])[agreement.reseller_id].name
    answer = "accepted" if agreement.state.value == "active" else "declined"
    _tell(
        agreement.publisher_id,
        f"{who} {answer} your offer",
        f"{who} {answer} to resell {agreement.plan.name}.",
        _address(f"/partner/resale/agreements/{agreement.public_id}"),
    )


def tell_quoted(quote: ResaleQuote) -> None:
    """Tell a customer of a quote."""
    rows = organizations_by_id([quote.reseller_id, quote.customer_id])
    total = format_money(quote.unit_amount * quote.quantity, quote.currency)
    _tell(
        quote.customer_id,
        f"A quote by {rows[quote.reseller_id].name}",
        f"{rows[quote.reseller_id].name} quotes {quote.agreement.plan.name} to "
        f"{rows[quote.customer_id].name}: {total} without tax, valid until "
        f"{quote.expires_at:%d %b %Y}.",
        _address(f"/organizations/{rows[quote.customer_id].slug}/quotes/{quote.public_id}"),
    )


def tell_quote_answered(quote: ResaleQuote) -> None:
    """Tell the reseller what the customer answered."""
    who = organizations_by_id([quote.customer_id])[quote.customer_id].name
    answer = {"accepted": "accepted", "declined": "declined", "paid": "paid"}[quote.state.value]
    _tell(
        quote.reseller_id,
        f"{who} {answer} your quote",
        f"{who} {answer} your quote for {quote.agreement.plan.name}.",
        _address(f"/partner/resale/quotes/{quote.public_id}"),
    )


def _address(path: str) -> str:
    """An absolute address, also where there is no request."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def _tell(organization_id: int, subject: str, text: str, address: str) -> None:
    site = str(current_app.config["SITE_NAME"])
    for person in money_people(organization_id):
        if person.email:
            send_mail(
                person.email, subject, f"Hello {person.name},\n\n{text}\n\n{address}\n\n{site}"
            )
