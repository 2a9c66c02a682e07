"""The forms. Limits are checked by the services; here they shape the fields."""

from datetime import UTC, date, datetime, time

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from billing.models import DiscountKind, PlanBilling
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.forms import choices_of
from marketplace.sales.currencies import CURRENCY_CHOICES
from marketplace.sales.money_field import MoneyField, PercentField

BILLING_LABELS = {
    PlanBilling.FREE.value: "Free",
    PlanBilling.ONE_TIME.value: "Once",
    PlanBilling.MONTHLY.value: "Monthly",
    PlanBilling.YEARLY.value: "Yearly",
}
KIND_LABELS = {DiscountKind.PERCENT.value: "Percentage", DiscountKind.FIXED.value: "Fixed amount"}
LASTS_LABELS = {
    "once": "The first payment",
    "some": "The first payments",
    "always": "Every payment",
}


def currencies() -> list[SelectChoice]:
    """The currencies that can be chosen."""
    return choices_of(CURRENCY_CHOICES)


def day_begins(day: date | None) -> datetime | None:
    """The beginning of a typed day, in UTC."""
    return datetime.combine(day, time(), UTC) if day else None


class PlanForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A plan's words."""

    name = StringField("Name", description="Such as Starter or Pro.")
    description = TextAreaField("What it includes", description="One point on each line.")
    trial_days = IntegerField(
        "Trial", [Optional()], description="Days before the first payment. For subscriptions."
    )


class NewPlanForm(PlanForm):
    """A new plan, with how it is paid and its first price."""

    billing = RadioField("How it is paid", choices=BILLING_LABELS, validate_choice=False)
    is_per_seat = BooleanField(
        "Priced for each seat", description="Customers choose how many seats they need."
    )
    currency = SelectField(
        "Currency", choices=lambda: choices_of(CURRENCY_CHOICES), validate_choice=False
    )
    price = MoneyField("Price", description="Without tax.")


class PriceForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A new version of a price."""

    currency = SelectField(
        "Currency", choices=lambda: choices_of(CURRENCY_CHOICES), validate_choice=False
    )
    price = MoneyField("Price", description="Without tax.")
    effective_from = DateField(
        "From", [Optional()], description="The day it begins (UTC). Now, when empty."
    )


class DiscountForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A discount."""

    name = StringField("Name", description="Customers see it beside the amount.")
    kind = RadioField("It takes off", choices=KIND_LABELS, validate_choice=False)
    bps = PercentField("Percentage")
    amount = MoneyField("Amount")
    currency = SelectField(
        "Currency", choices=lambda: choices_of(CURRENCY_CHOICES), validate_choice=False
    )
    lasts = RadioField("Of a subscription", choices=LASTS_LABELS, validate_choice=False)
    months = IntegerField("How many payments", [Optional()])
    is_automatic = BooleanField(
        "Automatic", description="Whoever fits has it, without typing a code."
    )
    is_stackable = BooleanField(
        "Adds up with others",
        description="Otherwise it counts alone, when it is the best one.",
    )
    plan_ids = SelectMultipleField("Plans", coerce=int, validate_choice=False)
    listings = TextAreaField(
        "Listings",
        description="The ends of their addresses, such as tide-tables, one on each line. "
        "Empty: all.",
    )
    tiers = SelectMultipleField("Tiers", validate_choice=False)
    minimum = MoneyField("Smallest order", description="Without tax, in the currency above.")
    max_uses = IntegerField("Uses in all", [Optional()])
    max_uses_each = IntegerField("Uses by one organization", [Optional()])
    starts_at = DateField("From", [Optional()], description="Now, when empty.")
    ends_at = DateField("Until", [Optional()], description="Its last day is the one before.")
    code = StringField("Code", description="3 to 40 letters and digits. Capitals do not matter.")


class CodeForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Another code."""

    code = StringField("Code", description="We make one up when it is empty.")
    max_uses = IntegerField("Uses", [Optional()])
    expires_at = DateField(
        "Until", [Optional()], description="Its last day is the one before (UTC)."
    )


class TaxForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A tax rate."""

    country = SelectField(
        "Country",
        choices=lambda: choices_of([("", "Choose one"), *COUNTRIES.items()]),
        validate_choice=False,
    )
    name = StringField("Name", description="As invoices call it, such as VAT.")
    bps = PercentField("Rate")
    has_reverse_charge = BooleanField(
        "Reverse charge",
        description="A business with a tax ID in another country than ours owes it itself.",
    )
    effective_from = DateField(
        "From", [Optional()], description="The day it begins (UTC). Now, when empty."
    )
