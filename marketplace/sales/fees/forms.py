"""The form with which a fee is paid."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField
from wtforms.validators import InputRequired


class FeePaymentForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Which fee, in which currency, for which listing, and the amount that was shown."""

    fee = HiddenField()
    currency = HiddenField()
    shown = HiddenField()
    listing = SelectField("Listing", [InputRequired("Choose a listing.")], choices=[])
