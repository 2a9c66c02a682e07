"""The forms."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import DateField, EmailField, HiddenField, StringField, TextAreaField
from wtforms.validators import InputRequired, Optional

from marketplace.accreditation.credentials.tokens import MOST_CHARACTERS
from marketplace.identity.forms import at_most


class VerifyForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A credential to verify."""

    token = TextAreaField("Signed credential", [at_most(MOST_CHARACTERS)])
    file = FileField("Or its file")
    known = StringField("Whose should it be?", [at_most(254)])


class RevokeForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Why a credential is revoked."""

    reason = TextAreaField("Reason", [InputRequired("Say why; the holder reads it."), at_most(500)])


class IssueForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A credential by hand. `nonce` makes a second click harmless."""

    nonce = HiddenField()
    partner = StringField("Partner", [InputRequired("Name the partner."), at_most(120)])
    email = EmailField("Member’s e-mail address", [at_most(254)])
    title = StringField("Title", [InputRequired("Give it a title."), at_most(200)])
    description = TextAreaField(
        "Description", [InputRequired("Say what it stands for."), at_most(2_000)]
    )
    criteria = TextAreaField("Criteria", [at_most(2_000)])
    expires_on = DateField("Valid until", [Optional()])


class EmptyForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A button."""
