"""The forms of hosts. Their limits are checked by the services."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import SelectField, StringField

from marketplace.program.hosts.models import HostKind


class HostForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A host to map."""

    host = StringField("Host", description="Such as partners.example.com, without https://.")


class StaffHostForm(HostForm):
    """A host that staff map: to the program, or for a partner."""

    kind = SelectField(
        "Shows",
        choices={
            HostKind.PROGRAM.value: "The program's portal",
            HostKind.WHITE_LABEL.value: "A white-label partner's listings",
        },
        validate_choice=False,
    )
    partner = StringField("Partner", description="Name or address here, for white label alone.")


class BrandForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """How a white-label host looks."""

    name = StringField("Name", description="Stands in the header, in titles and in mail.")
    color = StringField("Colour", description="Of the header and buttons, like #0f766e.")
    contact = StringField(
        "Contact", description="A mail or web address; shown at the foot of every page."
    )
    logo = FileField("Logo")


class SenderForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Where mail of a white-label host comes from."""

    sender = StringField(
        "Sender's address",
        description="Our mail server must be allowed to send for it (SPF, DKIM). Empty: "
        "no-reply at the host itself.",
    )
