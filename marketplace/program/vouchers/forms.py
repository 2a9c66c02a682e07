"""The forms. What is allowed is for the services to say."""

from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Optional

from billing.money import CURRENCIES
from marketplace.identity.forms import at_most, choices_of, one_time_key


class RedeemForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A token."""

    token = StringField("Token", [InputRequired("Enter the token."), at_most(60)])


class IssueForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What is issued. `form_key`: a form issues once."""

    form_key = one_time_key()
    count = IntegerField("How many", [Optional()], default=1)
    amount = StringField("Credit of each", [InputRequired("Enter an amount."), at_most(30)])
    currency = SelectField(
        "Currency",
        choices=choices_of((code, code) for code in sorted(CURRENCIES)),
        default="EUR",
        validate_choice=False,
    )
    total = StringField("All of them together", [at_most(30)])
    partner_type = SelectField("For partners of type", validate_choice=False)
    until = DateField("Can be used until the end of", [Optional()], description="Of that day, UTC.")
    note = StringField("Note", [at_most(200)], description="The partner reads it with the credit.")
