"""The forms of the curation pages. The services check; here they shape the fields."""

from flask_wtf import FlaskForm
from wtforms import (
    DateTimeLocalField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Optional

from marketplace.catalogue.curation.icons import CATEGORY_ICONS

# The first is what browsers show; the others are what they may send.
_MOMENT_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


class CollectionForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A collection's words and times."""

    title = StringField("Title", validators=[DataRequired("Enter a title.")])
    description = TextAreaField("Description", description="One or two sentences under the title.")
    position = IntegerField(
        "Place among the collections",
        description="The smallest number comes first.",
        default=0,
        validators=[InputRequired("Enter a number.")],
    )
    starts_at = DateTimeLocalField(
        "Shown from (UTC)",
        format=_MOMENT_FORMATS,
        description="Empty: at once.",
        validators=[Optional()],
    )
    ends_at = DateTimeLocalField(
        "Shown until (UTC)",
        format=_MOMENT_FORMATS,
        description="Empty: without end.",
        validators=[Optional()],
    )


class CategoryForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A category's words and icon."""

    name = StringField("Name", validators=[DataRequired("Enter a name.")])
    description = StringField("Description", description="What belongs into it, in one sentence.")
    icon = SelectField(
        "Icon", choices={name: name.replace("-", " ") for name in CATEGORY_ICONS}, default="box"
    )


class MergeForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Where a category's listings go. Its choices are set by the view."""

    into = SelectField("Merge into", validate_choice=False)


class SynonymForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """One group of synonyms."""

    terms = TextAreaField(
        "Terms",
        description="One a line. Searching for any of them finds all of them.",
        validators=[DataRequired("Enter two terms or more, one a line.")],
    )


class SuspensionForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """The reason of a suspension."""

    reason = TextAreaField("Reason", validators=[DataRequired("Give the reason.")])
