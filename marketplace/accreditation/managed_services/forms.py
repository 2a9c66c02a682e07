"""The forms. Their limits are checked by the services; here they shape the fields."""

from decimal import Decimal

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import DateField, DecimalField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from marketplace.accreditation.managed_services.texts import EVIDENCE_KINDS
from marketplace.identity.forms import choices_of, one_time_key


def bps_of(percent: Decimal | None) -> int | None:
    """Hundredths of a percent; what is no number that can be is -1, which is refused."""
    if percent is None:
        return None
    if not percent.is_finite() or abs(percent) > 1_000:
        return -1
    return int(percent * 100)


def minutes_of(value: int | None) -> int | None:
    """Minutes that fit into a column; more is -1, which is refused."""
    return value if value is None or 0 <= value < 2**31 else -1


class ServiceForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A managed service: filed once, however often it is sent."""

    form_key = one_time_key()
    title = StringField("Name")
    description = TextAreaField("What you run for customers")
    hours = StringField("Hours of service", description="Such as: every day, around the clock.")
    response_minutes = IntegerField(
        "Answer within", [Optional()], description="For the most urgent kind of incident."
    )
    availability = DecimalField("Availability promised", [Optional()], places=2)


class ServiceEvidenceForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A piece of evidence."""

    kind = SelectField(
        "What it shows",
        choices=choices_of([("", "Choose"), *EVIDENCE_KINDS.items()]),
        validate_choice=False,
    )
    dated_on = DateField(
        "Day", [Optional()], description="The day that it is of; it counts from then on."
    )
    response_minutes = IntegerField("Answer within, as reached", [Optional()])
    availability = DecimalField("Availability reached", [Optional()], places=2)
    note = TextAreaField("What our reviewers should know")
    file = FileField("File")


class RemarkForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A reviewer's word."""

    remark = TextAreaField("What is missing or wrong")
