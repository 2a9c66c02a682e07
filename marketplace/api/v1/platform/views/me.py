"""What the token of a request is."""

from flask.typing import ResponseReturnValue

from marketplace.api.v1.platform.answers import answer, moment
from marketplace.api.v1.platform.authentication import Credential, Kind
from marketplace.api.v1.platform.guard import By, token_needs
from marketplace.api.v1.platform.operations import Group, Reply
from marketplace.api.v1.platform.queries.credentials import names_of
from marketplace.api.v1.platform.schemas.me import ME

group = Group("Tokens")


@group.operation(
    "GET",
    "/me",
    id="getMe",
    summary="Read what the token is",
    description="The kind of the token, whom it speaks for, what it may do and until when. Any "
    "token may ask.",
    replies={200: Reply("The token.", ME)},
)
@token_needs(None, by=By.ANYBODY)
def me(credential: Credential) -> ResponseReturnValue:
    """The token of this request."""
    membership = credential.actor.organization
    app = None
    if credential.app_id is not None:
        names = names_of(credential.app_id, credential.customer_id)
        app = {"id": credential.app_public_id, "name": names.app_name}
        organization = {"slug": names.slug, "name": names.name}
    else:
        assert membership is not None  # noqa: S101 - a key always acts for its organization
        organization = {
            "slug": membership.organization_slug,
            "name": membership.organization_name,
        }
    personal = credential.kind is Kind.PERSONAL_KEY
    return answer(
        {
            "kind": credential.kind.value,
            "name": credential.name or (app or {}).get("name", ""),
            "organization": organization,
            "person": {"name": credential.actor.name} if personal else None,
            "app": app,
            "installation": credential.installation_public_id,
            "environment": credential.environment.value,
            "scopes": sorted(credential.scopes),
            "expires_at": moment(credential.expires_at),
        }
    )
