"""The form of a round: what it offers, whom it is for, what is asked, how it is judged."""

from datetime import UTC, timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from billing.formatting import AmountError, parse_amount, plain_amount
from billing.money import CURRENCIES
from marketplace.identity.forms import choices_of, one_time_key
from marketplace.program.applications.forms import (
    FigureRow,
    end_of,
    key_of,
    offer_metrics,
    read_figures,
    show_figures,
    start_of,
)
from marketplace.program.applications.models import ProgramRound
from marketplace.program.applications.services.rounds import MOST_OF_A_BUDGET, TypedRound
from marketplace.program.applications.texts import STAFF_ROLES
from marketplace.program.applications.words import line
from marketplace.program.policy.document import FieldKind, Policy

FIELD_KINDS = (
    (FieldKind.TEXT.value, "One line"),
    (FieldKind.LONG_TEXT.value, "Several lines"),
    (FieldKind.CHOICE.value, "One of a list"),
    (FieldKind.CHOICES.value, "Several of a list"),
    (FieldKind.NUMBER.value, "A number"),
    (FieldKind.URL.value, "A web address"),
    (FieldKind.EMAIL.value, "An e-mail address"),
    (FieldKind.DATE.value, "A date"),
    (FieldKind.YES.value, "A box to tick"),
    (FieldKind.COUNTRY.value, "A country"),
)
COMMON_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN")


class QuestionRow(Form):  # type: ignore[misc]  # wtforms has no types
    """One question of a round."""

    label = StringField("Question")
    kind = SelectField("Answer", choices=choices_of(FIELD_KINDS), validate_choice=False)
    options = StringField("Options", description="For lists, with commas between.")
    hint = StringField("Hint")
    optional = BooleanField("Can be left out")


class StageRow(Form):  # type: ignore[misc]  # wtforms has no types
    """One stage of a round."""

    name = StringField("Stage")
    reviewers = IntegerField("Reviewers who score", [Optional()])
    pass_score = IntegerField("Mean to pass", [Optional()])
    criteria = StringField("Criteria", description="With commas between.")
    role = SelectField("Passed by", choices=choices_of(STAFF_ROLES), validate_choice=False)


class GateRow(Form):  # type: ignore[misc]  # wtforms has no types
    """One gate of an incubator."""

    title = StringField("Gate")
    days = IntegerField("Days after the start", [Optional()])
    text = StringField("What is shown")


class RoundForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A round. Parts that its kind does not have are taken away by `shape`."""

    form_key = one_time_key()
    edition = HiddenField()
    name = StringField("Name")
    text = TextAreaField("What it offers", description="Partners read it before they apply.")
    opens_on = DateField("First day", [Optional()])
    closes_on = DateField("Last day", [Optional()], description="To the end of that day, UTC.")
    types = SelectMultipleField(
        "Types of partners", validate_choice=False, description="None ticked: all types."
    )
    least_tier = SelectField("Least tier", validate_choice=False)
    places = IntegerField(
        "Places", [Optional()], description="How many can be accepted. Empty: no limit."
    )
    review_days = IntegerField(
        "Decision promised within",
        [Optional()],
        description="Shown to applicants. Empty: nothing is promised.",
    )
    budget = StringField("Budget", description="Accepted milestones are paid out of it.")
    currency = SelectField("Currency", choices=choices_of((each, each) for each in sorted(
        set(COMMON_CURRENCIES) & set(CURRENCIES))), validate_choice=False)  # fmt: skip
    track_days = IntegerField("Length of the track", [Optional()], default=90)
    questions = FieldList(FormField(QuestionRow), max_entries=40)
    stages = FieldList(FormField(StageRow), max_entries=9)
    gates = FieldList(FormField(GateRow), max_entries=30)
    figures = FieldList(FormField(FigureRow), max_entries=20)
    terms = TextAreaField(
        "Terms",
        description="Partners accept them before they begin. A change is a new version, which all "
        "who take part accept anew.",
    )

    ROWS = ("questions", "stages", "gates", "figures")

    def offer(self, policy: Policy | None) -> None:
        """Fill the lists to choose from, and give each list of rows an empty one."""
        types = [(each.key, each.name) for each in policy.types] if policy else []
        tiers = [(each.key, each.name) for each in policy.tiers] if policy else []
        self.types.choices = choices_of(types)
        self.least_tier.choices = choices_of([("", "Any tier"), *tiers])
        for name in self.ROWS:
            if not self[name].entries:
                self[name].append_entry()
        offer_metrics(self.figures, policy)

    def typed(self, policy: Policy | None) -> tuple[TypedRound, dict[str, str]]:
        """What was typed as the service takes it, and what could not be read."""
        wrong: dict[str, str] = {}
        currency = line(self.currency.data).upper()
        try:
            budget = parse_amount(
                line(self.budget.data) or "0",
                currency if currency in CURRENCIES else "EUR",
                most=MOST_OF_A_BUDGET,
            )
        except AmountError as error:
            budget, wrong["budget"] = 0, str(error)
        figures, problem = read_figures(self.figures, policy)
        if problem:
            wrong["figures"] = problem
        return (
            TypedRound(
                name=self.name.data or "",
                text=self.text.data or "",
                opens_at=start_of(self.opens_on.data),
                closes_at=end_of(self.closes_on.data),
                types=tuple(line(each) for each in self.types.data or ()),
                least_tier=line(self.least_tier.data),
                questions=self._questions(),
                stages=self._stages(),
                budget=budget,
                currency=currency,
                places=self.places.data,
                terms=self.terms.data or "",
                gates=[
                    {
                        "title": line(row["title"])[:160],
                        "days": row["days"] or 0,
                        "text": line(row["text"])[:500],
                    }
                    for row in self.gates.data
                    if line(row["title"])
                ],
                figures=[{"metric": key, "target": target} for key, target in figures],
                track_days=self.track_days.data if self.track_days.data is not None else 90,
                review_days=self.review_days.data,
            ),
            wrong,
        )

    def _questions(self) -> list[dict[str, Any]]:
        return [
            {
                "key": key_of(label),
                "label": label,
                "kind": row["kind"] or FieldKind.TEXT.value,
                "required": not row["optional"],
                "hint": line(row["hint"]),
                "options": _listed(row["options"]),
            }
            for row in self.questions.data
            if (label := line(row["label"]))
        ]

    def _stages(self) -> list[dict[str, Any]]:
        return [
            {
                "key": key_of(name, "stage"),
                "name": name,
                "reviewers": row["reviewers"] or 0,
                "pass_score": row["pass_score"] or 0,
                "criteria": _listed(row["criteria"]),
                "role": row["role"] or "",
            }
            for row in self.stages.data
            if (name := line(row["name"]))
        ]

    def show(self, round_: ProgramRound, policy: Policy | None) -> None:
        """Fill it with what a round says."""
        self.edition.data = str(round_.edition)
        for name in ("name", "text", "least_tier", "places", "review_days", "currency", "terms"):
            self[name].data = getattr(round_, name)
        self.types.data, self.track_days.data = list(round_.types), round_.track_days
        self.opens_on.data = round_.opens_at.astimezone(UTC).date()
        self.closes_on.data = (round_.closes_at - timedelta(seconds=1)).astimezone(UTC).date()
        self.budget.data = plain_amount(round_.budget, round_.currency) if round_.budget else ""
        for each in round_.form:
            self.questions.append_entry(
                {
                    **{key: each[key] for key in ("label", "kind", "hint")},
                    "options": ", ".join(each["options"]),
                    "optional": not each["required"],
                }
            )
        for each in round_.stages:
            self.stages.append_entry({**each, "criteria": ", ".join(each["criteria"])})
        for each in round_.gates:
            self.gates.append_entry(each)
        show_figures(self.figures, round_.figures, policy)


def _listed(text: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for part in str(text or "").split(",") if (each := line(part))))
