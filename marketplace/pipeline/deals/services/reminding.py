"""Reminding of protections that end soon."""

from datetime import timedelta

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, periodic
from marketplace.pipeline.deals.mails import remind_of_end
from marketplace.pipeline.deals.models import Deal, DealClaim, DealStage, DealState
from marketplace.program.reminders import not_reminded, remind_once

SOON = timedelta(days=7)
BATCH = 500


@periodic("deals.remind_partners", every=timedelta(hours=1))
def remind_of_protections(_payload: Payload) -> None:
    """Tell partners of open deals whose protection ends within a week, once for each end."""
    now = clock.now()
    rows = db.session.execute(
        select(Deal, DealClaim)
        .join(DealClaim, DealClaim.deal_id == Deal.id)
        .where(
            Deal.state == DealState.APPROVED,
            Deal.stage.not_in((DealStage.WON, DealStage.LOST)),
            DealClaim.released_at.is_(None),
            DealClaim.protected_until > now,
            DealClaim.protected_until <= now + SOON,
            not_reminded("protection", DealClaim.id, DealClaim.protected_until),
        )
        .order_by(DealClaim.protected_until, DealClaim.id)
        .limit(BATCH)
    ).all()
    for deal, claim in rows:
        if claim.protected_until and remind_once("protection", claim.id, claim.protected_until):
            remind_of_end(deal, claim)
