"""The forms of standings and replays."""

from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, RadioField, SelectField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from marketplace.identity.forms import choices_of


class OverrideForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A tier for a while."""

    tier = SelectField("Tier", [DataRequired("Choose a tier.")])
    expires_on = DateField(
        "Until",
        [DataRequired("Choose the last day.")],
        description="To the end of that day, UTC. Then the partner moves to what it has earned.",
    )
    reason = TextAreaField(
        "Reason",
        [
            DataRequired("Say why: the partner reads it, and whoever looks at it later."),
            Length(max=1_000, message="At most 1,000 characters."),
        ],
    )


class ConfirmForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A partner's place confirmed by hand."""

    reason = TextAreaField(
        "Reason",
        [
            DataRequired("Say why: it stays on record."),
            Length(max=1_000, message="At most 1,000 characters."),
        ],
    )


class TypeForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Another type for a partner."""

    partner_type = SelectField("Type", [DataRequired("Choose a type.")])
    reason = TextAreaField(
        "Reason",
        [
            DataRequired("Say why: it stays on record."),
            Length(max=1_000, message="At most 1,000 characters."),
        ],
        description="The partner reads it in the history of its scorecard.",
    )


class ReplayForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What is replayed, and how far back."""

    version = SelectField("Version", [Optional()], validate_choice=False)
    document = TextAreaField(
        "Or a policy as YAML",
        [Length(max=200_000, message="At most 200,000 characters.")],
        description="Paste a whole policy; it is replayed and kept with the result, not published.",
    )
    months = IntegerField(
        "Months back",
        [
            InputRequired("Enter a number of months."),
            NumberRange(1, 24, message="From 1 to 24 months."),
        ],
        default=12,
    )
    whole_period = RadioField(
        "Partners",
        choices=choices_of(
            (
                ("since_joining", "From the day each joined the program"),
                ("whole", "All of them for the whole time, as if they had joined before it"),
            )
        ),
        default="since_joining",
    )
