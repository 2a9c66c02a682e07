"""The forms."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, HiddenField, StringField


class SetUpForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A new workspace."""

    name = StringField("The client’s name")


class OfferForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Whom it is handed to."""

    email = EmailField("The client’s e-mail address")


class TakeOverForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What the client decides."""

    token = HiddenField()
    keep_access = BooleanField("")
