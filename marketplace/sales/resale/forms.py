"""The forms. Their limits are checked by the services; here they shape the fields."""

from datetime import UTC, datetime, time, timedelta

from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from billing.resale.agreements import MOST_MARKUP_BPS, AgreementTerms
from billing.resale.quotes import QuoteTerms
from marketplace.core import clock
from marketplace.identity.forms import choices_of
from marketplace.sales.currencies import CURRENCY_CHOICES
from marketplace.sales.money_field import MoneyField, PercentField


class TermsForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What a reseller is offered."""

    currency = SelectField("Currency", choices=choices_of(CURRENCY_CHOICES), validate_choice=False)
    floor = MoneyField(
        "Floor price of one unit",
        description="Without tax. No quote is below it; it is yours, less the platform's fee.",
    )
    markup = PercentField(
        "Most above the floor",
        most_bps=MOST_MARKUP_BPS,
        description="Of the floor price. Empty for no limit.",
    )
    hold_days = IntegerField(
        "Days held",
        [Optional()],
        default=14,
        description="After this the reseller's margin can be paid out.",
    )
    note = TextAreaField("Note", description="The reseller reads it with the offer.")

    def terms(self) -> AgreementTerms:
        """What was typed, as the service takes it."""
        return AgreementTerms(
            currency=(self.currency.data or "").upper(),
            floor_amount=self.floor.data or 0,
            maximum_markup_bps=self.markup.data,
            hold_days=self.hold_days.data if self.hold_days.data is not None else 14,
            note=self.note.data or "",
        )


class OfferForm(TermsForm):
    """An offer to a new reseller."""

    reseller = StringField(
        "Reseller", description="The partner's name, or the address of its page here."
    )
    plan = SelectField("Plan", validate_choice=False)


class QuoteForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What is quoted. The currency is the agreement's."""

    currency = HiddenField()
    unit_amount = MoneyField("Price of one unit", description="Without tax.")
    quantity = IntegerField("Quantity", [Optional()], default=1)
    valid_until = DateField("Valid until", [Optional()], description="To the end of that day, UTC.")
    message = TextAreaField("Message", description="The customer reads it above the price.")

    def terms(self) -> QuoteTerms:
        """What was typed, as the service takes it."""
        day = self.valid_until.data
        return QuoteTerms(
            unit_amount=self.unit_amount.data or 0,
            quantity=self.quantity.data if self.quantity.data is not None else 1,
            expires_at=(
                datetime.combine(day + timedelta(days=1), time(0), tzinfo=UTC)
                if day
                else clock.now() + timedelta(days=30)
            ),
            message=self.message.data or "",
        )


class NewQuoteForm(QuoteForm):
    """A quote to a customer."""

    customer = StringField(
        "Customer",
        description="The customer's address here, such as blue-kite; its people see it in "
        "their account.",
    )


class EmptyForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A button."""
