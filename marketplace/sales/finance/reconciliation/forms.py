"""Reasons, owners, files."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from billing.money import CURRENCIES
from billing.reconciliation.bank_rules import LineFilter
from billing.reconciliation.breaks import MAX_REASON
from marketplace.sales.finance.reconciliation import queries
from marketplace.sales.money_field import MoneyField

# More than any line of a bank is.
MAX_BOOKED = 10**15


def _is_visible(_form: FlaskForm, field: StringField) -> None:
    # SQLite would find it in every line, and PostgreSQL in none.
    if "\x00" in (field.data or ""):
        raise ValidationError("There is an invisible character. Type the text anew.")


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


class LineFields(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Which lines of the bank. The fields have ids of their own: a page has others for an account
    and a currency."""

    contains = StringField(
        "Text has", id="lines-contains", validators=[Length(max=140), _is_visible]
    )
    lacks = StringField("Text has not", id="lines-lacks", validators=[Length(max=140), _is_visible])
    account = SelectField(
        "Account", id="lines-account", default="", choices=lambda: _account_choices()
    )
    currency = SelectField(
        "Currency",
        id="lines-currency",
        default="",
        choices=[
            SelectChoice(value=code, label=code or "Any") for code in ("", *sorted(CURRENCIES))
        ],
    )
    direction = SelectField(
        "Way",
        id="lines-direction",
        default="",
        choices=[
            SelectChoice(value="", label="In and out"),
            SelectChoice(value="in", label="Money in"),
            SelectChoice(value="out", label="Money out"),
        ],
    )
    amount_from = MoneyField("Amount from", id="lines-amount-from", most=MAX_BOOKED)
    amount_to = MoneyField("Amount to", id="lines-amount-to", most=MAX_BOOKED)

    def wanted(self) -> LineFilter:
        """What was typed, checked or not."""
        return LineFilter(
            contains=(self.contains.data or "").strip(),
            lacks=(self.lacks.data or "").strip(),
            account=self.account.data or "",
            currency=self.currency.data or "",
            direction=self.direction.data or "",
            amount_from=self.amount_from.data,
            amount_to=self.amount_to.data,
        )

    def asked(self) -> dict[str, str]:
        """What was typed, as it stands in an address."""
        found = {name: self[name] for name in FILTER_FIELDS}
        typed = {
            name: each.data if isinstance(each, SelectField) else each._value()
            for name, each in found.items()
        }
        return {name: str(text).strip() for name, text in typed.items() if text}


def _account_choices() -> list[SelectChoice]:
    return [
        SelectChoice(value="", label="Any"),
        *(SelectChoice(value=each, label=each) for each in queries.bank_accounts()),
    ]


FILTER_FIELDS = (
    "contains", "lacks", "account", "currency", "direction", "amount_from", "amount_to",
)  # fmt: skip


class LineFilterForm(LineFields):
    """A filter in an address, by which nothing is written."""

    class Meta:
        """Hence without a token."""

        csrf = False


class BankRuleForm(LineFields):
    """Setting aside all lines that fit. `seen` is what the page showed of them."""

    seen = HiddenField()
    reason = StringField("Not from Stripe, because", validators=[Length(max=300)])
    is_standing = BooleanField("Set aside lines like these in later files too")


class ClosingForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What to remember of a month's close."""

    note = TextAreaField(
        "Note", validators=[Length(max=1_000)], description="Kept with the month for ever."
    )
