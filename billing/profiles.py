"""What an organization's invoices say of it."""

import re
from dataclasses import asdict, dataclass

from billing.models import BillingProfile
from billing.order_terms import Buyer
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new

LIMITS = {
    "legal_name": 120,
    "email": 254,
    "address_line": 200,
    "city": 80,
    "postal_code": 20,
    "tax_id": 30,
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TAX_ID = re.compile(r"[A-Z0-9]{4,30}")


@dataclass(frozen=True)
class ProfileValues:
    """What was typed."""

    legal_name: str = ""
    email: str = ""
    address_line: str = ""
    city: str = ""
    postal_code: str = ""
    country: str | None = None
    tax_id: str = ""


def profile_of(organization_id: int) -> BillingProfile | None:
    """An organization's billing profile."""
    return db.session.get(BillingProfile, organization_id)


def buyer_of(organization_id: int, user_id: int | None) -> Buyer:
    """The organization as a buyer, with what its profile says now."""
    profile = profile_of(organization_id)
    if profile is None:
        return Buyer(organization_id, user_id)
    values = values_of(profile)
    return Buyer(
        organization_id=organization_id,
        user_id=user_id,
        billing_details=asdict(values),
        country=profile.country,
        tax_id=profile.tax_id,
    )


def values_of(profile: BillingProfile) -> ProfileValues:
    """A profile's values."""
    return ProfileValues(
        profile.legal_name,
        profile.email,
        profile.address_line,
        profile.city,
        profile.postal_code,
        profile.country,
        profile.tax_id,
    )


def checked(values: ProfileValues, countries: frozenset[str]) -> ProfileValues:
    """The values as they are kept. `countries` are the codes that can be chosen. Raises
    InvalidError with a message for each field that is wrong."""
    cleaned = {name: " ".join(getattr(values, name).split()) for name in LIMITS}
    cleaned["tax_id"] = re.sub(r"[\s.\-]", "", cleaned["tax_id"]).upper()
    wrong = {
        name: f"At most {most} characters."
        for name, most in LIMITS.items()
        if len(cleaned[name]) > most
    }
    if not cleaned["legal_name"]:
        wrong["legal_name"] = "Give the name that stands on the invoice."
    if not _EMAIL.fullmatch(cleaned["email"]):
        wrong.setdefault("email", "Give an e-mail address for receipts.")
    if values.country not in countries:
        wrong["country"] = "Choose a country: it decides the tax."
    if cleaned["tax_id"] and not _TAX_ID.fullmatch(cleaned["tax_id"]):
        wrong.setdefault("tax_id", "A tax ID has letters and digits only.")
    if wrong:
        raise InvalidError(wrong)
    return ProfileValues(country=values.country, **cleaned)


def save_profile(organization_id: int, values: ProfileValues, *, by_user_id: int | None) -> None:
    """Keep checked values. What was invoiced before keeps what it says."""
    insert_if_new(BillingProfile, organization_id=organization_id)
    profile = db.session.get_one(BillingProfile, organization_id)
    if values_of(profile) == values:
        return
    for name, value in asdict(values).items():
        setattr(profile, name, value)
    db.session.flush()
    record_fact(
        "billing_profile.changed",
        subject=("organization", organization_id),
        organization_id=organization_id,
        actor_user_id=by_user_id,
        data={"country": values.country, "has_tax_id": bool(values.tax_id)},
    )
