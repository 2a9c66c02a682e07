"""Forms of payout runs. What is allowed is for the services to say."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from marketplace.sales.money_field import MoneyField

_REASON = [
    DataRequired("Say why, for those who look at it later."),
    Length(max=300, message="Use at most 300 characters."),
]


class ApprovalForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """The digest of what the approver saw."""

    digest = HiddenField()


class ReasonForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Why something is canceled or taken back."""

    reason = StringField("Reason", _REASON)


class FreezeForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Why a partner is paid nothing."""

    reason = StringField("Reason, which the partner sees", _REASON)


class CapForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Above which amount a payout waits; empty takes the cap away."""

    currency = SelectField("Currency", [InputRequired("Choose a currency.")])
    cap = MoneyField("Hold payouts above")
