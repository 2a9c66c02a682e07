"""Mapping hosts: the program's own by staff, a partner's by the partner once it is proven."""

import re
import secrets
import unicodedata
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.images import LOGO, ImageRefusedError, clean_image
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.storage import Storage
from marketplace.identity.models import Organization
from marketplace.program.hosts.guard import own_hosts
from marketplace.program.hosts.live import forget_hosts_after_commit
from marketplace.program.hosts.models import HostKind, HostState, MappedHost
from marketplace.program.hosts.names import HostNameError, typed_host
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import place_of
from marketplace.program.standing.taking_part import why_not

ENTITLEMENT = "white_label"
MOST_OF_A_PARTNER = 5
# After this a request that was not proven gives way to whoever asks for the host next.
PROVE_WITHIN = timedelta(days=14)
TAKEN = "This host is mapped already."
_COLOR = re.compile(r"#[0-9a-f]{6}")
_ADDRESS = re.compile(r"[^@\s<>\"',;:\\]{1,64}@[a-z0-9.-]{3,189}", re.IGNORECASE)


def may_white_label(organization: Organization) -> bool:
    """Whether a partner that takes part in the program may have hosts under its own name: by its
    type, or entitled to it."""
    place, live = place_of(organization.id), current_policy()
    if why_not(place):
        return False
    if organization.partner_type == ENTITLEMENT:
        return True
    return live is not None and bool(place.entitlement(live.policy, ENTITLEMENT))


def map_program_host(text: str, *, by_user_id: int | None) -> MappedHost:
    """Map a host to the program's portal; it answers at once. Raises InvalidError (field host)."""
    row = _insert(_checked(text), HostKind.PROGRAM, HostState.ACTIVE, None, by_user_id)
    row.proven_by, row.proven_at = "staff", clock.now()
    _changed("host.mapped", row, by_user_id)
    return row


def request_host(organization: Organization, text: str, *, by_user_id: int | None) -> MappedHost:
    """Ask for a host under the partner's own name; it answers once it is proven or approved.

    Raises ConflictError for a partner without the right, or with many hosts; InvalidError (host).
    """
    if not may_white_label(organization):
        raise ConflictError("Your type and tier do not include a domain of your own.")
    host = _checked(text)
    # One request of a partner at a time, so that nobody has more than they may.
    lock_row(Organization, Organization.id == organization.id)
    count = db.session.scalar(
        select(func.count())
        .select_from(MappedHost)
        .where(MappedHost.organization_id == organization.id)
    )
    if (count or 0) >= MOST_OF_A_PARTNER:
        raise ConflictError(f"At most {MOST_OF_A_PARTNER} domains. Remove one first.")
    row = _insert(host, HostKind.WHITE_LABEL, HostState.PENDING, organization, by_user_id)
    _changed("host.requested", row, by_user_id)
    return row


def activate(row: MappedHost, *, proven_by: str, by_user_id: int | None) -> bool:
    """Let a host answer: proven by DNS, or by the word of staff; False when it does already."""
    held = _held(row)
    if held.state is HostState.ACTIVE:
        return False
    held.state = HostState.ACTIVE
    if not held.proven_at:
        held.proven_by, held.proven_at = proven_by, clock.now()
    _changed("host.activated", held, by_user_id)
    return True


def pause(row: MappedHost, *, by_user_id: int | None) -> bool:
    """Let a host answer no more, until it is activated again; False when it does not."""
    held = _held(row)
    if held.state is not HostState.ACTIVE:
        return False
    held.state = HostState.PAUSED
    _changed("host.paused", held, by_user_id)
    return True


def withdraw(row: MappedHost, *, by_user_id: int | None) -> None:
    """A partner takes its host out. Raises ConflictError for one that staff paused: it would ask
    for it anew and prove it, and the pause were undone."""
    if _held(row).state is HostState.PAUSED:
        raise ConflictError("We paused this domain. Write to us to have it removed.")
    remove(row, by_user_id=by_user_id)


def remove(row: MappedHost, *, by_user_id: int | None) -> None:
    """Take a host out. Whoever proves it next may have it."""
    held = _held(row)
    _changed("host.removed", held, by_user_id)
    db.session.delete(held)
    db.session.flush()


def set_brand(
    row: MappedHost, *, name: str, color: str, contact: str, by_user_id: int | None
) -> MappedHost:
    """Name, colour and contact of a white-label host. Raises InvalidError."""
    name, color, contact = " ".join(name.split()), color.strip().lower(), contact.strip()
    errors = {}
    if not name:
        errors["name"] = "Give the name that visitors see."
    elif len(name) > 80:
        errors["name"] = "At most 80 characters."
    elif str(current_app.config["SITE_NAME"]).lower() in name.lower():
        errors["name"] = "A brand of your own does not contain our name."
    elif re.search(r'[<>"]', name) or any(unicodedata.category(each) == "Cc" for each in name):
        errors["name"] = 'A name has none of < > ", and no invisible characters.'
    if color and not _COLOR.fullmatch(color):
        errors["color"] = "Use six hexadecimal digits after a #, like #0f766e."
    if contact and not (_ADDRESS.fullmatch(contact) or re.match(r"https://[^\s<>\"']+$", contact)):
        errors["contact"] = "Enter a mail address, or an address like https://example.com."
    if len(contact) > 254:
        errors["contact"] = "At most 254 characters."
    for key, text in (("name", name), ("contact", contact)):
        if "\x00" in text:
            errors[key] = "There is an invisible character (NUL). Type it anew."
    if errors:
        raise InvalidError(errors)
    held = _held(row)
    held.brand_name, held.brand_color, held.contact = name, color, contact
    _changed("host.branded", held, by_user_id)
    return held


def set_logo(
    row: MappedHost, upload: bytes, storage: Storage, *, by_user_id: int | None
) -> MappedHost:
    """Replace the logo by an uploaded image. Raises InvalidError (field logo)."""
    try:
        image = clean_image(upload, LOGO)
    except ImageRefusedError as error:
        raise InvalidError({"logo": str(error)}) from error
    held = _held(row)
    storage.put(image.key, image.data, image.content_type)
    held.logo_key = image.key
    _changed("host.branded", held, by_user_id)
    return held


def set_sender(row: MappedHost, address: str, *, by_user_id: int | None) -> MappedHost:
    """The address that mail to people of a white-label host comes from; empty for the site's own.
    Raises InvalidError (field sender)."""
    address = address.strip()
    if address and (len(address) > 254 or not _ADDRESS.fullmatch(address)):
        raise InvalidError({"sender": "Enter a mail address, like hello@example.com."})
    held = _held(row)
    held.sender_address = address
    _changed("host.sender_set", held, by_user_id)
    return held


def _checked(text: str) -> str:
    try:
        host = typed_host(text)
    except HostNameError as error:
        raise InvalidError({"host": str(error)}) from error
    if host in own_hosts(current_app.extensions["portico_settings"]):
        raise InvalidError({"host": "This is the site's own host."})
    return host


def _insert(
    host: str,
    kind: HostKind,
    state: HostState,
    organization: Organization | None,
    by_user_id: int | None,
) -> MappedHost:
    now = clock.now()
    _give_way(host, now)
    row_id = insert_if_new(
        MappedHost,
        public_id=new_public_id("host"),
        host=host,
        kind=kind,
        state=state,
        organization_id=organization.id if organization else None,
        challenge=secrets.token_urlsafe(24),
        brand_name="",
        brand_color=(organization.brand_color or "") if organization else "",
        logo_key=(organization.logo_key or "") if organization else "",
        contact="",
        sender_address="",
        proven_by="",
        check_result="",
        created_by_id=by_user_id,
        created_at=now,
        updated_at=now,
    )
    if row_id is None:
        raise InvalidError({"host": TAKEN})
    return db.session.get_one(MappedHost, row_id)


def _give_way(host: str, now: datetime) -> None:
    """Take out a request for the same host that nobody has proven in time: it may be foreign."""
    stale = lock_row(
        MappedHost,
        MappedHost.host == host,
        MappedHost.state == HostState.PENDING,
        MappedHost.proven_at.is_(None),
        MappedHost.created_at < now - PROVE_WITHIN,
    )
    if stale is not None:
        remove(stale, by_user_id=None)


def _held(row: MappedHost) -> MappedHost:
    held = lock_row(MappedHost, MappedHost.id == row.id)
    if held is None:
        raise ConflictError("This host was removed.")
    return held


def _changed(kind: str, row: MappedHost, by_user_id: int | None) -> None:
    db.session.flush()
    forget_hosts_after_commit()
    record_fact(
        kind,
        subject=("mapped_host", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
        data={"host": row.host, "state": row.state.value},
    )
