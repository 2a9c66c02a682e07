"""Forms of a partner's money. What is allowed is for the services to say."""

from flask_wtf import FlaskForm
from wtforms import SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.identity.countries import COUNTRIES
from marketplace.identity.forms import choices_of
from marketplace.sales.money_field import MoneyField


class QuestionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A question about one line."""

    body = TextAreaField(
        "Your question",
        [
            InputRequired("Write what you would like to know."),
            Length(max=2_000, message="Use at most 2,000 characters."),
        ],
    )


class AccountForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Where the partner is at home, which Stripe wants to know first."""

    country = SelectField("Country", [InputRequired("Choose a country.")])

    def offer(self, country: str | None) -> None:
        """Offer all countries, with the partner's own chosen."""
        self.country.choices = choices_of([("", "Choose a country"), *COUNTRIES.items()])
        if country and not self.country.data:
            self.country.data = country


class MinimumForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """From which amount on the partner is paid in one currency."""

    currency = SelectField("Currency", [InputRequired("Choose a currency.")])
    amount = MoneyField("Pay me from", [InputRequired("Type an amount like 50.00.")])
