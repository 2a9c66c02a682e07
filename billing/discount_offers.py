"""The discounts of the database as offers, with how often each was used."""

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from billing.discounts import Offer
from billing.models import Discount, DiscountUse, PromotionCode
from marketplace.core.database import db
from marketplace.core.locks import lock_row


def normal_code(code: str) -> str:
    """A code as it is kept: upper case, without spaces."""
    return "".join(code.split()).upper()


def offers_for(
    *, publisher_id: int, organization_id: int, code: str, at: datetime
) -> tuple[list[Offer], Offer | None, int | None]:
    """(automatic discounts of the publisher and the platform, the one of the code or None, the
    affiliate whom the code belongs to or None). At most four queries. Nothing is refused here:
    discounts.refusal() looks at limits and dates.

    Publisher and platform may have the same code: the publisher's counts, unless it was taken out
    of use.
    """
    automatic = db.session.scalars(
        select(Discount).where(
            Discount.is_automatic.is_(True),
            Discount.archived_at.is_(None),
            or_(Discount.publisher_id == publisher_id, Discount.publisher_id.is_(None)),
            Discount.starts_at <= at,
        )
    ).all()
    typed = _typed(normal_code(code)[:40], publisher_id)
    known = {row.id: row for row in automatic}
    if typed is not None:
        known[typed.discount_id] = typed.discount
    uses = _uses(list(known), organization_id)
    offers = [_offer(row, uses) for row in automatic]
    if typed is None:
        return offers, None, None
    code_uses = (
        db.session.scalar(
            select(func.count()).where(
                DiscountUse.code_id == typed.id, DiscountUse.released_at.is_(None)
            )
        )
        or 0
    )
    return offers, _offer(typed.discount, uses, typed, code_uses), typed.affiliate_id


def _typed(code: str, publisher_id: int) -> PromotionCode | None:
    """What a customer means who types that code for something of this publisher."""
    if not code:
        return None
    found = db.session.scalars(
        select(PromotionCode)
        .where(
            PromotionCode.code == code,
            or_(
                PromotionCode.publisher_id == publisher_id,
                PromotionCode.publisher_id.is_(None),
            ),
        )
        .options(joinedload(PromotionCode.discount))
        .order_by(PromotionCode.publisher_id.is_(None))
    ).all()
    in_use = [row for row in found if row.disabled_at is None and row.discount.archived_at is None]
    return next(iter([*in_use, *found]), None)


def lock_discounts(discount_ids: list[int]) -> None:
    """Let nobody else use these discounts until this transaction ends, so that none is used more
    often than it may be. In the order of their ids, so that two cannot wait for each other."""
    for each in sorted(set(discount_ids)):
        lock_row(Discount, Discount.id == each)


def _uses(discount_ids: list[int], organization_id: int) -> dict[int, tuple[int, int]]:
    """(uses by all, uses by the organization) of each discount."""
    if not discount_ids:
        return {}
    rows = db.session.execute(
        select(
            DiscountUse.discount_id,
            func.count(),
            func.count().filter(DiscountUse.organization_id == organization_id),
        )
        .where(DiscountUse.discount_id.in_(discount_ids), DiscountUse.released_at.is_(None))
        .group_by(DiscountUse.discount_id)
    )
    return {each: (total, own) for each, total, own in rows}


def _offer(
    row: Discount,
    uses: dict[int, tuple[int, int]],
    code: PromotionCode | None = None,
    code_uses: int = 0,
) -> Offer:
    total, own = uses.get(row.id, (0, 0))
    return Offer(
        id=row.id,
        kind=row.kind,
        funder=row.funder,
        name=row.name,
        version=row.version,
        bps=row.bps,
        amount=row.amount,
        currency=row.currency,
        months=row.months,
        is_stackable=row.is_stackable,
        minimum=row.minimum,
        tiers=tuple(row.tiers),
        listing_ids=tuple(row.listing_ids),
        plan_ids=tuple(row.plan_ids),
        publisher_id=row.publisher_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        max_uses=row.max_uses,
        max_uses_each=row.max_uses_each,
        uses=total,
        uses_each=own,
        is_archived=row.archived_at is not None,
        code=code.code if code else "",
        code_id=code.id if code else None,
        code_uses=code_uses,
        code_max_uses=code.max_uses if code else None,
        code_ends_at=code.expires_at if code else None,
        code_is_disabled=code is not None and code.disabled_at is not None,
    )
