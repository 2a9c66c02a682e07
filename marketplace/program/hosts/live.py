"""Which hosts answer now: one query, kept for a few seconds by each process."""

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import func, select

from marketplace.core.branding import Brand
from marketplace.core.database import db
from marketplace.core.unit_of_work import after_commit
from marketplace.identity.models import Organization, User
from marketplace.program.hosts.models import HostKind, HostPerson, HostState, MappedHost

KEEP_SECONDS = 10.0
_EXTENSION = "portico_hosts"


@dataclass(frozen=True)
class LiveHost:
    """A host that answers. `brand` is None for a host of the program."""

    id: int
    host: str
    kind: HostKind
    brand: Brand | None


@dataclass(frozen=True)
class _Kept:
    hosts: dict[str, LiveHost]
    until: float


def live_host(host: str) -> LiveHost | None:
    """The mapped host of that (normal) name; None for one that is not, or not active. A test
    sees each change at once."""
    return live_hosts(anew=current_app.testing).get(host)


def live_hosts(*, anew: bool = False) -> dict[str, LiveHost]:
    """All hosts that answer, by name."""
    kept: _Kept | None = current_app.extensions.get(_EXTENSION)
    if kept is None or time.monotonic() >= kept.until or anew:
        kept = _Kept({each.host: each for each in _load()}, time.monotonic() + KEEP_SECONDS)
        current_app.extensions[_EXTENSION] = kept
    return kept.hosts


def forget_hosts_after_commit() -> None:
    """This process sees a change at once, others within a few seconds."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # werkzeug's proxy
    after_commit(lambda: app.extensions.pop(_EXTENSION, None))


def brand_of_reader(address: str) -> Brand | None:
    """The brand of whoever has this mail address: that of the host on which their account was
    made, as long as it answers. One query, and none where there is no white-label host."""
    brands = {each.id: each.brand for each in live_hosts().values() if each.brand}
    if not brands:
        return None
    host_id = db.session.scalar(
        select(HostPerson.host_id)
        .join(User, User.id == HostPerson.user_id)
        .where(func.lower(User.email) == address.strip().lower())
        .limit(1)
    )
    return brands.get(host_id) if host_id is not None else None


def _load() -> list[LiveHost]:
    rows = db.session.execute(
        select(MappedHost, Organization.name, Organization.suspended_at)
        .outerjoin(Organization, Organization.id == MappedHost.organization_id)
        .where(MappedHost.state == HostState.ACTIVE)
    )
    return [
        LiveHost(row.id, row.host, row.kind, brand_of(row, name or ""))
        for row, name, suspended_at in rows
        if suspended_at is None
    ]


def address_of(host: str) -> str:
    """Where a host is reached: as the site is; without TLS (the demo) at the site's port."""
    site = urlsplit(str(current_app.config["PUBLIC_URL"]))
    port = f":{site.port}" if site.scheme == "http" and site.port else ""
    return f"{site.scheme}://{host}{port}"


def brand_of(row: MappedHost, organization_name: str) -> Brand | None:
    """The face of a host; the partner's name until it gives another."""
    if row.kind is not HostKind.WHITE_LABEL or row.organization_id is None:
        return None
    return Brand(
        host=row.host,
        organization_id=row.organization_id,
        name=row.brand_name or organization_name,
        address=address_of(row.host),
        color=row.brand_color,
        logo_key=row.logo_key,
        contact=row.contact,
        sender=row.sender_address or f"no-reply@{row.host}",
    )
