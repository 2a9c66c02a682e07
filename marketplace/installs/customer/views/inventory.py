"""What an organization has installed, as a page and as a file."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.identity.queries import find_organization
from marketplace.installs.customer.links import installation_url
from marketplace.installs.customer.queries.erasures import erasures_by_installation
from marketplace.installs.customer.queries.inventory import (
    Shown,
    counts_by_state,
    installations_of,
    page_of_installations,
)
from marketplace.installs.customer.services.uninstalling import REASONS
from marketplace.installs.customer.showing import (
    Row,
    rows_of,
    uses_by_installation,
)
from marketplace.installs.customer.views.blueprints import installs, tabs_of
from marketplace.installs.models import ErasureRequest

LABELS = {
    Shown.INSTALLED: "All",
    Shown.ACTIVE: "Active",
    Shown.PAUSED: "Paused",
    Shown.SUSPENDED: "Suspended",
    Shown.HISTORY: "History",
}
_COLUMNS = (
    "app",
    "publisher",
    "state",
    "paused because",
    "suspended",
    "environment",
    "installed",
    "agreed by",
    "agreed",
    "version agreed to",
    "current version",
    "scopes",
    "last use of each scope",
    "last used",
    "more scopes asked for",
    "health",
    "uninstalled",
    "uninstalled by",
    "reason",
    "note",
    "erasure due",
    "erasure confirmed",
    "id",
    "address",
)


@installs.get("/organizations/<slug>/apps")
@needs("apps.view", load=find_organization, name="organization")
def inventory(organization: Organization) -> ResponseReturnValue:
    """Everything installed, with search and a filter by state."""
    chosen = request.args.get("state", "")
    shown = Shown(chosen) if chosen in {value.value for value in Shown} else Shown.INSTALLED
    q = " ".join(request.args.get("q", "").replace("\x00", "").split())[:80]
    page = page_of_installations(organization.id, shown, q, page_number(request.args.get("page")))
    return render_template(
        "installs/inventory.html",
        organization=organization,
        tabs=tabs_of(organization, "installs.inventory"),
        page=page,
        rows=rows_of(page.items),
        erasures=erasures_by_installation([found.id for found in page.items]),
        shown=shown,
        q=q,
        counts=counts_by_state(organization.id, q),
        labels=LABELS,
        reasons=REASONS,
        manages=current_actor().can("apps.manage", organization),
    )


@installs.get("/organizations/<slug>/apps.csv")
@needs("apps.view", load=find_organization, name="organization")
def inventory_csv(organization: Organization) -> ResponseReturnValue:
    """All of it as a file, what was uninstalled included."""
    installations = db.session.scalars(installations_of(organization.id, None)).all()
    uses = uses_by_installation([row.id for row in installations])
    erasures = erasures_by_installation([row.id for row in installations])
    return csv_response(
        f"{organization.slug}-apps.csv",
        _COLUMNS,
        _csv_rows(rows_of(installations), uses, erasures),
    )


def _csv_rows(
    rows: Sequence[Row],
    uses: Mapping[int, Mapping[str, datetime]],
    erasures: Mapping[int, ErasureRequest],
) -> Iterator[Sequence[object]]:
    for row in rows:
        found = row.installation
        used = uses.get(found.id, {})
        erasure = erasures.get(found.id)
        yield (
            row.name,
            found.app.publisher.name,
            found.state.value,
            row.paused_because,
            "yes" if row.suspension is not None else "",
            found.environment.value,
            found.installed_at,
            found.consented_by.name if found.consented_by else "",
            found.consented_at,
            row.consented_version,
            row.version,
            " ".join(found.granted_scopes),
            "; ".join(
                f"{name}: {used[name].isoformat(timespec='seconds') if name in used else 'never'}"
                for name in found.granted_scopes
            ),
            found.last_used_at,
            " ".join(row.wanted),
            found.app.health.value,
            found.uninstalled_at,
            found.uninstalled_by.name if found.uninstalled_by else "",
            REASONS.get(found.uninstall_reason, ""),
            found.uninstall_note,
            erasure.due_at if erasure else "",
            erasure.completed_at if erasure else "",
            found.public_id,
            installation_url(found),
        )
