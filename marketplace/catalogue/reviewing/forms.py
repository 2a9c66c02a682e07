"""The reviewers' forms."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectField, SelectMultipleField, TextAreaField

from marketplace.catalogue.reviewing.checklist import Check
from marketplace.identity.forms import choices_of


class ApprovalForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """The checklist; `version` is what the reviewer looked at."""

    version = HiddenField()
    checklist = SelectMultipleField("Checklist", validate_choice=False)

    def offer(self, checks: list[Check]) -> "ApprovalForm":
        """Tell which checks there are."""
        self.checklist.choices = choices_of((check.key, check.text) for check in checks)
        return self


class ChangesForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """What has to change; notes at fields come as note-<field>."""

    version = HiddenField()
    body = TextAreaField("What has to change")


class NoteForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """A note to colleagues or to the partner."""

    body = TextAreaField("Note")
    for_partner = BooleanField("The partner may read it")


class AssignmentForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """Who shall review it."""

    reviewer = SelectField("Reviewer", validate_choice=False)


class VersionRemovalForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """Why a version is removed; `seen` is what the reviewer looked at."""

    seen = HiddenField()
    body = TextAreaField("Reason")


class ReversionForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """Why a change is taken back."""

    body = TextAreaField("Reason")
