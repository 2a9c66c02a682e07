"""Sample values with which templates/site/style_guide.html shows its components."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wtforms import (
    BooleanField,
    FieldList,
    FileField,
    Form,
    FormField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length

ICON_NAMES = Path(__file__).parents[2] / "static" / "vendor" / "lucide" / "icons.txt"

KINDS = [("app", "App"), ("integration", "Integration"), ("service", "Service")]
LANGUAGES = [("en", "English"), ("de", "German"), ("fr", "French"), ("ja", "Japanese")]
STARS = [(str(number), str(number)) for number in range(5, 0, -1)]


class SampleScope(Form):  # type: ignore[misc]  # WTForms is untyped
    """One row of the repeatable rows."""

    scope = StringField("Scope")
    reason = StringField("Why it is needed")


class SampleForm(Form):  # type: ignore[misc]  # WTForms is untyped
    """A field of every sort."""

    name = StringField("Name", [InputRequired("Enter a name."), Length(max=60)])
    website = StringField("Website")
    price = StringField("Starting price")
    description = TextAreaField("Description", [Length(max=20000)])
    category = SelectField("Main category", choices=[("crm", "CRM"), ("finance", "Finance")])
    kind = RadioField("Kind", choices=KINDS, default="app")
    languages = SelectMultipleField("Languages", choices=LANGUAGES, default=["en", "de"])
    beta = BooleanField("Show this listing as beta")
    logo = FileField("Logo")
    scopes = FieldList(FormField(SampleScope), "Scopes", min_entries=1)
    rating = RadioField("Your rating", choices=STARS, default="4")


class RefusedForm(Form):  # type: ignore[misc]  # WTForms is untyped
    """A form that was sent with mistakes."""

    title = StringField("Name", [InputRequired("Enter a name.")])
    link = StringField("Support address")
    audience = SelectMultipleField("Who is it for", choices=[("a", "Agencies"), ("b", "Shops")])
    terms = BooleanField("I have read the programme terms")


def _listing(name: str, publisher: str, tagline: str, **more: Any) -> Mapping[str, Any]:
    return {
        "slug": name.lower().replace(" ", "-"),
        "href": "#listing",
        "name": name,
        "tagline": tagline,
        "kind": "app",
        "status": "active",
        "publisher": {"name": publisher, "slug": publisher.lower(), "verified": True},
        "brand_color": None,
        "logo_url": None,
        "rating": None,
        "rating_count": 0,
        "pricing": "freemium",
        "certified": False,
        "categories": [{"name": "Sales and CRM"}, {"name": "Automation"}],
        **more,
    }


def listings() -> list[Mapping[str, Any]]:
    """Return a listing for each look a card can have."""
    return [
        _listing(
            "Pipewise",
            "Northlane",
            "Keep deals, contacts and forecasts in step with your inbox.",
            brand_color="#1f6feb",
            rating=4.7,
            rating_count=1284,
            certified=True,
        ),
        _listing(
            "Ledgerly",
            "Oak & Penny",
            "Two-way sync of invoices, payments and tax codes with your books.",
            brand_color="#ffe01b",
            kind="integration",
            rating=4.2,
            rating_count=96,
            pricing="free",
        ),
        _listing(
            "SignalBoard",
            "Fjord Analytics",
            "Dashboards that say what changed since you last looked, and why.",
            brand_color="#7a3cff",
            status="beta",
            pricing="paid",
        ),
        _listing(
            "Onboarding by Halden",
            "Halden Consulting",
            "A fixed-price launch: import, training and a month of support.",
            brand_color="#0d3b2e",
            kind="service",
            rating=3.4,
            rating_count=12,
            pricing="contact",
        ),
        _listing(
            "A very long name for an integration that somebody surely will enter one day",
            "A publisher whose name does not fit into a single line of a card",
            "And a tagline that runs on until it reaches the end of the second line of the card, "
            "where it is cut off with an ellipsis.",
            kind="template",
            status="deprecated",
        ),
        _listing("Café Orders", "Bistro", "Orders from the counter, straight into stock."),
    ]


def context() -> dict[str, Any]:
    """Return everything that the style guide's template needs, without a database or a request."""
    form = SampleForm(
        data={
            "name": "Pipewise",
            "website": "pipewise.example",
            "description": "Keeps **deals** in step with your inbox.",
            "category": "crm",
            "kind": "app",
            "languages": ["en", "de"],
            "rating": "4",
            "scopes": [
                {"scope": "contacts.read", "reason": "To match senders with your contacts"},
                {"scope": "deals.write", "reason": "To log a reply on its deal"},
            ],
        }
    )
    refused = RefusedForm(data={"title": "", "link": "support(at)example", "terms": False})
    refused.title.errors = ("Enter a name.",)
    refused.link.errors = ("Enter an address that starts with https://, or an e-mail address.",)
    refused.audience.errors = ("Choose at least one.",)
    refused.terms.errors = ("Read and accept the terms to go on.",)
    return {
        "form": form,
        "refused": refused,
        "listings": listings(),
        "icon_names": ICON_NAMES.read_text(encoding="utf-8").split(),
        "segments": [
            {"op": "equal", "text": "Keeps deals in step with your "},
            {"op": "delete", "text": "mail"},
            {"op": "insert", "text": "inbox and calendar"},
            {"op": "equal", "text": ", so that nobody copies notes by hand"},
            {"op": "insert", "text": " again"},
            {"op": "equal", "text": "."},
        ],
    }
