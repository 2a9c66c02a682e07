"""The forms. What they hold is checked by the services; here they shape the fields."""

import secrets

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, EmailField, HiddenField, SelectField, StringField
from wtforms import TextAreaField as Text
from wtforms.validators import Optional

from marketplace.identity.forms import choices_of, one_time_key
from marketplace.pipeline.campaigns.services.requesting import MOST
from marketplace.sales.currencies import CURRENCY_CHOICES
from marketplace.sales.money_field import MoneyField


class CampaignForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What a partner asks for: once, however often it is sent."""

    form_key = one_time_key()
    title = StringField("Title", description="For you and for us.")
    listing = SelectField("Listing", validate_choice=False, default="")
    goal = Text("What it should reach", description="For whom, by which channels, how many.")
    headline = StringField("Headline", description="The first line of the campaign's page.")
    pitch = Text("Text", description="What visitors read below it.")
    starts_on = DateField("First day", [Optional()])
    ends_on = DateField("Last day", [Optional()])
    currency = SelectField("Currency", choices=choices_of(CURRENCY_CHOICES), validate_choice=False)
    partner_share = MoneyField("You spend", description="Your share of the budget.", most=MOST)
    asked_share = MoneyField(
        "You ask us for", description="Our share of the budget; 0 for none.", most=MOST
    )


class DecisionForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """The platform's answer."""

    currency = HiddenField()
    platform_share = MoneyField("We spend", description="At most what was asked for.", most=MOST)
    beyond_budget = BooleanField("Give it although it is more than the budget has left")
    answer = Text("Answer", description="The partner reads it. Needed when you decline.")


class ExpenseForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """An expense, or with a minus a correction."""

    currency = HiddenField()
    form_id = HiddenField(default=lambda: secrets.token_urlsafe(12))
    amount = MoneyField("Amount", most=MOST)
    is_correction = BooleanField("Takes back what was written before")
    what = StringField("For what")
    spent_on = DateField("Day", [Optional()])

    def minor_units(self) -> int | None:
        """The amount, negative for a correction."""
        amount = self.amount.data
        return -amount if amount is not None and self.is_correction.data else amount


class RemovalForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Who is to be forgotten."""

    email = EmailField("E-mail address")


class AnswerForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Somebody who answers a campaign."""

    name = StringField("Name")
    email = EmailField("E-mail address")
    company = StringField("Company", [Optional()])
    message = Text("Message", [Optional()])
    shares = BooleanField("")
