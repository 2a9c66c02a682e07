"""The forms. What is allowed is for the services to say."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField, StringField, TextAreaField

from marketplace.identity.forms import one_time_key


class IdeaForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What an idea says."""

    title = StringField("What should there be", description="In a few words.")
    text = TextAreaField("Why, and for whom")


class ProposeForm(IdeaForm):
    """The same, proposed: once, however often it is sent."""

    form_key = one_time_key()


class ReportForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What a partner has done."""

    text = TextAreaField("What you have done")


class LinkForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What an idea led to."""

    kind = HiddenField()
    target = SelectField("Which one", validate_choice=False)


class NoteForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Why an idea is declined."""

    note = TextAreaField("Why", description="Who proposed it reads it.")


class EmptyForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A button."""
