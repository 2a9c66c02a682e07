"""What a credential is."""

from marketplace.api.v1.platform.authentication import Kind
from marketplace.api.v1.platform.schemas.parts import (
    choice,
    maybe,
    moment,
    part,
    shape,
    text,
    texts,
)
from marketplace.installs.models import Environment

ENVIRONMENTS = tuple(each.value for each in Environment)

ORGANIZATION_BRIEF = shape(
    "OrganizationBrief",
    "An organization.",
    slug=text("Its slug.", "blue-kite"),
    name=text("Its name.", "Blue Kite"),
)
APP_BRIEF = shape(
    "AppBrief",
    "An app.",
    id=text("Its id.", "app_3f9a1c0b2d4e5f6071829304"),
    name=text("Its name.", "Tide Tables"),
)
PERSON_BRIEF = shape("PersonBrief", "A person.", name=text("The name.", "Ada Okafor"))
ME = shape(
    "Me",
    "What the token of this request is.",
    kind=choice(
        tuple(each.value for each in Kind),
        "An installation's token, an app by client credentials, or a key.",
        "organization_key",
    ),
    name=text("The key's name, or the app's.", "CI"),
    organization=part(
        "OrganizationBrief",
        "Whom it speaks for: the customer of an installation, otherwise the partner.",
    ),
    person=maybe("PersonBrief", "Whose personal key it is."),
    app=maybe("AppBrief", "The app whose token it is."),
    installation=text(
        "The installation's id, for its tokens.", "inst_3f9a1c0b2d4e5f6071829304", null=True
    ),
    environment=choice(ENVIRONMENTS, "Live, or test: the sandbox alone.", "live"),
    scopes=texts("What it may do, sorted.", ["partner.listings.read", "partner.listings.write"]),
    expires_at=moment("When it ends; null: not by itself.", null=True),
)
