"""The forms of claims. Their limits are checked by the services."""

from flask_wtf import FlaskForm
from wtforms import RadioField, TextAreaField

from marketplace.identity.forms import one_time_key


class ClaimForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A claim, with what we should know: one, however often it is sent."""

    form_key = one_time_key()
    note = TextAreaField("Note", description="What we should know, such as when and for whom.")


class DecideForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What became of a claim."""

    outcome = RadioField(
        "Outcome", choices={"fulfil": "Fulfilled", "refuse": "Refused"}, validate_choice=False
    )
    answer = TextAreaField("A word to the partner", description="Needed for a refusal.")
