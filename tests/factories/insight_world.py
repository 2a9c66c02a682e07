"""One of each thing of insight, for tests of who may reach it."""

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.observability.reports.models import ActivityReport, ReportScope
from marketplace.observability.reports.snapshot import digest_of


def make_insight_world(
    partner: Organization, owner: User, customer: User, listing: Listing
) -> dict[str, object]:
    """A partner's report, a tile that every partner has, and the partner's own pages."""
    data = {
        "of": partner.name,
        "month": "2026-10",
        "tier": "",
        "points": 0,
        "figures": [],
        "placements": [],
        "listings": [],
    }
    report = ActivityReport(
        public_id="rep_world",
        scope=ReportScope.PARTNER,
        organization_id=partner.id,
        month="2026-10",
        data=data,
        digest=digest_of(data),
        made_by_id=owner.id,
        cause="now:world",
    )
    db.session.add(report)
    db.session.flush()
    return {
        "report_id": report.public_id,
        "report_scope": "partner",
        "tile_key": "net_revenue",
        "quiet_slug": partner.slug,
        "statement_slug": partner.slug,
    }
