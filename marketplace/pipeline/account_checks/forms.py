"""The forms. Their limits are checked by the services; here they shape the fields."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import RadioField, StringField, TextAreaField

from marketplace.identity.forms import choices_of, one_time_key
from marketplace.pipeline.account_checks.models import Level
from marketplace.pipeline.account_checks.texts import LEVELS


class InviteForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Whom to compare with."""

    partner = StringField("Partner", description="Its address here or its exact name.")
    level = RadioField(
        "What both of you learn",
        choices=choices_of((each.value, LEVELS[each]) for each in Level),
        default=Level.COUNTS.value,
        validate_choice=False,
    )
    message = TextAreaField("Message", description="They read it with the invitation.")


class ListForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A list of customers."""

    entries = TextAreaField(
        "Your customers", description="Domains or e-mail addresses, one a line."
    )
    file = FileField("Or a file")


class EntryForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """One customer."""

    entry = StringField("Customer", description="A domain that both lists have.")


class NoteForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A note for both."""

    form_key = one_time_key()
    body = TextAreaField("Write to both")
