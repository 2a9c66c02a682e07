"""Removing what deals took over from a lead whose person is forgotten."""

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.pipeline.deals.models import Deal


def forget_lead(lead_id: int, *names: str) -> None:
    """Take the brief, and the given names of person and company, out of the deals that were
    registered from a lead. Their domain stays: by it the customer is claimed. Flushes."""
    known = {name.casefold() for name in names if name}
    for deal in db.session.scalars(select(Deal).where(Deal.lead_id == lead_id)):
        deal.description = ""
        if deal.title.casefold() in known:
            deal.title = deal.customer_domain[:120]
        if deal.customer_name.casefold() in known:
            deal.customer_name = deal.customer_domain[:120]
    db.session.flush()
