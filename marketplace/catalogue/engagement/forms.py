"""The forms. Their limits are checked by the services; here they shape the fields."""

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired

from marketplace.catalogue.engagement.abuse_cases import REASONS as CASE_REASONS
from marketplace.catalogue.engagement.services.flags import REASONS as FLAG_REASONS
from marketplace.catalogue.models import RequestState


class ReviewForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """An organization's review."""

    rating = RadioField(
        "Your rating",
        choices={str(star): str(star) for star in (5, 4, 3, 2, 1)},
        validators=[DataRequired("Choose one to five stars.")],
        validate_choice=False,
    )
    title = StringField("Headline", description="Your verdict in one line.")
    body = TextAreaField(
        "Review",
        description="What do you use it for? What works well, and what should be better?",
    )


class AnswerForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A publisher's answer; empty takes it back."""

    answer = TextAreaField("Your answer", description="Everybody can read it under the review.")


class FlagForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A complaint about a review."""

    reason = RadioField(
        "What is wrong with this review?",
        choices=dict(FLAG_REASONS),
        validators=[DataRequired("Choose a reason.")],
        validate_choice=False,
    )
    details = TextAreaField("Details", description="What should our team know?")


class RemovalForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Staff remove a review."""

    reason = TextAreaField(
        "Reason",
        description="The author reads it.",
        validators=[DataRequired("Give the reason; the author reads it.")],
    )


class RequestForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A wish for an integration."""

    name = StringField(
        "What should we connect to?",
        description="The name of the product, for example Basecamp.",
        validators=[DataRequired("Enter the name of a product.")],
    )
    details = TextAreaField(
        "What would you use it for?",
        description="Which data should move, and which way? Everybody can read this.",
    )
    anyway = BooleanField("I mean something else; request it anyway")


class RequestStateForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What staff say about a request."""

    state = SelectField(
        "State",
        choices={state.value: state.value.capitalize() for state in RequestState},
        validate_choice=False,
    )
    note = TextAreaField("Note", description="Everybody can read it on the request.")
    listing = StringField(
        "Listing",
        description="Its address or slug; needed for Listed. Everybody who voted is mailed.",
    )


class ReportForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A report of abuse."""

    reason = RadioField(
        "What is wrong?",
        choices=dict(CASE_REASONS),
        validators=[DataRequired("Choose what is wrong.")],
        validate_choice=False,
    )
    details = TextAreaField(
        "What happened?",
        description="Say what you saw, where and when. Do not paste passwords or personal data.",
        validators=[DataRequired("Say what happened.")],
    )
    email = EmailField("Your e-mail address", description="For the case number and our decision.")


class ReasonForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A decision that needs its reason."""

    reason = TextAreaField("Reason", validators=[DataRequired("Give the reason.")])


class AppealForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A publisher's appeal."""

    body = TextAreaField(
        "Why should the listing be reinstated?",
        description="Say what was wrong with the decision, or what you have changed since.",
        validators=[DataRequired("Say why the listing should be reinstated.")],
    )
