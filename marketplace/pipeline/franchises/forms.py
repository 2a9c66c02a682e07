"""The forms. Their limits are checked by the services; here they shape the fields."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField

from marketplace.identity.forms import choices_of
from marketplace.pipeline.franchises.models import RoyaltyBase
from marketplace.pipeline.franchises.services.granting import GrantTerms
from marketplace.pipeline.franchises.services.royalties import MOST_SOLD
from marketplace.pipeline.franchises.texts import BASES
from marketplace.sales.currencies import CURRENCY_CHOICES
from marketplace.sales.money_field import MoneyField, PercentField


class GrantForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What is granted."""

    partner = StringField("Partner", description="Its address here or its exact name.")
    areas = TextAreaField(
        "Places",
        description="One country a line, like DE; or the beginnings of its postal codes, "
        "like DE 20 21.",
    )
    first_month = StringField("First month", description="Such as 2027-01.")
    last_month = StringField("Last month", description="Such as 2029-12; included.")
    royalty_base = RadioField(
        "The royalty is a share of",
        choices=choices_of((each.value, BASES[each]) for each in RoyaltyBase),
        default=RoyaltyBase.MEASURED.value,
        validate_choice=False,
    )
    royalty = PercentField("Royalty", description="Rounded down to the smallest unit of money.")
    currency = SelectField("Currency", choices=choices_of(CURRENCY_CHOICES), validate_choice=False)
    minimum = MoneyField("Least royalty of a month", description="Empty: none.")
    note = TextAreaField("Note", description="The partner reads it.")

    def terms(self) -> GrantTerms:
        """What was typed, as the service takes it."""
        return GrantTerms(
            areas=self.areas.data or "",
            first_month=self.first_month.data or "",
            last_month=self.last_month.data or "",
            royalty_base=self.royalty_base.data or "",
            royalty_bps=self.royalty.data,
            minimum=self.minimum.data,
            currency=(self.currency.data or "").upper(),
            note=self.note.data or "",
        )


class ReportForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What was sold in a month."""

    currency = HiddenField()
    month = SelectField("Month", validate_choice=False)
    amount = MoneyField("Sold without tax", most=MOST_SOLD)
    reason = StringField("Why does it change?", description="When it was reported before.")


class CorrectionForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What was really sold."""

    currency = HiddenField()
    amount = MoneyField("Really sold without tax", most=MOST_SOLD)
    reason = StringField("Reason", description="It stands on the credit note.")


class EndForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Why a grant ends."""

    reason = StringField("Why does it end?", description="The partner reads it.")
