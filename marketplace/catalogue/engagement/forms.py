"""The forms. Their limits are checked by the services; here they shape the fields."""

from flask_wtf import FlaskForm
from wtforms import (
    RadioField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired

from marketplace.catalogue.engagement.services.flags import REASONS as FLAG_REASONS


class ReviewForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """An organization's review."""

    rating = RadioField(
        "Your rating",
        choices=[(str(star), str(star)) for star in (5, 4, 3, 2, 1)],
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
        choices=list(FLAG_REASONS.items()),
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
