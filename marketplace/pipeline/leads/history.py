"""Writing down what happened to a lead: for its page, and as a fact."""

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.pipeline.leads.models import Lead, LeadEvent


def note_event(
    lead: Lead,
    kind: str,
    *,
    organization_id: int | None = None,
    by_user_id: int | None = None,
    detail: str = "",
) -> None:
    """Add to the lead's history. `detail` is words of ours, never the person's. Flushes."""
    now = clock.now()
    lead.touched_at = now
    db.session.add(
        LeadEvent(
            lead_id=lead.id,
            kind=kind,
            organization_id=organization_id,
            by_user_id=by_user_id,
            detail=detail[:300],
            at=now,
        )
    )
    db.session.flush()
    record_fact(
        f"lead.{kind}",
        subject=("lead", lead.id),
        actor_user_id=by_user_id,
        organization_id=organization_id,
    )
