"""The forms. Their limits are checked by the services; here they shape the fields."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import EmailField, RadioField, SelectField, StringField, TextAreaField

from marketplace.accreditation.verification.texts import DOCUMENT_KINDS, METHODS
from marketplace.identity.forms import choices_of


class DomainForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A domain to prove."""

    domain = StringField("Domain", description="Such as example.com, without a path.")
    method = RadioField(
        "How do you prove it?", choices=choices_of(METHODS), default="dns", validate_choice=False
    )
    email = EmailField(
        "Address at the domain",
        description="For the way by mail: postmaster@, info@ or the like, or a member's where your "
        "website is.",
    )


class DocumentForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A document to show."""

    kind = SelectField(
        "What does it show?",
        choices=choices_of([("", "Choose"), *DOCUMENT_KINDS.items()]),
        validate_choice=False,
    )
    file = FileField("File")


class SubmitForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What is said with the submission."""

    note = TextAreaField("Anything our team should know?")


class DisputeForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Why a domain is ours."""

    dispute = TextAreaField("Why is the domain yours?")


class ReasonForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Why it was decided so."""

    reason = TextAreaField("Reasons")
