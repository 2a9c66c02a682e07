"""What billing may know of organizations, looked up for it."""

from collections.abc import Sequence

from sqlalchemy import select

from billing.partner_facts import PartnerFacts
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import IN_FORCE


def facts_of_partners(organization_ids: Sequence[int]) -> dict[int, PartnerFacts]:
    """The facts of each organization that exists, in one query. The tier is what it has now in the
    program; an order keeps what was decided by it."""
    rows = db.session.execute(
        select(
            Organization.id,
            Organization.partner_type,
            Organization.country,
            Organization.name,
            Standing.tier,
            Standing.state,
        )
        .outerjoin(Standing, Standing.organization_id == Organization.id)
        .where(Organization.id.in_(organization_ids))
    )
    return {
        each: PartnerFacts(
            partner_type=kind or "",
            tier=(tier or "") if state in IN_FORCE else "",
            country=country,
            name=name,
            earns_commission=_earns(kind),
        )
        for each, kind, country, name, tier, state in rows
    }


def _earns(partner_type: str | None) -> bool:
    """Whether the policy in force books commissions for that type; types that it does not know
    earn."""
    live = current_policy()
    kind = live.policy.type(partner_type) if live is not None else None
    return kind is None or kind.earns_commission
