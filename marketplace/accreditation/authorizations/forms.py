"""The forms. Their limits are checked by the services; here they shape the fields."""

from flask_wtf import FlaskForm
from wtforms import DateField, EmailField, SelectField, StringField, TextAreaField, URLField
from wtforms.validators import Optional

from marketplace.accreditation.authorizations.models import Authorization, ProcurementProfile
from marketplace.accreditation.authorizations.schemes import LABELS
from marketplace.accreditation.authorizations.services import Claim
from marketplace.accreditation.authorizations.texts import STATUSES
from marketplace.identity.forms import choices_of

_PROFILE = (
    "legal_name", "registration_number", "tax_id", "address", "security_contact",
    "security_email", "security_url",
)  # fmt: skip


class AuthorizationForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """An authorization."""

    listing = SelectField("Listing", validate_choice=False)
    level = SelectField(
        "Scheme and level",
        choices=choices_of([("", "Choose"), *LABELS.items()]),
        validate_choice=False,
    )
    status = SelectField(
        "Where it stands",
        choices=choices_of((key, label) for key, (label, _) in STATUSES.items()),
        validate_choice=False,
    )
    sponsor = StringField("Sponsor", description="The authority or agency, if there is one.")
    evidence_url = URLField("Evidence", description="The address where the authority says so.")
    authorized_on = DateField("Authorized on", [Optional()])
    expires_on = DateField(
        "Counts until", [Optional()], description="The last day. Empty: no end is known."
    )

    def claim(self) -> Claim:
        """What was typed, as the service takes it."""
        typed = self.listing.data or ""
        known = typed.isascii() and typed.isdigit() and len(typed) < 16
        return Claim(
            listing_id=int(typed) if known else None,
            level=self.level.data or "",
            status=self.status.data or "",
            sponsor=self.sponsor.data or "",
            evidence_url=self.evidence_url.data or "",
            authorized_on=self.authorized_on.data,
            expires_on=self.expires_on.data,
        )

    def show(self, row: Authorization) -> None:
        """Fill in what it says now."""
        self.listing.data, self.level.data = str(row.listing_id), row.level
        self.status.data, self.sponsor.data = row.status.value, row.sponsor
        self.evidence_url.data = row.evidence_url
        self.authorized_on.data, self.expires_on.data = row.authorized_on, row.expires_on


class ProfileForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What the pack says of the company."""

    legal_name = StringField("Legal name")
    registration_number = StringField("Number in the register of companies")
    tax_id = StringField("Tax number")
    address = TextAreaField("Address")
    security_contact = StringField("Who answers about security")
    security_email = EmailField("E-mail for security")
    security_url = URLField("How to report a vulnerability")

    def values(self) -> dict[str, str]:
        """What was typed."""
        return {name: self[name].data or "" for name in _PROFILE}

    def show(self, profile: ProcurementProfile | None) -> None:
        """Fill in what it says now."""
        for name in _PROFILE:
            self[name].data = getattr(profile, name, "")


class RemarkForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A reviewer's word."""

    remark = TextAreaField("What is missing or wrong")
