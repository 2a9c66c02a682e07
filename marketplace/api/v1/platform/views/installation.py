"""What an installed app may see: its installation, and its customer as far as it consented."""

from flask.typing import ResponseReturnValue

from marketplace.api.v1.parameters import Parameter
from marketplace.api.v1.platform import rendering
from marketplace.api.v1.platform.answers import PAGING, answer, answer_page, read_place
from marketplace.api.v1.platform.authentication import Credential
from marketplace.api.v1.platform.guard import By, token_needs
from marketplace.api.v1.platform.operations import Group, Reply
from marketplace.api.v1.platform.queries import events, installations
from marketplace.api.v1.platform.schemas.events import EVENT_PAGE
from marketplace.api.v1.platform.schemas.installations import CUSTOMER, INSTALLATION, MEMBER_PAGE
from marketplace.api.v1.platform.views.events import TYPE, chosen_type
from marketplace.api.v1.rendering import Links

group = Group("Installed apps")
FEED: tuple[Parameter, ...] = (*PAGING, TYPE)


@group.operation(
    "GET",
    "/installation",
    id="getInstallation",
    summary="Read the installation",
    description="The installation that the token speaks for.",
    replies={200: Reply("The installation.", INSTALLATION)},
)
@token_needs(None, by=By.INSTALLATION)
def installation(credential: Credential) -> ResponseReturnValue:
    """The token's installation."""
    return answer(rendering.installation(installations.one_installation(_number(credential))))


@group.operation(
    "GET",
    "/installation/organization",
    id="getInstallationOrganization",
    summary="Read the customer",
    description="The organization that installed the app.",
    replies={200: Reply("The organization.", CUSTOMER)},
)
@token_needs("organization.read", by=By.INSTALLATION)
def installation_organization(credential: Credential) -> ResponseReturnValue:
    """The token's customer."""
    found = installations.organization(credential.customer_id or 0)
    return answer(
        {
            "slug": found.slug,
            "name": found.name,
            "website": found.website,
            "country": found.country,
            "brand_color": found.brand_color,
            "logo_url": Links().media(found.logo_key),
        }
    )


@group.operation(
    "GET",
    "/installation/members",
    id="listInstallationMembers",
    summary="List the customer's members",
    description="Everybody in the organization that installed the app, the longest first.",
    replies={200: Reply("A page of members.", MEMBER_PAGE, ("Link",))},
    parameters=PAGING,
)
@token_needs("members.read", by=By.INSTALLATION)
def installation_members(credential: Credential) -> ResponseReturnValue:
    """The members of the token's customer."""
    place = read_place(credential, "members")
    rows = installations.members(credential.customer_id or 0, after=place.after, limit=place.limit)
    return answer_page(
        credential,
        "members",
        place,
        rows,
        number=lambda row: row.row_id,
        render=rendering.member,
    )


@group.operation(
    "GET",
    "/installation/events",
    id="listInstallationEvents",
    summary="Read the installation's events",
    description="What happened to this installation, in order, as in the partner's feed.",
    replies={200: Reply("A page of events.", EVENT_PAGE, ("Link",))},
    parameters=FEED,
)
@token_needs(None, by=By.INSTALLATION)
def installation_events(credential: Credential) -> ResponseReturnValue:
    """The feed of the token's installation."""
    place = read_place(credential, "installation events", TYPE)
    rows = events.events(
        credential.partner_id,
        credential.environment,
        installation_id=_number(credential),
        kind=chosen_type(),
        after=place.after,
        limit=place.limit,
    )
    return answer_page(
        credential,
        "installation events",
        place,
        rows,
        number=lambda row: row.row_id,
        render=rendering.event,
        endless=True,
    )


def _number(credential: Credential) -> int:
    number = credential.installation_id
    if number is None:
        raise LookupError("the guard lets installations' tokens alone in here")
    return number
