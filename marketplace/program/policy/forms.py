"""The forms of the editor. What a policy may say is for the document to check; here the fields are
shaped, and amounts read in their unit."""

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from billing.money import CURRENCIES
from marketplace.identity.forms import choices_of
from marketplace.program.policy.amounts import NumberError, rate_as_typed, rate_from_typed
from marketplace.program.policy.document import Policy
from marketplace.program.policy.documents import Problem

_CURRENCIES = [(code, code) for code in ("EUR", "USD", "GBP", "CHF")]
_CURRENCIES += [(code, code) for code in sorted(CURRENCIES - {"EUR", "USD", "GBP", "CHF"})]


class EditionForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A button, or a form, of a draft: which edition it was made from."""

    edition = HiddenField()

    def seen(self) -> int:
        """The edition that was edited; -1 for nothing that can be one."""
        text = str(self.edition.data or "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1

    # Groups of fields as the page shows them: title, words, names of fields.
    def sections(self) -> list[tuple[str, str, list[str]]]:
        """All fields in one group."""
        return [("", "", [name for name in self._fields if name not in {"edition", "csrf_token"}])]

    def show_problems(self, problems: list[Problem]) -> None:
        """Put problems at their fields; what belongs to none stands on top."""
        for problem in problems:
            field = self._field_at(problem.place)
            if field is None:
                self.form_errors.append(str(problem))
            elif problem.text not in field.errors:
                field.errors = [*field.errors, problem.text]

    def _field_at(self, place: tuple[str | int, ...]) -> Any:
        if not place:
            return None
        name = str(place[0])
        for joined in (f"{name}_{place[1]}" if len(place) > 1 else name, name):
            if joined in self._fields:
                field = self._fields[joined]
                if isinstance(field, FieldList) and len(place) > 1 and isinstance(place[1], int):
                    # The summary looks into the rows of a list that says it has errors.
                    field.errors = [{}]
                    return self._field_in_row(field, place)
                return field
        return None

    @staticmethod
    def _field_in_row(rows: Any, place: tuple[str | int, ...]) -> Any:
        index = int(place[1])
        if index >= len(rows.entries):
            return None
        row = rows.entries[index]
        inner = str(place[2]) if len(place) > 2 else ""
        return row.form[inner] if inner in row.form else next(iter(row.form))

    def change_rows(self, added: str, removed: str) -> None:
        """Add or remove a row, for browsers without JavaScript."""
        for field in self._fields.values():
            if not isinstance(field, FieldList):
                continue
            if added != field.name and not removed.startswith(f"{field.name}-"):
                continue
            rows = [row.data for row in field.entries if row.name != removed]
            while field.entries:
                field.pop_entry()
            for data in [*rows, *([{}] if added == field.name or not rows else [])]:
                field.append_entry(data)


class DescribeForm(EditionForm):
    """A draft's name and why it is."""

    name = StringField("Name of this version", description="Such as what changes: Gold for 2027.")
    note = TextAreaField("Note", description="Why it changes. Staff read it in the history.")


class RateForm(Form):  # type: ignore[misc]  # wtforms has no types
    """What one unit of another currency counts as."""

    currency = SelectField(
        "Currency", choices=choices_of([("", "–"), *_CURRENCIES]), validate_choice=False
    )
    rate = StringField("Counts as")


class GeneralForm(EditionForm):
    """What holds for the whole program."""

    name = StringField("Name of the program")
    summary = TextAreaField("Summary", description="Stands on top of the overview and the guide.")
    currency = SelectField(
        "Currency", choices=choices_of(_CURRENCIES), description="Amounts of metrics are in it."
    )
    grace_days = IntegerField(
        "Days of grace",
        [Optional()],
        description="How long a partner keeps a tier that it does not meet any more.",
    )
    rates = FieldList(FormField(RateForm), "Rates of other currencies", max_entries=100)

    def show(self, policy: Policy) -> None:
        """Fill in what the policy says."""
        self.name.data, self.summary.data = policy.name, policy.summary
        self.currency.data, self.grace_days.data = policy.currency, policy.grace_days
        while self.rates.entries:
            self.rates.pop_entry()
        for currency, rate in policy.rates.items():
            self.rates.append_entry({"currency": currency, "rate": rate_as_typed(rate)})
        if not self.rates.entries:
            self.rates.append_entry({})

    def values(self) -> tuple[dict[str, Any], list[Problem]]:
        """What was typed, as the document keeps it, and what of it cannot be read."""
        problems: list[Problem] = []
        rates: dict[str, int] = {}
        for index, row in enumerate(self.rates.entries):
            currency, typed = row.form.currency.data or "", row.form.rate.data or ""
            if not currency and not typed.strip():
                continue
            if not currency:
                problems.append(Problem(("rates", index, "currency"), "Choose a currency."))
            elif currency in rates or currency == self.currency.data:
                problems.append(Problem(("rates", index, "currency"), "It is there already."))
            try:
                rates[currency] = rate_from_typed(typed)
            except NumberError as error:
                problems.append(Problem(("rates", index, "rate"), str(error)))
        return {
            "name": self.name.data or "",
            "summary": self.summary.data or "",
            "currency": self.currency.data,
            "grace_days": whole(self, "grace_days", problems),
            "rates": rates,
        }, problems


class UploadForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A policy as a file."""

    file = FileField("Policy file", description="YAML, as it is downloaded here.")


class PublishForm(EditionForm):
    """The confirmation: what was seen, what it was compared with, and from when on it counts."""

    effective_at = HiddenField()
    digest = HiddenField()
    against = HiddenField()
    drop = BooleanField("Publish it all the same")


class PreviewForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """For which moment it is worked out who would move, as it was typed; empty: at once."""

    at = HiddenField()


class StartForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What a new draft begins with."""

    source = HiddenField()


def whole(form: Any, name: str, problems: list[Problem], *, empty: int | None = None) -> int | None:
    """The whole number in a field. What was typed but is none is noted as a problem."""
    field = form[name]
    if field.data is None and field.raw_data and str(field.raw_data[0]).strip():
        problems.append(Problem((name,), "Type a whole number."))
        field.errors = []
        return empty
    return empty if field.data is None else int(field.data)


def lines(text: str | None) -> list[str]:
    """The lines of a text, without empty ones."""
    return [line.strip() for line in (text or "").splitlines() if line.strip()]
