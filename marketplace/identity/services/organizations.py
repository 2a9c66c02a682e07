"""Creating organizations and changing what they say about themselves."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.facts import Fact, record_fact
from marketplace.core.images import LOGO, ImageRefusedError, clean_image
from marketplace.core.permissions import Actor
from marketplace.core.storage import Storage
from marketplace.identity import queries
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.events import organization_changed, partner_created
from marketplace.identity.models import (
    Membership,
    Organization,
    OrganizationKind,
    Role,
    User,
    UserSession,
)
from marketplace.identity.partner_types import OPEN_PARTNER_TYPES
from marketplace.identity.slugs import free_slug, slug_base
from marketplace.identity.type_lock import TYPE_LOCKED, is_type_locked

MAX_NAME, MAX_TAGLINE, MAX_ABOUT, MAX_WEBSITE = 80, 120, 4_000, 500
MOST_CREATED_A_DAY = 10
SAME_CLICK = timedelta(minutes=1)
NAME_KNOWN = (
    "A verified organization has this name. If it is yours, ask a colleague to invite you; "
    "otherwise choose another."
)
NAME_LOCKED = (
    "Your organization is verified under this name, so only our staff can change it. "
    "Write to us if the name has changed."
)


def create_organization(
    actor: Actor, *, name: str, kind: str, partner_type: str | None
) -> Organization:
    """A new customer or partner organization that the actor owns and acts for from now on.

    Asked for twice within a minute (a double click, a page sent again) it is created once.
    Raises InvalidError, and ConflictError when the person creates too many, or when the name's
    slug was taken by somebody else at the same moment.
    """
    if actor.user_id is None:
        raise NotFoundError
    name = " ".join(name.split())
    errors: dict[str, str] = {}
    if not 2 <= len(name) <= MAX_NAME:
        errors["name"] = f"Use 2 to {MAX_NAME} characters."
    if kind not in {OrganizationKind.CUSTOMER, OrganizationKind.PARTNER}:
        errors["kind"] = "Choose customer or partner."
    if kind == OrganizationKind.PARTNER:
        if partner_type not in OPEN_PARTNER_TYPES:
            errors["partner_type"] = "Choose what kind of partner you are."
        # Customers are seen by nobody; a partner by everybody, who must not be taken for another.
        if "name" not in errors and queries.name_belongs_to_known(name):
            errors["name"] = NAME_KNOWN
    if errors:
        raise InvalidError(errors)
    # A write first: it takes the lock that makes a double click wait for its first half.
    db.session.execute(
        update(User).where(User.id == actor.user_id).values(created_at=User.created_at)
    )
    twin = queries.created_just_now(
        actor.user_id, name, OrganizationKind(kind), since=clock.now() - SAME_CLICK
    )
    if twin is not None:
        return twin
    if _created_lately(actor.user_id) >= MOST_CREATED_A_DAY:
        raise ConflictError(
            f"You created {MOST_CREATED_A_DAY} organizations within a day. Try again tomorrow."
        )
    organization = Organization(
        name=name,
        slug=free_slug(name, queries.slugs_like(slug_base(name))),
        kind=OrganizationKind(kind),
        partner_type=partner_type if kind == OrganizationKind.PARTNER else None,
    )
    db.session.add(organization)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise ConflictError("Somebody took this name at the same moment. Try again.") from error
    db.session.add(
        Membership(user_id=actor.user_id, organization_id=organization.id, role=Role.OWNER)
    )
    row = db.session.get(UserSession, actor.session_id) if actor.session_id is not None else None
    if row is not None:
        row.organization_id = organization.id
    db.session.flush()
    record_fact(
        "organization.created",
        subject=("organization", organization.id),
        actor_user_id=actor.user_id,
        organization_id=organization.id,
        data={"kind": organization.kind.value, "partner_type": organization.partner_type},
    )
    if organization.is_partner:
        organization_changed(organization.id)
        partner_created(organization.id, actor.user_id)
    return organization


def may_rename(actor: Actor, organization: Organization) -> bool:
    """Whether the actor may change the name: of a verified partner only staff may."""
    if organization.is_partner and organization.verified_at is not None:
        return actor.is_staff_as("program_manager")
    return True


def update_organization(
    actor: Actor, organization: Organization, values: Mapping[str, Any]
) -> Organization:
    """Change the profile. `values` has name, tagline, about, website, country, brand_color and,
    for partners, partner_type. Raises InvalidError.
    """
    new = {key: _tidy(key, value) for key, value in values.items()}
    errors = _profile_errors(organization, new)
    if new["name"] != organization.name and not may_rename(actor, organization):
        errors["name"] = NAME_LOCKED
    elif (
        organization.is_partner
        and "name" not in errors
        and new["name"] != organization.name
        and queries.name_belongs_to_known(new["name"], but=organization.id)
    ):
        errors["name"] = NAME_KNOWN
    if (
        organization.is_partner
        and new["partner_type"] != (organization.partner_type or "")
        and is_type_locked(organization.id)
    ):
        errors["partner_type"] = TYPE_LOCKED
    if errors:
        raise InvalidError(errors)
    if not organization.is_partner:
        new.pop("partner_type", None)
    changed = [key for key, value in new.items() if getattr(organization, key) != value]
    for key in changed:
        setattr(organization, key, new[key])
    if changed:
        _record_change(actor, organization, changed)
    return organization


def set_logo(actor: Actor, organization: Organization, upload: bytes, storage: Storage) -> None:
    """Replace the logo by an uploaded image. Raises InvalidError (field `logo`)."""
    try:
        image = clean_image(upload, LOGO)
    except ImageRefusedError as error:
        raise InvalidError({"logo": str(error)}) from error
    if organization.logo_key == image.key:
        return
    # The file of the old logo stays: its key is a hash of its content, others may use it too.
    storage.put(image.key, image.data, image.content_type)
    organization.logo_key = image.key
    _record_change(actor, organization, ["logo"])


def remove_logo(actor: Actor, organization: Organization) -> None:
    """Go back to initials on the brand colour."""
    if organization.logo_key is not None:
        organization.logo_key = None
        _record_change(actor, organization, ["logo"])


def _record_change(actor: Actor, organization: Organization, changed: list[str]) -> None:
    record_fact(
        "organization.profile_changed",
        subject=("organization", organization.id),
        actor_user_id=actor.user_id,
        organization_id=organization.id,
        data={"fields": sorted(changed)},
    )
    organization_changed(organization.id)


def _tidy(key: str, value: Any) -> Any:
    text = (value or "").strip()
    if key in {"name", "tagline"}:
        return " ".join(text.split())
    if key == "about":
        return text.replace("\r\n", "\n")
    if key == "brand_color":
        return text.lower() or None
    if key == "country":
        return text.upper() or None
    return text


def _profile_errors(organization: Organization, new: Mapping[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not 2 <= len(new["name"]) <= MAX_NAME:
        errors["name"] = f"Use 2 to {MAX_NAME} characters."
    if len(new["tagline"]) > MAX_TAGLINE:
        errors["tagline"] = f"Use at most {MAX_TAGLINE} characters."
    if len(new["about"]) > MAX_ABOUT:
        errors["about"] = f"Use at most {MAX_ABOUT:,} characters."
    if new["website"] and not _is_web_address(new["website"]):
        errors["website"] = "Enter a whole address, like https://example.com."
    if new["country"] is not None and new["country"] not in COUNTRIES:
        errors["country"] = "Choose a country from the list."
    if new["brand_color"] is not None and not re.fullmatch(r"#[0-9a-f]{6}", new["brand_color"]):
        errors["brand_color"] = "Use six hexadecimal digits after a #, like #0f766e."
    # A type that the policy has no more stays until another is chosen.
    kept = new.get("partner_type") == organization.partner_type
    if organization.is_partner and not kept and new.get("partner_type") not in OPEN_PARTNER_TYPES:
        errors["partner_type"] = "Choose what kind of partner you are."
    return errors


def _is_web_address(value: str) -> bool:
    if len(value) > MAX_WEBSITE or re.search(r"[\s<>\"'\\]", value):
        return False
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "." in host and parts.username is None


def _created_lately(user_id: int) -> int:
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Fact)
            .where(
                Fact.kind == "organization.created",
                Fact.actor_user_id == user_id,
                Fact.happened_at > clock.now() - timedelta(days=1),
            )
        )
        or 0
    )
