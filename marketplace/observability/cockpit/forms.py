"""The form of a message; its limits are the service's."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField


class MessageForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A message to a partner's owners and admins."""

    subject = StringField("Subject")
    body = TextAreaField("Message", description="Your name stands below it.")
    form_key = HiddenField()
