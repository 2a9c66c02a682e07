"""The forms. Their limits are checked by the services; here they shape the fields."""

from datetime import UTC, datetime, time
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    FieldList,
    Form,
    FormField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from billing.affiliates.programs import ProgramTerms, RuleTerms
from billing.models import AffiliateProgram, AttributionModel, CommissionRule
from marketplace.core import clock
from marketplace.identity.forms import choices_of
from marketplace.sales.currencies import CURRENCY_CHOICES
from marketplace.sales.money_field import MoneyField, PercentField

ATTRIBUTION_LABELS = {
    AttributionModel.LAST_CLICK.value: "The last click",
    AttributionModel.FIRST_CLICK.value: "The first click",
}


class StepForm(Form):  # type: ignore[misc]  # wtforms has no types
    """One step: from the nth sale on, another share."""

    from_sales = IntegerField("From sale number", [Optional()])
    percent = PercentField("Share")


class RuleForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What a program pays."""

    percent = PercentField(
        "Share of the sale", description="Of what the customer pays, without tax."
    )
    fixed = MoneyField(
        "Fixed amount for each sale",
        currency_from="currency",
        description="Added to the share, for sales in its currency. Empty for none.",
    )
    cap = MoneyField(
        "Most that one payment earns",
        currency_from="currency",
        description="For sales in its currency. Empty for no cap.",
    )
    currency = SelectField(
        "Currency of the amounts",
        choices=choices_of([("", "–"), *CURRENCY_CHOICES]),
        validate_choice=False,
    )
    recurring = RadioField(
        "Which payments of a subscription earn something",
        choices={
            "first": "The first",
            "some": "The first ones",
            "all": "All, as long as it runs",
        },
        default="first",
        validate_choice=False,
    )
    payments = IntegerField("How many payments", [Optional()])
    steps = FieldList(FormField(StepForm), "More for many sales", min_entries=1)
    hold_days = IntegerField(
        "Days held",
        [Optional()],
        default=30,
        description="After this a commission can be paid out. Cover the time of your refunds.",
    )

    def rule_terms(self) -> RuleTerms:
        """What was typed, as the service takes it."""
        payments: int | None
        match self.recurring.data:
            case "all":
                payments = None
            case "some":
                payments = self.payments.data or 0
            case _:
                payments = 1
        return RuleTerms(
            bps=self.percent.data or 0,
            fixed=self.fixed.data or 0,
            currency=self.currency.data or None,
            payments=payments,
            steps=tuple(
                (row.form.from_sales.data or 0, row.form.percent.data or 0)
                for row in self.steps.entries
                if row.form.from_sales.data is not None or row.form.percent.data is not None
            ),
            cap=self.cap.data,
            hold_days=self.hold_days.data if self.hold_days.data is not None else 30,
        )

    def change_rows(self, added: bool, removed: str) -> None:
        """Add or remove a step, for browsers without JavaScript."""
        rows = [
            {"from_sales": row.form.from_sales.data, "percent": row.form.percent.data}
            for row in self.steps.entries
            if row.name != removed
        ]
        while self.steps.entries:
            self.steps.pop_entry()
        for row in [*rows, *([{}] if added or not rows else [])]:
            self.steps.append_entry(row)


class ProgramForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What a program is."""

    name = StringField("Name", description="Affiliates see it in their list.")
    description = TextAreaField(
        "What affiliates should know",
        description="Whom it suits, what they may say, what you do not want.",
    )
    joining = RadioField(
        "Who may join",
        choices={"open": "Any partner, at once", "ask": "Partners ask, and you decide"},
        default="open",
        validate_choice=False,
    )
    attribution = RadioField(
        "Which click counts",
        choices=ATTRIBUTION_LABELS,
        default=AttributionModel.LAST_CLICK.value,
        validate_choice=False,
    )
    window_days = IntegerField(
        "Days that a click counts",
        [Optional()],
        default=30,
        description="From 1 to 365. A purchase after that is credited to nobody.",
    )
    minimum_payout = MoneyField(
        "Smallest payout",
        currency_from="minimum_currency",
        description="Less than this waits for the next payout. Empty for none.",
    )
    minimum_currency = SelectField(
        "Its currency", choices=choices_of([("", "–"), *CURRENCY_CHOICES]), validate_choice=False
    )

    def terms(self, listing_id: int | None) -> ProgramTerms:
        """What was typed, as the service takes it."""
        model = self.attribution.data
        return ProgramTerms(
            name=self.name.data or "",
            description=self.description.data or "",
            listing_id=listing_id,
            is_open=self.joining.data != "ask",
            attribution=AttributionModel(
                model if model in ATTRIBUTION_LABELS else AttributionModel.LAST_CLICK
            ),
            window_days=self.window_days.data if self.window_days.data is not None else 0,
            minimum_payout=self.minimum_payout.data or 0,
            minimum_currency=self.minimum_currency.data or None,
        )


class NewProgramForm(ProgramForm, RuleForm):
    """A new program with the first version of its rule."""

    listing = SelectField("Which listings", validate_choice=False)


class NewRuleForm(RuleForm):
    """Another version of the rule."""

    effective_from = DateField(
        "In force from",
        [Optional()],
        description="At 00:00 UTC of that day; empty: at once. Orders before keep what they have.",
    )

    def starts_at(self) -> datetime:
        """The moment, UTC."""
        day = self.effective_from.data
        now = clock.now()
        if day is None or day == now.date():
            return now
        return datetime.combine(day, time(0), tzinfo=UTC)


class NoteForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A decision with its reason."""

    note = TextAreaField("Reason", description="The affiliate reads this.")


class CodeForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A promotion code for an affiliate."""

    code = StringField("Code", description="Customers type it at the checkout.")
    discount = SelectField("Discount that it gives", validate_choice=False)
    expires_at = DateField(
        "Until", [Optional()], description="Its last day is the one before (UTC)."
    )


class PitchForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A partner asks to join."""

    pitch = TextAreaField(
        "How would you present it?", description="Your audience and your channels, in short."
    )


class LinkForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A new link."""

    target = SelectField("Leads to", validate_choice=False)
    name = StringField("Name", description="Only you see it, such as “Newsletter”.")
    code = StringField("Code", description="The end of the address. Empty: we make one up.")


class VoidForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Staff takes a commission away."""

    reason = TextAreaField("Reason", description="The affiliate reads this on its earnings.")


class EmptyForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A button."""


def fill_program(form: ProgramForm, program: AffiliateProgram) -> None:
    """Show what a program is."""
    form.name.data = program.name
    form.description.data = program.description
    form.joining.data = "open" if program.is_open else "ask"
    form.attribution.data = program.attribution.value
    form.window_days.data = program.window_days
    form.minimum_payout.data = program.minimum_payout or None
    form.minimum_currency.data = program.minimum_currency or ""


def fill_rule(form: RuleForm, rule: CommissionRule) -> None:
    """Show what a rule pays, to change it in a new version."""
    form.percent.data = rule.bps or None
    form.fixed.data = rule.fixed or None
    form.cap.data = rule.cap
    form.currency.data = rule.currency or ""
    form.recurring.data = {None: "all", 1: "first"}.get(rule.payments, "some")
    form.payments.data = rule.payments if rule.payments not in (None, 1) else None
    form.hold_days.data = rule.hold_days
    while form.steps.entries:
        form.steps.pop_entry()
    rows: list[dict[str, Any]] = [
        {"from_sales": step["from_sales"], "percent": step["bps"]} for step in rule.steps
    ]
    for row in rows or [{}]:
        form.steps.append_entry(row)
