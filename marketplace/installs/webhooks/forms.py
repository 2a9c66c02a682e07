"""The forms of the webhook pages. The services check; the forms carry."""

from collections.abc import Sequence

from flask_wtf import FlaskForm
from wtforms import (
    DateTimeLocalField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)

from marketplace.identity.forms import choices_of
from marketplace.installs.models import App
from marketplace.installs.webhooks.event_types import CHOOSABLE

ENVIRONMENTS = {"live": "Live", "test": "Test"}
ENVIRONMENT_TEXTS = {
    "live": "Events of customers and of your listings.",
    "test": "Events of your sandbox.",
}


class EndpointForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """Where events go and which. `seen` is of what a change began with."""

    seen = HiddenField()
    url = StringField("Address")
    description = StringField("Description")
    app = SelectField("App", validate_choice=False)
    event_types = SelectMultipleField(
        "Events",
        choices=choices_of((kind.name, f"{kind.title} ({kind.name})") for kind in CHOOSABLE),
        validate_choice=False,
    )

    def offer_apps(self, apps: Sequence[App]) -> None:
        """Offer all apps, or one of these."""
        self.app.choices = choices_of(
            [("", "All apps, and what concerns none"), *((app.public_id, app.name) for app in apps)]
        )


class NewEndpointForm(EndpointForm):
    """What an endpoint begins with; its environment stays."""

    environment = RadioField(
        "Environment",
        choices=choices_of(ENVIRONMENTS.items()),
        default="live",
        validate_choice=False,
    )


class EnableForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """Whether, and since when, what was missed is sent."""

    missed = RadioField("What was missed", default="disabled", validate_choice=False)
    since = DateTimeLocalField("Since (UTC)", format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
