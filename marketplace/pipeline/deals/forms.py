"""The forms. Their limits are checked by the services; here they shape the fields."""

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from marketplace.identity.forms import choices_of
from marketplace.pipeline.deals.models import CreditKind, DealStage
from marketplace.pipeline.deals.terms import MOST_WORTH, DealTerms
from marketplace.pipeline.deals.texts import KINDS, STAGES
from marketplace.sales.currencies import CURRENCY_CHOICES
from marketplace.sales.money_field import MoneyField, PercentField

ROWS = 6


class DealForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What is registered."""

    title = StringField("Name of the deal", description="For your own lists.")
    customer_name = StringField("Customer")
    customer = StringField(
        "The customer's domain", description="Such as example.com. It tells the company."
    )
    listing = StringField("Listing", description="Its address here or its exact name.")
    product = StringField("Or another product", description="When it is no listing here.")
    currency = SelectField("Currency", choices=choices_of(CURRENCY_CHOICES), validate_choice=False)
    amount = MoneyField("What it is worth", description="Without tax.", most=MOST_WORTH)
    close_on = DateField("Expected to close", [Optional()])
    description = TextAreaField("What it is about")

    def terms(self, listing_id: int | None) -> DealTerms:
        """What was typed, as the service takes it."""
        return DealTerms(
            title=self.title.data or "",
            customer_name=self.customer_name.data or "",
            customer=self.customer.data or "",
            amount=self.amount.data,
            currency=(self.currency.data or "").upper(),
            listing_id=listing_id,
            product=self.product.data or "",
            close_on=self.close_on.data,
            description=self.description.data or "",
        )


class MoveForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A move to another stage."""

    stage = SelectField(
        "Stage",
        choices=choices_of((each.value, STAGES[each][0]) for each in DealStage),
        validate_choice=False,
    )
    reason = StringField("Why was it lost?", description="Only when it is lost.")
    currency = HiddenField()
    amount = MoneyField(
        "Sold for", description="Only when it is won; empty: as registered.", most=MOST_WORTH
    )
    won_on = DateField("Won on", [Optional()], description="Empty: today.")
    order = StringField("Order here", description="Its number, if it was bought here.")
    back = HiddenField()


class ReasonForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A decision with its reason."""

    reason = StringField("Reason")
    confirmed = BooleanField("The partner that is protected now loses the customer, for good")


class ShareForm(Form):  # type: ignore[misc]  # wtforms has no types
    """One partner's part."""

    partner = StringField("Partner")
    kind = SelectField(
        "Credit",
        choices=choices_of((each.value, KINDS[each]) for each in CreditKind),
        validate_choice=False,
    )
    percent = PercentField("Share")


class SplitForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """How the credit is divided."""

    seen_version = HiddenField()
    shares = FieldList(FormField(ShareForm), min_entries=ROWS, max_entries=ROWS)
    reason = StringField("Why does it change?")


class EmptyForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A button."""
