"""The forms; their limits are the services'."""

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import Optional

from marketplace.identity.forms import choices_of


class ScheduleForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """When the reports of a scope are made, and which of the staff get them."""

    is_on = BooleanField("Make them every month")
    day = IntegerField(
        "Day of the month",
        [Optional()],
        default=1,
        description="From 1 to 28, at 06:00 UTC. The report is of the month before, in UTC.",
    )
    staff = SelectMultipleField("Staff who get them", coerce=int, validate_choice=False)


class MakeForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A report to be made now."""

    scope = SelectField(
        "Of",
        choices=choices_of([("program", "The whole program"), ("partner", "One partner")]),
        validate_choice=False,
    )
    partner = StringField("Partner", description="Name or address; for a partner’s report.")
    month = StringField("Month", description="Like 2026-10, a month that is over.")
    form_key = HiddenField()
