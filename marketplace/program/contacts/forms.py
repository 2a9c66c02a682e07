"""The forms. What is allowed is for the services to say."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    EmailField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from marketplace.core.permissions import current_actor
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.forms import at_most, choices_of, one_time_key
from marketplace.program.contacts.models import ContactRole
from marketplace.program.contacts.services.conversations import MOST_BODY, MOST_SUBJECT
from marketplace.program.contacts.services.meetings import LENGTHS
from marketplace.program.contacts.texts import ROLES

_YEARS = range(2000, 2200)


def in_utc(local: datetime | None) -> datetime | None:
    """What the person typed in their own time zone, in UTC; None for years that are a mistake."""
    if local is None or local.year not in _YEARS:
        return None
    return local.replace(tzinfo=ZoneInfo(current_actor().timezone)).astimezone(UTC)


def end_of_day(day: date | None) -> datetime | None:
    """The moment at which a day ends in UTC; None for years that are a mistake."""
    if day is None or day.year not in _YEARS:
        return None
    return datetime.combine(day + timedelta(days=1), time(0), tzinfo=UTC)


class MessageForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A message to a contact."""

    form_key = one_time_key()
    subject = StringField("Subject", [InputRequired("Enter a subject."), at_most(MOST_SUBJECT)])
    body = TextAreaField("Message", [InputRequired("Write something."), at_most(MOST_BODY)])


class ReplyForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """An answer."""

    form_key = one_time_key()
    body = TextAreaField("Your answer", [InputRequired("Write something."), at_most(MOST_BODY)])


class BookingForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Times that are proposed for a meeting, in the person's own time zone."""

    form_key = one_time_key()
    subject = StringField(
        "What is it about?", [InputRequired("Enter a subject."), at_most(MOST_SUBJECT)]
    )
    body = TextAreaField("What should be known before?", [at_most(MOST_BODY)])
    minutes = SelectField(
        "How long",
        choices=choices_of((str(each), f"{each} minutes") for each in LENGTHS),
        default="30",
        validate_choice=False,
    )
    first = DateTimeLocalField("First choice", [InputRequired("Propose at least one time.")])
    second = DateTimeLocalField("Second choice", [Optional()])
    third = DateTimeLocalField("Third choice", [Optional()])

    def slots(self) -> list[datetime]:
        """The proposed times in UTC."""
        found = [in_utc(each.data) for each in (self.first, self.second, self.third)]
        return [each for each in found if each is not None]

    def length(self) -> int:
        """The minutes; 30 for a length that is not offered."""
        value = self.minutes.data or ""
        return next((each for each in LENGTHS if str(each) == value), 30)


class AgreeForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A proposed time, or another one."""

    slot = HiddenField()
    other = DateTimeLocalField("Another time", [Optional()])

    def chosen(self) -> datetime | None:
        """The chosen time in UTC."""
        if self.slot.data:
            try:
                found = datetime.fromisoformat(self.slot.data)
            except ValueError:
                return None
            aware = found if found.tzinfo else found.replace(tzinfo=UTC)
            return aware.astimezone(UTC) if aware.year in _YEARS else None
        return in_utc(self.other.data)


class VisitorForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A visitor's message."""

    form_key = one_time_key()
    where = HiddenField()
    name = StringField("Your name", [InputRequired("Enter your name."), at_most(120)])
    email = EmailField(
        "Your e-mail address", [InputRequired("Enter your e-mail address."), at_most(254)]
    )
    subject = StringField("Subject", [InputRequired("Enter a subject."), at_most(MOST_SUBJECT)])
    body = TextAreaField("Message", [InputRequired("Write something."), at_most(MOST_BODY)])


class AssignmentForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Who is there for whom. One of partner, country and region, or none: for everybody."""

    role = SelectField(
        "Role",
        choices=choices_of((role.value, label) for role, label in ROLES.items()),
        validate_choice=False,
    )
    reach = SelectField(
        "For",
        choices=choices_of(
            [
                ("everybody", "Everybody else"),
                ("region", "A region"),
                ("country", "A country"),
                ("partner", "One partner"),
            ]
        ),
        validate_choice=False,
    )
    region = SelectField("Region", validate_choice=False)
    country = SelectField(
        "Country",
        choices=choices_of([("", "Choose one"), *COUNTRIES.items()]),
        validate_choice=False,
    )
    partner = StringField("Partner", description="Its name, or the address of its page here.")
    user = SelectField("Person", validate_choice=False)
    backup = SelectField("Stands in", validate_choice=False)

    def chosen_role(self) -> ContactRole | None:
        """The role, None for one that there is not."""
        value = self.role.data or ""
        return ContactRole(value) if value in set(ContactRole) else None


class AbsenceForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Until when somebody is away: to the end of that day, UTC."""

    person = SelectField("Person", validate_choice=False)
    until = DateField("Away until the end of", [Optional()])
    is_back = BooleanField("Is back")


class RegionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A region."""

    name = StringField("Name", [InputRequired("Enter a name."), Length(max=80)])
    countries = SelectMultipleField(
        "Countries", choices=choices_of(COUNTRIES.items()), validate_choice=False
    )

    def codes(self) -> list[str]:
        """The countries that there are."""
        return [each for each in self.countries.data or [] if each in COUNTRIES]


class HandOverForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Who takes a conversation over."""

    person = SelectField("Hand over to", validate_choice=False)


class ContactMadeForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A call or a visit."""

    note = StringField("What was it about?", [at_most(300)])


class ManagerForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Who manages the program for the partner."""

    member = SelectField("Your program manager", validate_choice=False)
