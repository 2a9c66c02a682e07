"""The forms. What is allowed is for the services to say."""

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired

from marketplace.identity.countries import COUNTRIES
from marketplace.identity.forms import at_most, choices_of


class JoinForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What everybody is asked who joins; the type's own questions stand beside it."""

    invite = HiddenField()
    organization = RadioField("Who joins?", choices=[], validate_choice=False)
    organization_name = StringField("Organization")
    website = StringField("Website", description="Such as example.com.")
    country = SelectField(
        "Country",
        choices=choices_of([("", "Choose one"), *COUNTRIES.items()]),
        validate_choice=False,
    )
    name = StringField("Your name")
    email = EmailField(
        "Your e-mail address", description="At your organization, if you have one there."
    )


class InvitePartnerForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Whom to invite to the program."""

    email = EmailField("E-mail address", [InputRequired("Enter an e-mail address."), at_most(254)])


class AssigneeForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Who of the staff does a task."""

    person = SelectField("Who does it", validate_choice=False)
