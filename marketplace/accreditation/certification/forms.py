"""The forms. Their limits are checked by the services; here they shape the fields."""

import re
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
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from marketplace.accreditation.certification import texts
from marketplace.accreditation.certification.models import CertificationProgram, Checklist
from marketplace.accreditation.certification.services.programs import ProgramTerms
from marketplace.identity.forms import choices_of
from marketplace.identity.partner_types import PARTNER_TYPES

_MOST = 2**31 - 1


def bounded(value: int | None, default: int) -> int:
    """A typed number that fits into a column; services say what is allowed."""
    return default if value is None else max(-_MOST, min(value, _MOST))


class StartForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What is to be certified."""

    listing = SelectField("Listing", validate_choice=False)
    person = SelectField("Person", validate_choice=False)


class EvidenceForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What is given for one item."""

    value = TextAreaField("Evidence")
    file = FileField("File")


class RemarkForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A reviewer's word on one item."""

    remark = StringField("Word to the partner")


class ReasonForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Why it was decided so."""

    reason = TextAreaField("Reasons")


class ProgramForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What a program is."""

    title = StringField("Name")
    summary = TextAreaField("What it stands for", description="Partners and customers read it.")
    subject = RadioField(
        "What is certified?",
        choices=choices_of(texts.SUBJECTS.items()),
        default="listing",
        validate_choice=False,
    )
    validity_months = IntegerField("Counts for", [Optional()], default=12)
    partner_types = SelectMultipleField(
        "For partners of these types",
        choices=lambda: choices_of(PARTNER_TYPES.items()),
        validate_choice=False,
    )
    listing_kinds = SelectMultipleField(
        "For listings of these kinds",
        choices=choices_of(texts.KINDS.items()),
        validate_choice=False,
    )
    listing_rule = RadioField(
        "What it decides about listings",
        choices=choices_of(texts.RULES.items()),
        default="badge",
        validate_choice=False,
    )
    people_minimum = IntegerField(
        "Certified people that the publisher needs",
        [Optional()],
        default=0,
        description="With fewer, its listings that this is for are hidden. 0: no matter.",
    )
    takes_fee = BooleanField("The certification fee of the fee schedule must be paid first")

    def terms(self) -> ProgramTerms:
        """What was typed, as the service takes it."""
        return ProgramTerms(
            title=self.title.data or "",
            summary=self.summary.data or "",
            subject=self.subject.data or "",
            validity_months=bounded(self.validity_months.data, 12),
            partner_types=tuple(self.partner_types.data or ()),
            listing_kinds=tuple(self.listing_kinds.data or ()),
            listing_rule=self.listing_rule.data or "",
            people_minimum=bounded(self.people_minimum.data, 0),
            takes_fee=bool(self.takes_fee.data),
        )

    def show(self, program: CertificationProgram) -> None:
        """Fill in what the program is now."""
        self.title.data, self.summary.data = program.title, program.summary
        self.subject.data = program.subject.value
        self.validity_months.data = program.validity_months
        self.partner_types.data = list(program.partner_types)
        self.listing_kinds.data = list(program.listing_kinds)
        self.listing_rule.data = program.listing_rule.value
        self.people_minimum.data = program.people_minimum
        self.takes_fee.data = program.takes_fee


class ItemForm(Form):  # type: ignore[misc]  # wtforms has no types
    """One line of a checklist."""

    key = HiddenField()
    title = StringField("Title")
    text = TextAreaField("What is expected", description="Partners read it above the field.")
    evidence = SelectField(
        "What is given",
        choices=choices_of(texts.EVIDENCE_KINDS.items()),
        default="text",
        validate_choice=False,
    )
    check = SelectField(
        "What we look at",
        choices=choices_of([("", "Nothing"), *texts.CHECKS.items()]),
        validate_choice=False,
    )
    least = IntegerField("At least", [Optional()], default=1)
    weight = IntegerField("Weight", [Optional()], default=1)
    mandatory = BooleanField("Mandatory")


class ChecklistForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A draft of a checklist."""

    edition = HiddenField()
    items = FieldList(FormField(ItemForm), "Items", min_entries=1)
    pass_percent = IntegerField(
        "Share of the weights that must be accepted", [Optional()], default=100
    )
    note = StringField("What is new", description="Staff see it beside the version.")

    def rows(self) -> list[dict[str, Any]]:
        """The items as data; a new one gets its key of its title."""
        found: list[dict[str, Any]] = []
        taken = {entry.form.key.data for entry in self.items.entries if entry.form.key.data}
        for entry in self.items.entries:
            row = entry.form
            if not (row.title.data or "").strip() and not (row.text.data or "").strip():
                continue
            key = row.key.data or _new_key(row.title.data or "", taken)
            taken.add(key)
            automatic = row.evidence.data == "automatic"
            found.append(
                {
                    "key": key,
                    "title": (row.title.data or "").replace("\x00", ""),
                    "text": (row.text.data or "").replace("\x00", "").replace("\r\n", "\n"),
                    "evidence": row.evidence.data or "",
                    "check": (row.check.data or None) if automatic else None,
                    "least": bounded(row.least.data, 1),
                    "weight": bounded(row.weight.data, 1),
                    "mandatory": bool(row.mandatory.data),
                }
            )
        return found

    def show(self, checklist: Checklist) -> None:
        """Fill in what the draft says now."""
        self.edition.data = str(checklist.edition)
        self.pass_percent.data, self.note.data = checklist.pass_percent, checklist.note
        self._fill([dict(item) for item in checklist.items])

    def change_rows(self, added: bool, removed: str) -> None:
        """Add or remove an item, for browsers without JavaScript."""
        rows = [dict(entry.form.data) for entry in self.items.entries if entry.name != removed]
        self._fill([*rows, *([{"mandatory": True}] if added or not rows else [])])

    def _fill(self, rows: list[dict[str, Any]]) -> None:
        while self.items.entries:
            self.items.pop_entry()
        for row in rows:
            self.items.append_entry({**row, "check": row.get("check") or ""})


def _new_key(title: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:30] or "item"
    base = base if base[0].isalpha() else f"item_{base}"
    key, number = base, 2
    while key in taken:
        key, number = f"{base}_{number}", number + 1
    return key
