"""Who asks: an installed app, a partner's app by itself, or a key. One query a request.

Nothing is kept between requests, so that revoking a token or a key ends it at once.
"""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, request
from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import aliased

from marketplace.api.v1.platform.errors import (
    PausedError,
    SuspendedError,
    TokenInAddressError,
    TokenRefusedError,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import Actor, MembershipInfo
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User
from marketplace.installs.credentials import PREFIXES, hash_secret
from marketplace.installs.developer.key_scopes import usable_scopes
from marketplace.installs.models import AccessKey, Environment, InstallationState
from marketplace.installs.oauth.tokens import MAX_TOKEN_LENGTH, LiveToken, find_access_token

_TOKEN, _PERSONAL, _ORGANIZATION = (
    PREFIXES[name] for name in ("access_token", "personal_key", "organization_key")
)
# What organization credentials may do: what an editor may, on top of their scopes.
ORGANIZATION_ROLE = Role.EDITOR


class Kind(enum.StrEnum):
    """What a credential is. `app` is a partner's app by client credentials."""

    INSTALLATION = "installation"
    APP = "app"
    PERSONAL_KEY = "personal_key"
    ORGANIZATION_KEY = "organization_key"


@dataclass(frozen=True, slots=True)
class Credential:
    """Who asks, and what for.

    `owner` names the credential for limits and repeated requests; it outlives the single token.
    `withheld` are scopes of a personal key that its person's role does not allow.
    """

    kind: Kind
    owner: str
    label: str
    partner_id: int
    environment: Environment
    scopes: frozenset[str]
    actor: Actor
    expires_at: datetime | None
    withheld: frozenset[str] = frozenset()
    name: str = ""
    key_id: int | None = None
    token_id: int | None = None
    app_id: int | None = None
    app_public_id: str | None = None
    installation_id: int | None = None
    installation_public_id: str | None = None
    customer_id: int | None = None
    state: InstallationState | None = None
    is_suspended: bool = False

    @property
    def is_partner(self) -> bool:
        """Whether it speaks for a partner, not for a customer's installation."""
        return self.kind is not Kind.INSTALLATION

    @property
    def owner_of_lists(self) -> str:
        """Whose lists it reads; a cursor serves all credentials of one owner."""
        whose = f"i{self.installation_id}" if self.installation_id else f"p{self.partner_id}"
        return f"{whose} {self.environment.value}"


def read_token() -> str:
    """The bearer token of the request's header. Raises TokenRefusedError, TokenInAddressError."""
    query = request.environ.get("QUERY_STRING", "")
    # What looks like a token of ours was refused before; this one may be anybody's.
    if "access_token=" in query:
        raise TokenInAddressError(
            "Send the token as `Authorization: Bearer …`. This one stood in the address, where "
            "logs may keep it: revoke it."
        )
    scheme, _space, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise TokenRefusedError("Send a token as `Authorization: Bearer …`.", headers=challenge())
    return str(token)


def find_credential(token: str) -> Credential | None:
    """What a token stands for, or None when it is unknown, expired or revoked. One query."""
    if len(token) > MAX_TOKEN_LENGTH:
        return None
    # On a connection of its own: a session costs as much as the query, and many reads need none.
    if token.startswith(_TOKEN):
        with db.engine.connect() as connection:
            found = find_access_token(token, connection)
        return _of_token(found) if found is not None else None
    if token.startswith((_PERSONAL, _ORGANIZATION)):
        with db.engine.connect() as connection:
            rows = connection.execute(_KEYS, {"hash": hash_secret(token)}).all()
        return _of_key(rows) if rows else None
    return None


def refuse_blocked(credential: Credential) -> None:
    """Raise SuspendedError or PausedError for what ends by itself, so that it may be told."""
    if credential.is_suspended:
        raise SuspendedError("The organization or the listing is suspended. Its people know why.")
    if credential.state is InstallationState.PAUSED:
        raise PausedError("The customer or its plan paused this installation. Ask again later.")


def challenge(error: str = "", scope: str = "") -> dict[str, str]:
    """The WWW-Authenticate header of a refusal (RFC 6750)."""
    base = current_app.config["PUBLIC_URL"]
    parts = [f'Bearer realm="{base}/api/v1"']
    if error:
        parts.append(f'error="{error}"')
    if scope:
        parts.append(f'scope="{scope}"')
    parts.append(
        f'resource_metadata="{base}/.well-known/oauth-protected-resource/api/v1"',
    )
    return {"WWW-Authenticate": ", ".join(parts)}


_member_of = aliased(Organization)
# One row for each membership of the key's person; one row for an organization's key.
_KEYS = (
    select(
        AccessKey.id,
        AccessKey.organization_id,
        AccessKey.user_id,
        AccessKey.environment,
        AccessKey.name,
        AccessKey.hint,
        AccessKey.scopes,
        AccessKey.expires_at,
        AccessKey.revoked_at,
        Organization.slug,
        Organization.name.label("organization_name"),
        Organization.kind,
        Organization.suspended_at,
        User.name.label("user_name"),
        User.email,
        User.timezone,
        User.deactivated_at,
        Membership.role,
        _member_of.id.label("member_of"),
        _member_of.slug.label("member_slug"),
        _member_of.name.label("member_name"),
        _member_of.kind.label("member_kind"),
    )
    .join(Organization, AccessKey.organization_id == Organization.id)
    .outerjoin(User, AccessKey.user_id == User.id)
    .outerjoin(Membership, Membership.user_id == User.id)
    .outerjoin(_member_of, Membership.organization_id == _member_of.id)
    .where(AccessKey.token_hash == bindparam("hash"))
    .order_by(Membership.id)
)


def _of_key(rows: Any) -> Credential | None:
    key = rows[0]
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= clock.now()):
        return None
    granted = frozenset(key.scopes)
    if key.user_id is None:
        actor, scopes = _organization_actor(key), granted
    else:
        person = _personal_actor(rows)
        if person is None:
            return None
        actor = person
        scopes = usable_scopes(granted, actor.role_in(key.organization_id))
    return Credential(
        kind=Kind.PERSONAL_KEY if key.user_id else Kind.ORGANIZATION_KEY,
        owner=f"key:{key.id}",
        label=f"key …{key.hint}",
        partner_id=key.organization_id,
        environment=key.environment,
        scopes=scopes,
        withheld=granted - scopes,
        actor=actor,
        expires_at=key.expires_at,
        name=key.name,
        key_id=key.id,
        is_suspended=key.suspended_at is not None,
    )


def _organization_actor(key: Row[Any]) -> Actor:
    return _acting_for(
        MembershipInfo(
            key.organization_id,
            key.slug,
            key.organization_name,
            key.kind.value,
            ORGANIZATION_ROLE.value,
        )
    )


def _acting_for(membership: MembershipInfo) -> Actor:
    # No person acts, so that what is written says nobody's name.
    return Actor(
        name=membership.organization_name, organization=membership, organizations=(membership,)
    )


def _personal_actor(rows: Any) -> Actor | None:
    """The key's person with all memberships; None when no (longer an) active member."""
    key = rows[0]
    if key.deactivated_at is not None:
        return None
    infos = tuple(
        MembershipInfo(
            row.member_of, row.member_slug, row.member_name, row.member_kind.value, row.role.value
        )
        for row in rows
        if row.member_of is not None
    )
    active = next((info for info in infos if info.organization_id == key.organization_id), None)
    if active is None:
        return None
    return Actor(
        user_id=key.user_id,
        name=key.user_name,
        email=key.email or "",
        timezone=key.timezone,
        organization=active,
        organizations=infos,
    )


def _of_token(token: LiveToken) -> Credential:
    if token.installation_id is not None:
        kind, owner, label, actor = (
            Kind.INSTALLATION,
            f"installation:{token.installation_id}",
            "app token of an installation",
            Actor(),
        )
    else:
        kind, owner, label = Kind.APP, f"client:{token.client_id}", "app token"
        # Names are not needed to decide; they are read where they are shown.
        actor = _acting_for(
            MembershipInfo(
                token.publisher_id, "", "", OrganizationKind.PARTNER.value, ORGANIZATION_ROLE.value
            )
        )
    return Credential(
        kind=kind,
        owner=owner,
        label=label,
        partner_id=token.publisher_id,
        environment=token.environment,
        scopes=token.scopes,
        actor=actor,
        expires_at=token.expires_at,
        token_id=token.token_id,
        app_id=token.app_id,
        app_public_id=token.app_public_id,
        installation_id=token.installation_id,
        installation_public_id=token.installation_public_id,
        customer_id=token.organization_id,
        state=token.installation_state,
        is_suspended=token.is_suspended,
    )
