"""The forms. Their limits are checked by the services; here they shape the fields."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from marketplace.identity.countries import COUNTRIES
from marketplace.identity.forms import choices_of, one_time_key
from marketplace.pipeline.leads.models import LeadStage, Method
from marketplace.pipeline.leads.texts import (
    BUDGETS,
    CONSENT,
    METHODS,
    STAGES,
    TIME_FRAMES,
)

# The field that people do not see and machines fill in.
TRAP = "fax"


class _WhoAndWhat(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What every form about a lead asks."""

    name = StringField("Name")
    email = EmailField("E-mail address")
    company = StringField("Company")
    website = StringField("Website", description="Such as example.com.")
    country = SelectField(
        "Country", choices=choices_of([("", "Not said"), *COUNTRIES.items()]), validate_choice=False
    )
    postal_code = StringField("Postal code")
    need = TextAreaField("What is needed")
    budget = SelectField("Budget", choices=choices_of(BUDGETS.items()), validate_choice=False)
    time_frame = SelectField("When", choices=choices_of(TIME_FRAMES.items()), validate_choice=False)

    def values(self) -> dict[str, object]:
        """What was typed, by the names of the service."""
        return {
            name: self[name].data
            for name in (
                "name", "email", "company", "website", "country", "postal_code", "need",
                "budget", "time_frame",
            )
        }  # fmt: skip


class BriefForm(_WhoAndWhat):
    """A customer's brief."""

    category = SelectField("Product area", validate_choice=False)
    need = TextAreaField(
        "What do you need?",
        description="What should work in the end, for how many people, with what you have today. "
        "Leave names and numbers out: partners read this before they know who you are.",
    )
    consent = BooleanField(CONSENT)
    # Hidden from people; whoever fills it in is a machine.
    fax = StringField("Fax")


class LeadForm(_WhoAndWhat):
    """A lead that a partner registers."""

    phone = StringField("Telephone")
    listing = StringField("Product", description="Its address here or its exact name.")
    permitted = BooleanField(
        "The person agreed that we keep this and that the program's team sees it."
    )

    def values(self) -> dict[str, object]:
        """With what partners know besides."""
        return {**super().values(), "phone": self.phone.data}


class DeclineForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Why a lead is turned down."""

    reason = StringField("Why do you decline?", description="Staff read it, the customer does not.")


class StageForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A move to another stage."""

    stage = SelectField(
        "Stage",
        choices=choices_of((each.value, STAGES[each][0]) for each in LeadStage),
        validate_choice=False,
    )
    reason = StringField("Why was it lost?", description="Only when it is lost.")
    back = HiddenField()


class NoteForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A note."""

    form_key = one_time_key()
    body = TextAreaField("Note")


class TaskForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A task."""

    form_key = one_time_key()
    title = StringField("What is to do?")
    due_on = DateField("By", [Optional()])


class FileForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A file of leads."""

    file = FileField("File")


class ReviewForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What staff say of a lead."""

    verdict = HiddenField()
    reason = StringField("Reason", description="The partner reads it.")


class MergeForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Which lead it is a duplicate of."""

    into = StringField("The other lead's number", description="Such as lead_5b1f0c….")


class ReassignForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Whom a lead goes to."""

    partner = StringField(
        "Partner", description="Its address here or its exact name; empty: as the rules say."
    )
    directly = BooleanField("Give it at once, without asking")


class CloseForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Why it is closed."""

    reason = StringField("Why is it closed?")


class RuleForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A routing rule."""

    form_key = one_time_key()
    name = StringField("Name")
    countries = StringField(
        "Countries of leads", description="Codes like DE, AT. Empty: leads from everywhere."
    )
    categories = SelectMultipleField("Product areas", validate_choice=False)
    partner_types = SelectMultipleField("Types of partners", validate_choice=False)
    same_country = BooleanField("Only partners in the country of the lead")
    least_tier = SelectField("Lowest tier", validate_choice=False)
    capacity = IntegerField("Open leads at most", [Optional()], description="Empty: any number.")
    method = SelectField(
        "Whose turn",
        choices=choices_of((each.value, METHODS[each]) for each in Method),
        validate_choice=False,
    )
    weights = StringField("Weights by tier", description="Such as: silver 2, gold 3.")
    answer_hours = IntegerField("Hours to answer", [Optional()], default=48)
    is_active = BooleanField("In use", default=True)


class EmptyForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A button."""
