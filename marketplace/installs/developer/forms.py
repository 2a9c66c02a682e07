"""The forms of the developers' pages. The services check; the forms carry."""

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    FieldList,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)

from marketplace.identity.forms import choices_of
from marketplace.installs.developer.services.keys import Lifetime

KINDS = {
    "confidential": "Confidential",
    "public": "Public",
}
KIND_TEXTS = {
    "confidential": "Runs on a server of yours, which keeps a secret. Most apps.",
    "public": "Runs on people's own machines or in their browser, and can keep no secret.",
}
LIFETIMES = {
    Lifetime.DAYS_30: "30 days",
    Lifetime.DAYS_90: "90 days",
    Lifetime.DAYS_365: "365 days",
    Lifetime.UNTIL: "Until a day of your choice",
    Lifetime.NEVER: "Never expires",
}
OWNERS = {"personal": "Mine", "organization": "The organization's"}
OWNER_TEXTS = {
    "personal": "Can do no more than you, and ends when you leave.",
    "organization": "For servers and CI. Goes on when you leave.",
}
ENVIRONMENTS = {"live": "Live", "test": "Test"}
ENVIRONMENT_TEXTS = {
    "live": "Your listings and real customers.",
    "test": "Your sandbox alone; cannot touch anything live.",
}


class NewAppForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """What an app begins with."""

    name = StringField("Name")
    listing = SelectField("Listing", validate_choice=False)
    kind = RadioField(
        "Kind", choices=choices_of(KINDS.items()), default="confidential", validate_choice=False
    )


class AppForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """What is said of an app in both environments."""

    name = StringField("Name")
    listing = SelectField("Listing", validate_choice=False)
    status_url = StringField("Status address")
    seen = HiddenField()


class ClientForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """A client's addresses and kind."""

    redirect_uris = FieldList(StringField("Redirect URI"), label="Redirect URIs", max_entries=50)
    install_url = StringField("Install address")
    configure_url = StringField("Settings address")
    kind = RadioField("Kind", choices=choices_of(KINDS.items()), validate_choice=False)
    seen = HiddenField()


class ArchiveForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """The name, typed by whoever archives the app."""

    name = StringField("Name of the app")


class KeyForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """A new key."""

    name = StringField("Name")
    owner = RadioField(
        "Whose key", choices=choices_of(OWNERS.items()), default="personal", validate_choice=False
    )
    environment = RadioField(
        "Environment",
        choices=choices_of(ENVIRONMENTS.items()),
        default="live",
        validate_choice=False,
    )
    scopes = SelectMultipleField("What it may do", validate_choice=False)
    lifetime = RadioField(
        "Expires after",
        choices=choices_of((key.value, label) for key, label in LIFETIMES.items()),
        default=Lifetime.DAYS_90.value,
        validate_choice=False,
    )
    until = DateField("Last day")


class SimulationForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """Which events to make up, and for which app."""

    app = SelectField("App", validate_choice=False)
    types = SelectMultipleField("Events", validate_choice=False)


def show_errors(form: Any, fields: Mapping[str, str]) -> list[str]:
    """Put a service's messages at the form's fields; those that belong to none are answered.

    `redirect_uris-2` is the third entry of that list.
    """
    rest: list[str] = []
    for name, message in fields.items():
        head, dash, number = name.rpartition("-")
        if name in form:
            form[name].errors = [message]
        elif dash and head in form and int(number) < len(form[head].entries):
            form[head].entries[int(number)].errors = [message]
            # A list says that something in it is wrong by its own errors.
            form[head].errors = [*form[head].errors, [message]]
        else:
            rest.append(message)
    return rest
