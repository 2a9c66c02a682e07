"""What staff saw of a registration and its rivals when they decide, and what came in between."""

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.seen import ChangedMeanwhileError, digest_of
from marketplace.identity.models import User
from marketplace.pipeline.deals.models import Deal, DealStage

# What changes what there is to decide.
_DID = {
    "deal.registered": "registered",
    "deal.conflicted": "registered",
    "deal.approved": "approved",
    "deal.refused": "refused",
    "deal.withdrawn": "withdrew",
    "deal.won": "won",
    "deal.lost": "lost",
}


def seen_of(deal: Deal) -> str:
    """A short name for how a registration and all others of the same customer and product stand."""
    rows = db.session.execute(
        select(Deal.id, Deal.state, Deal.decided_at, Deal.stage)
        .where(Deal.claim_key == deal.claim_key)
        .order_by(Deal.id)
    )
    return digest_of(
        value
        for row in rows
        for value in (
            row.id,
            row.state.value,
            row.decided_at.timestamp() if row.decided_at else None,
            row.stage.value if row.stage in (DealStage.WON, DealStage.LOST) else "open",
        )
    )


def check_seen(deal: Deal, seen: str | None, *, by_user_id: int | None) -> None:
    """Raise ChangedMeanwhileError, which says what happened, unless all stands as it was seen.
    None: nobody looked at a page."""
    if seen is not None and seen != seen_of(deal):
        raise ChangedMeanwhileError(
            f"{_what_happened(deal, by_user_id)} Look at it again before you decide."
        )


def _what_happened(deal: Deal, by_user_id: int | None) -> str:
    ids = db.session.scalars(select(Deal.id).where(Deal.claim_key == deal.claim_key))
    fact = db.session.scalar(
        select(Fact)
        .where(
            Fact.subject_type == "deal",
            Fact.subject_id.in_([str(each) for each in ids]),
            Fact.kind.in_(_DID),
        )
        .order_by(Fact.id.desc())
        .limit(1)
    )
    if fact is None or fact.actor_user_id is None:
        return "It has changed since you opened this page."
    who = "You"
    if fact.actor_user_id != by_user_id:
        person = db.session.get(User, fact.actor_user_id)
        who = person.name if person is not None else "Somebody"
    what = "it" if fact.subject_id == str(deal.id) else "another registration of this customer"
    return f"{who} {_DID[fact.kind]} {what} since you opened this page."
