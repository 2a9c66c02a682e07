"""The forms."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired

from marketplace.accreditation.credentials.tokens import MOST_CHARACTERS
from marketplace.identity.forms import at_most, one_time_key


class ExportForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Where the passport is taken."""

    form_key = one_time_key()
    audience = StringField(
        "Address of the other marketplace", [InputRequired("Enter its address."), at_most(250)]
    )


class ImportForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A passport, and whose it is."""

    partner = StringField("Partner", [InputRequired("Name the partner."), at_most(120)])
    token = TextAreaField("Passport", [at_most(MOST_CHARACTERS)])
    file = FileField("Or its file")


class IssuerForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """An installation to trust."""

    address = StringField("Address", [InputRequired("Enter its address."), at_most(250)])
    name = StringField("Name", [at_most(120)])
    thumbprint = StringField(
        "Thumbprint of its key", [InputRequired("Enter the thumbprint."), at_most(100)]
    )


class EmptyForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A button."""
