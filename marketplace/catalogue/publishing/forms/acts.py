"""The forms of the portal's acts: begin, upload, submit, deprecate, rename, release."""

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    FileField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)

from marketplace.catalogue.content import KINDS
from marketplace.catalogue.publishing.forms.sections import labelled


class NewListingForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """The three answers that a draft begins with."""

    name = StringField("Name")
    kind = RadioField(
        "Kind", choices=labelled("kind", KINDS), default="integration", validate_choice=False
    )
    categories = SelectField("Main category", validate_choice=False)


class ScreenshotForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """A new screenshot with its texts."""

    screenshot = FileField("Screenshot")
    new_caption = StringField("Caption")
    new_alt = StringField("Alternative text")


class SubmissionForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """The word to the reviewer."""

    note = TextAreaField("Note to the reviewer")
    version = HiddenField()


class DeprecationForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """Why, and what to use instead."""

    reason = TextAreaField("Reason")
    successor = StringField("Successor")


class WithdrawalForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """Why it goes."""

    reason = TextAreaField("Reason")


class AddressForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """The last part of the listing's address."""

    slug = StringField("Address")


class VersionForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """A release."""

    version = StringField("Version")
    released_on = DateField("Released on")
    changelog = TextAreaField("What changed")


class CorrectionForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """A release's day and text; its number stays."""

    released_on = DateField("Released on")
    changelog = TextAreaField("What changed")


def show_errors(form: Any, fields: Mapping[str, str]) -> list[str]:
    """Put a service's messages at the form's fields; those that belong to none are answered."""
    rest: list[str] = []
    for name, message in fields.items():
        if name in form:
            form[name].errors = [message]
        else:
            rest.append(message)
    return rest
