"""The style guide: every component of the design system with its states, on sample data."""

import re
from pathlib import Path
from typing import Any

from flask import current_app, render_template
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DecimalField,
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
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from marketplace.core.permissions import needs
from marketplace.site.blueprint import blueprint
from marketplace.site.policies import may_see_style_guide as _rule  # noqa: F401 - registers it


def _choices(**labels: str) -> list[SelectChoice]:
    return [SelectChoice(value=value, label=label) for value, label in labels.items()]


_PUBLISHERS = (
    ("Northlane", "northlane", True),
    ("Fjord Labs", "fjord-labs", False),
    ("Halden", "halden", True),
)


class ScopeForm(Form):  # type: ignore[misc]  # wtforms has no types
    """A row of the repeatable fields."""

    scope = StringField("Scope", validators=[DataRequired()])
    reason = StringField("Reason", validators=[DataRequired()])


class GuideForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """One field of each kind."""

    name = StringField("Name", validators=[DataRequired(), Length(max=60)])
    website = StringField("Website")
    price = DecimalField("Price")
    category = SelectField("Category", choices=_choices(crm="Sales and CRM", finance="Finance"))
    description = TextAreaField("Description", validators=[DataRequired()])
    kind = RadioField(
        "Kind", choices=_choices(app="App", integration="Integration", service="Service")
    )
    languages = SelectMultipleField(
        "Languages", choices=_choices(en="English", de="German", fr="French")
    )
    beta = BooleanField("This listing is a beta")
    rating = RadioField("Your rating", choices=_choices(**{str(n): str(n) for n in range(1, 6)}))
    logo = FileField("Logo")
    scopes = FieldList(FormField(ScopeForm), label="Scopes", min_entries=2)


class RefusedForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """Fields that are wrong."""

    title = StringField("Title", validators=[DataRequired("Give it a title.")])
    link = StringField("Link", validators=[DataRequired("Enter a full web address.")])
    audience = SelectMultipleField(
        "Audience",
        choices=_choices(customers="Customers", partners="Partners"),
        validators=[DataRequired("Choose at least one.")],
    )
    terms = BooleanField("I have read the terms", validators=[DataRequired("Tick this to go on.")])


@blueprint.get("/style-guide")
@needs("site.style_guide")
def style_guide() -> ResponseReturnValue:
    """Every component with its states."""
    values = {
        "name": "Pipewise",
        "kind": "integration",
        "languages": ["en", "de"],
        "rating": "4",
        "description": "Keeps **deals** and contacts the same in both places.",
        "scopes": [
            {"scope": "contacts.read", "reason": "To find the person who wrote"},
            {"scope": "", "reason": ""},
        ],
    }
    refused = RefusedForm(formdata=None, meta={"csrf": False})
    refused.validate()
    return render_template(
        "site/style_guide.html",
        form=GuideForm(formdata=None, data=values, meta={"csrf": False}),
        refused=refused,
        listings=_listings(),
        segments=[
            {"op": "equal", "text": "Keeps deals and "},
            {"op": "delete", "text": "people"},
            {"op": "insert", "text": "contacts"},
            {"op": "equal", "text": " the same in both places."},
        ],
        icon_names=_icon_names(),
    )


def _listings() -> list[dict[str, Any]]:
    samples = (
        ("Pipewise", "Keeps deals and contacts the same in both places", "#1f6feb", "active", 4.6),
        ("Ledgerly", "Books every invoice the moment it is sent", "#ffe01b", "beta", None),
        ("Signal", "Tells the right channel when a customer writes", "#4a154b", "active", 3.9),
        ("Old Courier", "Sends parcels from the order page", "#9f1239", "deprecated", 2.8),
    )
    listings = []
    for number, (name, tagline, color, status, rating) in enumerate(samples):
        publisher, slug, verified = _PUBLISHERS[number % len(_PUBLISHERS)]
        listings.append(
            {
                "slug": name.lower().replace(" ", "-"),
                "href": "#cards",
                "name": name,
                "tagline": tagline,
                "kind": ("integration", "app", "service", "template")[number],
                "status": status,
                "publisher": {"name": publisher, "slug": slug, "verified": verified},
                "brand_color": color,
                "logo_url": None,
                "rating": rating,
                "rating_count": 128 if rating else 0,
                "pricing": ("freemium", "free", "paid", "contact")[number],
                "certified": number == 0,
                "categories": [{"name": "Sales and CRM"}],
            }
        )
    return listings


def _icon_names() -> list[str]:
    sprite = Path(str(current_app.static_folder)) / "img" / "icons.svg"
    return sorted(set(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite.read_text())))
