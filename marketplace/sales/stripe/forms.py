"""What a person says of an operation that nobody knows the end of."""

import re

from flask_wtf import FlaskForm
from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from billing.events import LONGEST_REASON
from marketplace.identity.forms import choices_of

_ID = re.compile(r"[a-z]+_\w+", re.ASCII)


class SettingAsideForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Why nothing is to be done about an event."""

    reason = TextAreaField(
        "Reason",
        [
            InputRequired("Say why."),
            Length(max=LONGEST_REASON, message=f"At most {LONGEST_REASON} characters."),
        ],
        description="Kept with the event. Like: of an account that is not ours.",
    )


class SettlementForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Whether it happened at Stripe, and as what."""

    happened = RadioField(
        "What does Stripe's dashboard say?",
        choices=choices_of([("yes", "It happened"), ("no", "It did not happen")]),
        validators=[InputRequired("Choose one.")],
    )
    stripe_id = StringField(
        "Its id at Stripe",
        description="Needed when it happened. It looks like tr_1Nx4.",
        filters=[lambda value: (value or "").strip()],
        validators=[Length(max=100)],
    )

    def validate_stripe_id(self, field: StringField) -> None:
        """What happened has an id."""
        if self.happened.data == "yes" and not _ID.fullmatch(field.data or ""):
            raise ValidationError("Copy its id from Stripe's dashboard. It looks like tr_1Nx4.")
