"""The forms. Limits are checked by the services; here they shape the fields."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from marketplace.identity.countries import COUNTRIES
from marketplace.identity.forms import choices_of
from marketplace.sales.money_field import MoneyField


class ProfileForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What stands on invoices."""

    legal_name = StringField("Company name", render_kw={"autocomplete": "organization"})
    email = StringField("E-mail for receipts", render_kw={"autocomplete": "email", "type": "email"})
    address_line = StringField("Address", render_kw={"autocomplete": "street-address"})
    postal_code = StringField("Postal code", render_kw={"autocomplete": "postal-code"})
    city = StringField("City", render_kw={"autocomplete": "address-level2"})
    country = SelectField(
        "Country",
        choices=lambda: choices_of([("", "Choose one"), *COUNTRIES.items()]),
        validate_choice=False,
        render_kw={"autocomplete": "country"},
    )
    tax_id = StringField("Tax ID", description="Such as a VAT number, when you have one.")


class CheckoutForm(ProfileForm):
    """What is bought, and what stands on its invoice."""

    organization = HiddenField()
    shown = HiddenField()
    quantity = IntegerField("Seats", [Optional()])
    currency = SelectField("Currency", validate_choice=False, choices=[])
    code = StringField("Discount code", render_kw={"autocomplete": "off", "maxlength": "40"})


class RefundForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A customer asks for money back."""

    currency = HiddenField()
    amount = MoneyField("How much")
    body = TextAreaField("Why", description="Who decides about it reads this.")


class ChangeForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Another plan, or another number of seats."""

    token = HiddenField()
    plan = RadioField("Plan", validate_choice=False, choices=[])
    quantity = IntegerField("Seats", [Optional()])
