"""What a partner registers, and what is wrong with it. Nothing is written here."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from billing.money import CURRENCIES, MAX_AMOUNT
from marketplace.catalogue.content import clean_text
from marketplace.core.errors import InvalidError
from marketplace.identity.models import Organization
from marketplace.pipeline.leads.normalizing import normal_domain
from marketplace.program.onboarding.domains import (
    domain_of_website,
    is_free_mail,
    registrable_domain,
)

# The most that a deal can be worth, in minor units.
MOST_WORTH = 100 * MAX_AMOUNT


@dataclass(frozen=True)
class DealTerms:
    """What is registered. `amount` in minor units; `customer` a domain or a web address."""

    title: str
    customer_name: str
    customer: str
    amount: int | None
    currency: str
    listing_id: int | None = None
    product: str = ""
    close_on: date | None = None
    description: str = ""


def check_terms(terms: DealTerms, organization: Organization) -> dict[str, Any]:
    """What a deal's columns are by these terms. Raises InvalidError with messages by field."""
    errors: dict[str, str] = {}
    texts = {}
    for name, most, wanted in (
        ("title", 120, "Give the deal a name."),
        ("customer_name", 120, "Enter the customer's name."),
        ("product", 120, ""),
    ):
        text = " ".join(clean_text(str(getattr(terms, name))).split())
        if not text and wanted:
            errors[name] = wanted
        if len(text) > most:
            errors[name] = f"Use at most {most} characters."
        texts[name] = text
    domain = normal_domain(terms.customer[:2_000])
    if not domain:
        errors["customer"] = "Enter the customer's domain, like example.com."
    elif is_free_mail(domain):
        errors["customer"] = "This is a mail provider's domain. Enter the customer's own."
    elif not registrable_domain(domain):
        errors["customer"] = "Many have a domain below this one. Enter the customer's own."
    elif registrable_domain(domain) == domain_of_website(organization.website or ""):
        errors["customer"] = "This is your own domain. Enter the customer's."
    if terms.listing_id is None and not texts["product"]:
        errors["product"] = "Choose a listing, or name the product."
    if terms.currency not in CURRENCIES:
        errors["currency"] = "Choose a currency."
    if terms.amount is None or not 0 < terms.amount <= MOST_WORTH:
        errors["amount"] = "Enter what the deal is worth."
    if terms.close_on is not None and not 2_000 <= terms.close_on.year <= 2_100:
        errors["close_on"] = "Choose a day in this century."
    description = clean_text(terms.description)
    if len(description) > 4_000:
        errors["description"] = "Use at most 4,000 characters."
    if errors:
        raise InvalidError(errors)
    return {
        **texts,
        "product": "" if terms.listing_id is not None else texts["product"],
        "customer_domain": domain,
        "listing_id": terms.listing_id,
        "amount": terms.amount,
        "currency": terms.currency,
        "close_on": terms.close_on,
        "description": description,
    }
