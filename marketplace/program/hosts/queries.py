"""Reading mapped hosts."""

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization
from marketplace.program.hosts.models import HostState, MappedHost

PER_PAGE = 25


def find_host(mapped_host_id: str) -> MappedHost | None:
    """The host of that public id."""
    return db.session.scalar(select(MappedHost).where(MappedHost.public_id == mapped_host_id))


def hosts_of(organization_id: int) -> list[MappedHost]:
    """A partner's hosts, by name; a partner has few."""
    return list(
        db.session.scalars(
            select(MappedHost)
            .where(MappedHost.organization_id == organization_id)
            .order_by(MappedHost.host)
        )
    )


def page_of_hosts(state: HostState | None, text: str, page: int) -> Page[MappedHost]:
    """Hosts for the staff, those that wait first."""
    query = select(MappedHost)
    if state is not None:
        query = query.where(MappedHost.state == state)
    if text:
        query = query.where(MappedHost.host.contains(text.lower(), autoescape=True))
    waits = (MappedHost.state != HostState.PENDING, MappedHost.host)
    return paginate(query.order_by(*waits), page=page, per_page=PER_PAGE)


def organizations_by_id(ids: list[int | None]) -> dict[int, Organization]:
    """Organizations by id."""
    rows = db.session.scalars(
        select(Organization).where(Organization.id.in_({each for each in ids if each}))
    )
    return {row.id: row for row in rows}


def find_partner(text: str) -> Organization | None:
    """The partner of that name or address here; None for none or several."""
    rows = db.session.scalars(
        select(Organization)
        .where(
            (Organization.slug == text.strip().lower()) | (Organization.name == text.strip()),
            Organization.partner_type.is_not(None),
        )
        .limit(2)
    ).all()
    return rows[0] if len(rows) == 1 else None
