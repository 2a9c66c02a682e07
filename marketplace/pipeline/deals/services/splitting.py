"""Splitting the credit for a won deal, and counting it."""

from collections import Counter
from collections.abc import Sequence

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.identity.models import Organization
from marketplace.identity.own_partner import refuse_members
from marketplace.pipeline.deals import mails
from marketplace.pipeline.deals.claims import Share, amounts_of, fault_of
from marketplace.pipeline.deals.models import Credit, CreditKind, CreditSplit, Deal, DealStage
from marketplace.pipeline.deals.queries import split_of
from marketplace.pipeline.deals.services.registering import held_deal, one_line
from marketplace.program.measures import Measure, measure

_MEASURES = {
    CreditKind.SOURCED: Measure.DEALS_SOURCED,
    CreditKind.ASSISTED: Measure.DEALS_ASSISTED,
}


def split_credit(
    deal_id: int,
    shares: Sequence[Share],
    reason: str,
    *,
    seen_version: int,
    by_user_id: int | None,
) -> CreditSplit:
    """Write a new version of how a won deal's credit is divided; what is counted changes by the
    difference.

    The parts sum to the deal's amount exactly. No shares: the deal no longer counts.
    `seen_version` is the version that the person saw (0: none). A change needs a reason. Raises
    InvalidError (at `shares` or `reason`), ConflictError,
    ForbiddenError for a member of a partner whose part is decided.
    """
    deal = held_deal(deal_id)
    if deal.stage is not DealStage.WON or deal.won_at is None:
        raise ConflictError("Only the credit of a won deal is split.")
    before = split_of(deal.id)
    refuse_members(
        by_user_id,
        deal.organization_id,
        *(each.organization_id for each in shares),
        *(each.organization_id for each in (before.credits if before else ())),
    )
    version = before.version if before else 0
    if version != seen_version:
        raise ConflictError("Somebody else has split it since. Look at it once more.")
    words = one_line(reason, "Say why it changes.") if before else " ".join(reason.split())[:300]
    if (shares or before is None) and (fault := fault_of(shares)):
        raise InvalidError({"shares": fault})
    for share in shares:
        if db.session.get(Organization, share.organization_id) is None:
            raise InvalidError({"shares": "One of these partners is not there."})
    # A deal whose credit is split no longer changes: a later version moves credit, not money.
    split = CreditSplit(
        deal_id=deal.id,
        version=version + 1,
        amount=deal.amount,
        currency=deal.currency,
        counts_at=deal.won_at,
        reason=words,
        by_user_id=by_user_id,
        at=clock.now(),
    )
    db.session.add(split)
    db.session.flush()
    amounts = amounts_of(deal.amount, shares) if shares else []
    for share, amount in zip(shares, amounts, strict=True):
        split.credits.append(
            Credit(
                split_id=split.id,
                organization_id=share.organization_id,
                kind=share.kind,
                bps=share.bps,
                amount=amount,
            )
        )
    db.session.flush()
    _count(deal, before, split)
    record_fact(
        "deal.split",
        subject=("deal", deal.id),
        actor_user_id=by_user_id,
        organization_id=deal.organization_id,
        data={"version": split.version, "amount": split.amount, "currency": split.currency},
        idempotency_key=f"deal_split:{split.id}",
    )
    mails.tell_split(deal, split)
    return split


def _count(deal: Deal, before: CreditSplit | None, now: CreditSplit) -> None:
    """Measure what has changed between two versions."""
    change: Counter[tuple[int, CreditKind]] = Counter()
    for sign, split in ((-1, before), (1, now)):
        for credit in split.credits if split else ():
            change[(credit.organization_id, credit.kind)] += sign * credit.amount
    for (organization_id, kind), amount in sorted(change.items()):
        if amount:
            measure(
                organization_id,
                _MEASURES[kind],
                amount,
                key=f"deal:{deal.id}:{now.version}:{organization_id}",
                source=("deal", deal.id),
                at=now.counts_at,
                currency=now.currency,
            )
    won = int(bool(now.credits)) - int(bool(before and before.credits))
    if won:
        measure(
            deal.organization_id,
            Measure.DEALS_WON,
            won,
            key=f"deal:{deal.id}:{now.version}",
            source=("deal", deal.id),
            at=now.counts_at,
        )
