"""Writing down by whom a customer came: one live row for each customer and program."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from billing.affiliate import Touch, counted_touch, self_referral, velocity
from billing.affiliates.relations import relation_between
from billing.attribution import HANDOVER
from billing.models.affiliate import (
    Affiliate,
    AffiliateProgram,
    AffiliateState,
    Attribution,
    AttributionModel,
    Click,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new


def attribute(organization_id: int, touches: Sequence[Touch]) -> list[Attribution]:
    """Attribute a customer to the affiliates whose touches count; the rows that are new or renewed.

    By first click, the attribution that is there stays until it expires. By last click, a newer
    touch replaces it. Touches of a program that is paused, or of affiliates that are not active,
    count for nothing. Doing it again with the same touches changes nothing.
    """
    by_program: dict[int, list[Touch]] = defaultdict(list)
    for touch in touches:
        by_program[touch.program_id].append(touch)
    if not by_program:
        return []
    now = clock.now()
    programs = db.session.scalars(
        select(AffiliateProgram)
        .where(
            AffiliateProgram.id.in_(by_program),
            AffiliateProgram.paused_at.is_(None),
            AffiliateProgram.closed_at.is_(None),
        )
        .order_by(AffiliateProgram.id)
    ).all()
    active = {
        affiliate.id: affiliate
        for affiliate in db.session.scalars(
            select(Affiliate).where(
                Affiliate.id.in_({touch.affiliate_id for touch in touches}),
                Affiliate.state == AffiliateState.ACTIVE,
            )
        )
    }
    written = []
    for program in programs:
        usable = [each for each in by_program[program.id] if each.affiliate_id in active]
        counted = counted_touch(usable, program.attribution, program.window_days, now)
        if counted is not None:
            affiliate = active[counted.affiliate_id]
            row = _attribute(organization_id, program, counted, affiliate, now)
            if row is not None:
                written.append(row)
    return written


def attribute_handover(organization_id: int, affiliate: Affiliate) -> Attribution | None:
    """Attribute a customer to the agency that set its workspace up and handed it over; the customer
    agreed to it. None when the program is paused or closed, or another affiliate stays by first
    click."""
    program = affiliate.program
    if program.paused_at is not None or program.closed_at is not None:
        return None
    now = clock.now()
    touch = Touch(program.id, affiliate.id, now, HANDOVER)
    made = _attribute(organization_id, program, touch, affiliate, now)
    if made is not None:
        # The agency's people were its members until now, which is what a handover is.
        made.hold_reason = ""
        db.session.flush()
    return made


def _attribute(
    organization_id: int,
    program: AffiliateProgram,
    touch: Touch,
    affiliate: Affiliate,
    now: datetime,
) -> Attribution | None:
    expires_at = touch.at + timedelta(days=program.window_days)
    live = lock_row(
        Attribution,
        Attribution.organization_id == organization_id,
        Attribution.program_id == program.id,
        Attribution.ended_at.is_(None),
    )
    if live is not None and live.expires_at > now:
        if program.attribution is AttributionModel.FIRST_CLICK or expires_at <= live.expires_at:
            return None
        if live.source == "click" and touch.source != "click":
            return None
        if live.affiliate_id == touch.affiliate_id:
            live.expires_at = expires_at
            live.click_id, live.source = touch.click_id, touch.source
            live.sub_id = touch.sub_id or live.sub_id
            db.session.flush()
            return live
    if live is not None:
        live.ended_at = min(now, live.expires_at)
        db.session.flush()
    relation = relation_between(
        affiliate.organization_id, organization_id, publisher_id=program.publisher_id
    )
    reason = self_referral(relation) or _pace(touch, now)
    made = insert_if_new(
        Attribution,
        program_id=program.id,
        affiliate_id=affiliate.id,
        organization_id=organization_id,
        click_id=touch.click_id,
        source=touch.source,
        sub_id=touch.sub_id,
        signed_up_at=now,
        expires_at=expires_at,
        hold_reason=reason,
    )
    if made is None:
        return None
    record_fact(
        "affiliate.customer_attributed",
        subject=("attribution", made),
        organization_id=affiliate.organization_id,
        data={
            "affiliate_id": affiliate.id,
            "program_id": program.id,
            "source": touch.source,
            "click_id": touch.click_id,
            "is_held": bool(reason),
        },
    )
    return db.session.get_one(Attribution, made)


def _pace(touch: Touch, now: datetime) -> str:
    """What looks wrong with the address that the click came from. One query each."""
    if not touch.address_hash:
        return ""
    since = now - timedelta(days=1)
    clicks = db.session.scalar(
        select(func.count())
        .select_from(Click)
        .where(Click.address_hash == touch.address_hash, Click.clicked_at > since)
    )
    customers = db.session.scalar(
        select(func.count(Attribution.organization_id.distinct()))
        .join(Click, Click.id == Attribution.click_id)
        .where(
            Click.address_hash == touch.address_hash,
            Click.clicked_at > since,
            Attribution.affiliate_id == touch.affiliate_id,
        )
    )
    return velocity(clicks_today=clicks or 0, customers_today=(customers or 0) + 1)
