"""The feed of a partner's events."""

import re

from flask import request
from flask.typing import ResponseReturnValue

from marketplace.api.v1.parameters import Parameter
from marketplace.api.v1.platform import rendering
from marketplace.api.v1.platform.answers import PAGING, answer_page, read_place
from marketplace.api.v1.platform.authentication import Credential
from marketplace.api.v1.platform.guard import token_needs
from marketplace.api.v1.platform.operations import Group, Reply
from marketplace.api.v1.platform.queries import events
from marketplace.api.v1.platform.schemas.events import EVENT_PAGE

group = Group("Events")
_TYPE = r"[a-z_]{1,29}\.[a-z_]{1,29}"
TYPE = Parameter(
    "type",
    "Only events of this type.",
    {"type": "string", "pattern": f"^({_TYPE})?$"},
    re.compile(_TYPE),
    "Use a type such as installation.installed.",
    example="installation.installed",
)


@group.operation(
    "GET",
    "/events",
    id="listEvents",
    summary="Read the feed of events",
    description="All that webhooks tell, in order and without gaps, for the credential's "
    "environment. Keep `next` and ask it again later: it goes on where this page ended.",
    replies={200: Reply("A page of events.", EVENT_PAGE, ("Link",))},
    parameters=(*PAGING, TYPE),
)
@token_needs("partner.events.read", action="platform.read")
def partner_events(credential: Credential) -> ResponseReturnValue:
    """The partner's events."""
    place = read_place(credential, "events", TYPE)
    rows = events.events(
        credential.partner_id,
        credential.environment,
        kind=chosen_type(),
        after=place.after,
        limit=place.limit,
    )
    return answer_page(
        credential,
        "events",
        place,
        rows,
        number=lambda row: row.row_id,
        render=rendering.event,
        endless=True,
    )


def chosen_type() -> str | None:
    """The type that the address asks for."""
    return request.args.get("type") or None
