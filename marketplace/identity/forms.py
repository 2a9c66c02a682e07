"""Forms of the account and organization pages. What is allowed is for the services to say."""

import secrets
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    URLField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from marketplace.core.errors import InvalidError
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.models import OrganizationKind, Role
from marketplace.identity.partner_types import OPEN_PARTNER_TYPES, PARTNER_TYPES
from marketplace.identity.roles import DESCRIPTIONS, LABELS
from marketplace.identity.services.organizations import (
    MAX_ABOUT,
    MAX_NAME,
    MAX_TAGLINE,
    MAX_WEBSITE,
)


def choices_of(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """What a select offers, of pairs of a value and a label."""
    return [SelectChoice(value=value, label=label) for value, label in pairs]


def one_time_key() -> HiddenField:
    """A field that names a form when it is shown, so that what is sent twice is made once."""
    return HiddenField(default=lambda: secrets.token_hex(16))


def at_most(length: int) -> Length:
    """The greatest length, told to the browser too."""
    return Length(max=length, message=f"Use at most {length:,} characters.")


@lru_cache(maxsize=1)
def timezone_choices() -> list[tuple[str, str]]:
    """The zones that are named by a region and a place, UTC first."""
    regions = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/")
    named = sorted(
        zone for zone in available_timezones() if zone.startswith((*regions, "Indian/", "Pacific/"))
    )
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in named)]


def role_choices(roles: tuple[Role, ...]) -> list[SelectChoice]:
    """The roles with what they are for."""
    return choices_of(
        (role.value, f"{LABELS[role]}: {DESCRIPTIONS[role].lower()}") for role in roles
    )


def show_errors(form: FlaskForm, error: InvalidError) -> list[str]:
    """Put a service's messages at their fields; those that belong to none are returned."""
    others = []
    for name, text in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, text]
        else:
            others.append(text)
    return others


def renamed(error: InvalidError, name: str, field: str) -> InvalidError:
    """The error with the message at `name` moved to the form's `field`."""
    return InvalidError({(field if key == name else key): v for key, v in error.fields.items()})


class AccountForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """How a person is called, and their time zone."""

    name = StringField("Your name", [InputRequired("Enter your name."), at_most(120)])
    timezone = SelectField("Time zone", validate_choice=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = timezone_choices()
        # A zone by an old name stays choosable for whoever has it.
        if self.timezone.data and all(self.timezone.data != value for value, _ in choices):
            if self.timezone.data in available_timezones():
                choices = [*choices, (self.timezone.data, self.timezone.data)]
        self.timezone.choices = choices_of(choices)


class EmailForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Which of the confirmed addresses mail goes to."""

    email = SelectField("Send mail to", validate_choice=False)


class NewEmailForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """An address to confirm."""

    new_email = EmailField("New address", [InputRequired("Enter an e-mail address.")])


class OrganizationForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A new organization."""

    organization_name = StringField("Name", [InputRequired("Enter the organization's name.")])
    kind = RadioField(
        "What do you want to do here?",
        choices=choices_of(
            [
                (OrganizationKind.CUSTOMER.value, "Find and use apps"),
                (OrganizationKind.PARTNER.value, "Offer apps or services"),
            ]
        ),
        default=OrganizationKind.CUSTOMER.value,
    )
    partner_type = SelectField(
        "Kind of partner",
        choices=lambda: choices_of([("", "Choose one"), *OPEN_PARTNER_TYPES.items()]),
        default="",
        validate_choice=False,
    )


class OrganizationProfileForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What an organization says about itself. `version`: as it was when the form was opened."""

    version = HiddenField()
    name = StringField("Name", [InputRequired("Enter the name."), at_most(MAX_NAME)])
    partner_type = SelectField("Kind of partner", validate_choice=False)
    tagline = StringField("Tagline", [at_most(MAX_TAGLINE)])
    about = TextAreaField("About", [at_most(MAX_ABOUT)])
    website = URLField("Website", [at_most(MAX_WEBSITE)])
    country = SelectField(
        "Country", choices=choices_of([("", "Not said"), *COUNTRIES.items()]), validate_choice=False
    )
    brand_color = StringField("Brand colour", [at_most(7)])
    logo = FileField("Logo")
    remove_logo = BooleanField("Remove the logo")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What it is stays choosable, also when nobody can become it any more.
        own = self.partner_type.object_data or ""
        choices = dict(OPEN_PARTNER_TYPES)
        if own and own not in choices:
            choices = {own: PARTNER_TYPES.get(own, own), **choices}
        self.partner_type.choices = choices_of(choices.items())


class InviteForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Whom to invite, as what."""

    email = EmailField("E-mail address", [InputRequired("Enter an e-mail address.")])
    role = SelectField("Role", validate_choice=False)
