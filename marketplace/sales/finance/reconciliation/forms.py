"""Reasons, owners, files."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from billing.money import CURRENCIES
from billing.reconciliation.breaks import MAX_REASON


class OwnerForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Who looks into a break."""

    owner = SelectField("Owner", validators=[InputRequired()])


class ReasonForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Why a break may stay."""

    reason = TextAreaField(
        "Reason",
        validators=[InputRequired("Say why."), Length(max=MAX_REASON)],
        description="Auditors read it next year.",
    )


class BookingForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Which account bears a difference."""

    account = RadioField("Account", validators=[InputRequired("Choose an account.")])
    booking_reason = TextAreaField(
        "Reason", validators=[InputRequired("Say why."), Length(max=MAX_REASON)]
    )


class BankFileForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A file of the bank."""

    file = FileField("File", validators=[FileRequired("Choose a file.")])
    currency = SelectField(
        "Currency",
        choices=[SelectChoice(value=code, label=code) for code in sorted(CURRENCIES)],
        description="Counts where a CSV names none.",
    )
    account = StringField(
        "Account",
        validators=[Length(max=60)],
        description="Counts where a CSV names none.",
    )


class Several(SelectMultipleField):  # type: ignore[misc]  # wtforms has no types
    """Ticks, each a row of a table."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def _row_id(text: str) -> int:
    """A row's id. Raises ValueError for what no database has as one."""
    number = int(text)
    if not 0 < number < 2**62:
        raise ValueError("no row's id")
    return number


class MatchForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Payouts and lines that belong together, or lines to set aside."""

    payouts = Several("Payouts", coerce=_row_id, validate_choice=False)
    lines = Several("Lines", coerce=_row_id, validate_choice=False)
    reason = StringField("Or not from Stripe, because", validators=[Length(max=300)])


class ClosingForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What to remember of a month's close."""

    note = TextAreaField(
        "Note", validators=[Length(max=1_000)], description="Kept with the month for ever."
    )
