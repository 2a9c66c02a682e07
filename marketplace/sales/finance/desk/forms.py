"""The forms of the desk. Rules are the services'; here they shape the fields."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import (
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from billing.fees import MAX_HOLD_DAYS
from billing.models import FeeKind
from billing.money import CURRENCIES
from billing.settlement.conversions import MOST_DIGITS
from marketplace.core.errors import InvalidError
from marketplace.identity.forms import choices_of
from marketplace.identity.partner_types import PARTNER_TYPES
from marketplace.sales.finance.desk.texts import EVIDENCE, FEE_KINDS, SHORT_EVIDENCE
from marketplace.sales.money_field import MoneyField, PercentField
from marketplace.sales.tiers import tier_choices

MAX_REASON = 300
# It stands in the ledger's memo, behind the number of the refund and its order.
MAX_REFUND_REASON = 240
MAX_ANSWER = 2_000
MAX_EVIDENCE = 5_000
_NEEDED = InputRequired("Fill this in.")


def show_errors(form: Any, error: InvalidError) -> None:
    """Put a service's messages at the form's fields."""
    for name, text in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, text]
        else:
            form.form_errors.append(text)


class SeenForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """How much goes back. `currency` is the order's, for the amount field.

    `seen_amount` and `seen_left` are the refund that the page showed, and what was left of the
    order then, in minor units; `show` is the button that only shows.
    """

    currency = HiddenField()
    seen_amount = HiddenField()
    seen_left = HiddenField()
    show = HiddenField()
    amount = MoneyField("Amount", [_NEEDED], description="With tax.")


class RefundForm(SeenForm):
    """A refund that nobody asked for, and why."""

    reason = TextAreaField(
        "Reason",
        [
            _NEEDED,
            Length(max=MAX_REFUND_REASON, message=f"At most {MAX_REFUND_REASON} characters."),
        ],
        description="For the books and the partners' receipts. The customer does not see it.",
    )


class GrantForm(SeenForm):
    """Granting what a customer asked for, or a part of it."""

    answer = TextAreaField(
        "Answer",
        [Length(max=MAX_ANSWER, message=f"At most {MAX_ANSWER} characters.")],
        description="Mailed to the person who asked.",
    )


class RefusalForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Refusing, with a reason."""

    answer = TextAreaField(
        "Answer",
        [_NEEDED, Length(max=MAX_ANSWER, message=f"At most {MAX_ANSWER} characters.")],
        description="Say why. Mailed to the person who asked.",
    )


class ObjectionForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Deciding a partner's question."""

    currency = HiddenField()
    verdict = RadioField(
        "Decision",
        [_NEEDED],
        choices=choices_of(
            [("upheld", "The partner is right"), ("rejected", "The line stays as it is")]
        ),
    )
    amount = MoneyField(
        "What the partner gets",
        [Optional()],
        description="Above zero is added to what is payable, out of our fees.",
    )
    direction = RadioField(
        "Which way",
        choices=choices_of(
            [("more", "The partner gets it"), ("less", "The partner gives it back")]
        ),
        default="more",
    )
    answer = TextAreaField(
        "Answer",
        [_NEEDED, Length(max=MAX_ANSWER, message=f"At most {MAX_ANSWER} characters.")],
        description="The partner reads this beside the line.",
    )


class WriteOffForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Asking that what a partner owes be given up."""

    currency = HiddenField()
    amount = MoneyField("Amount", [_NEEDED])
    reason = TextAreaField(
        "Reason",
        [_NEEDED, Length(max=MAX_REASON, message=f"At most {MAX_REASON} characters.")],
        description="For whoever approves it, and for the books.",
    )


class ConversionForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Asking that a balance be converted. `seen` is the amount that was shown."""

    seen = HiddenField()
    rate = StringField("Rate", [_NEEDED, Length(max=MOST_DIGITS)])
    rate_source = StringField(
        "Where the rate is from",
        [_NEEDED, Length(max=200, message="At most 200 characters.")],
        description="For whoever approves it, and for the books.",
    )


class EvidenceForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What the bank is told. Texts only; the bank sees all of it."""


for _name, (_label, _hint) in EVIDENCE.items():
    _field = StringField if _name in SHORT_EVIDENCE else TextAreaField
    setattr(
        EvidenceForm,
        _name,
        _field(
            _label,
            [Length(max=MAX_EVIDENCE, message=f"At most {MAX_EVIDENCE} characters.")],
            description=_hint,
        ),
    )


class DraftForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A draft's name and what is new in it."""

    name = StringField("Name", [_NEEDED], description="Like “2027”. Partners do not see it.")
    note = TextAreaField("What changes, and why")


class RuleForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """One fee."""

    kind = SelectField("Fee for", choices=choices_of(FEE_KINDS.items()))
    partner_type = SelectField(
        "Kind of partner", choices=lambda: choices_of([("", "Any"), *PARTNER_TYPES.items()])
    )
    tier = SelectField("Tier", choices=lambda: choices_of([("", "Any"), *tier_choices()]))
    share = PercentField("Share", description="Of sales only; needed for them.")
    currency = SelectField(
        "Currency",
        choices=choices_of([("", "Any"), *((code, code) for code in sorted(CURRENCIES))]),
        description="A fixed amount needs one.",
    )
    fixed = MoneyField("Fixed amount", [Optional()], description="Added for each sale.")
    hold_days = IntegerField(
        "Days held",
        [
            Optional(),
            NumberRange(0, MAX_HOLD_DAYS, message=f"From 0 to {MAX_HOLD_DAYS} days."),
        ],
        description="Before the publisher's part of a sale can be paid out.",
        default=14,
    )

    def validate_share(self, share: PercentField) -> None:
        """A sale's share is typed, also when it is nothing: empty would be 0% by accident."""
        if self.kind.data == FeeKind.SALE.value and share.data is None:
            raise ValidationError("Type the share. Type 0 where nothing is taken.")


class PublicationForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """When a schedule comes into force."""

    effective_from = DateField(
        "In force from",
        [InputRequired("Choose a day.")],
        description="At its first moment in UTC. Orders before it keep their fees.",
    )
