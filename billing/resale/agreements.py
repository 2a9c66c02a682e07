"""Agreements between a publisher and a reseller: offered, accepted, replaced, ended."""

from dataclasses import dataclass

from sqlalchemy import select, update

from billing.models.plan import Plan, PlanBilling, PlanState
from billing.models.resale import (
    AgreementState,
    QuoteState,
    ResaleQuote,
    ResellerAgreement,
)
from billing.money import BPS, CURRENCIES, charge_step
from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row

MAX_NOTE = 2_000
LONGEST_HOLD_DAYS = 180
# Nobody marks up by more than ten times.
MOST_MARKUP_BPS = 10 * BPS


@dataclass(frozen=True)
class AgreementTerms:
    """What is offered. `floor_amount` in minor units of one unit without tax; days of hold."""

    currency: str
    floor_amount: int
    maximum_markup_bps: int | None = None
    hold_days: int = 14
    note: str = ""


def offer_agreement(
    plan: Plan, reseller_id: int, terms: AgreementTerms, *, by_user_id: int | None
) -> ResellerAgreement:
    """Offer a reseller to sell a plan. An offer of before that is still open is withdrawn by it;
    an agreement in force goes on until the reseller accepts the new one.

    Raises InvalidError, ConflictError for a plan that cannot be resold.
    """
    if plan.billing is PlanBilling.FREE or plan.state is not PlanState.ACTIVE:
        raise InvalidError({"plan": "Choose a plan that is for sale and has a price."})
    if reseller_id == plan.publisher_id:
        raise InvalidError({"reseller": "This is your own organization."})
    _check(terms)
    # The plan's row orders those who offer at once, the rows of before those who answer them.
    lock_row(Plan, Plan.id == plan.id)
    before = db.session.scalars(
        select(ResellerAgreement)
        .where(
            ResellerAgreement.publisher_id == plan.publisher_id,
            ResellerAgreement.reseller_id == reseller_id,
            ResellerAgreement.plan_id == plan.id,
            ResellerAgreement.currency == terms.currency,
        )
        .order_by(ResellerAgreement.version)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for old in before:
        if old.state is AgreementState.OFFERED:
            old.state = AgreementState.ENDED
            old.ended_at = clock.now()
    agreement = ResellerAgreement(
        public_id=new_public_id("agr"),
        version=max((old.version for old in before), default=0) + 1,
        publisher_id=plan.publisher_id,
        reseller_id=reseller_id,
        listing_id=plan.listing_id,
        plan_id=plan.id,
        currency=terms.currency,
        floor_amount=terms.floor_amount,
        maximum_markup_bps=terms.maximum_markup_bps,
        hold_days=terms.hold_days,
        note=terms.note.strip(),
        created_by_id=by_user_id,
    )
    db.session.add(agreement)
    db.session.flush()
    _fact("reseller_agreement.offered", agreement, agreement.publisher_id, by_user_id)
    return agreement


def accept_agreement(agreement: ResellerAgreement, *, by_user_id: int | None) -> bool:
    """The reseller accepts; a version in force before ends. False when accepted before.

    Quotes that were sent under the version before stay as they are and end with it if they are
    below the new floor; see quotes.py. Raises ConflictError.
    """
    _lock(agreement)
    if agreement.state is AgreementState.ACTIVE:
        return False
    if agreement.state is not AgreementState.OFFERED:
        raise ConflictError("This offer is not open any more.")
    now = clock.now()
    for old in db.session.scalars(
        select(ResellerAgreement).where(
            ResellerAgreement.publisher_id == agreement.publisher_id,
            ResellerAgreement.reseller_id == agreement.reseller_id,
            ResellerAgreement.plan_id == agreement.plan_id,
            ResellerAgreement.currency == agreement.currency,
            ResellerAgreement.state == AgreementState.ACTIVE,
        )
    ):
        old.state = AgreementState.ENDED
        old.ended_at = now
    agreement.state = AgreementState.ACTIVE
    agreement.decided_at = now
    db.session.flush()
    _fact("reseller_agreement.accepted", agreement, agreement.reseller_id, by_user_id)
    return True


def decline_agreement(agreement: ResellerAgreement, *, by_user_id: int | None) -> bool:
    """The reseller declines. False when declined before. Raises ConflictError."""
    _lock(agreement)
    if agreement.state is AgreementState.DECLINED:
        return False
    if agreement.state is not AgreementState.OFFERED:
        raise ConflictError("This offer is not open any more.")
    agreement.state = AgreementState.DECLINED
    agreement.decided_at = clock.now()
    db.session.flush()
    _fact("reseller_agreement.declined", agreement, agreement.reseller_id, by_user_id)
    return True


def end_agreement(agreement: ResellerAgreement, *, by_user_id: int | None) -> bool:
    """Either side ends it, or the publisher withdraws its offer: nothing new is quoted, and quotes
    that nobody accepted yet are withdrawn. False when it has ended already."""
    _lock(agreement)
    if agreement.state not in (AgreementState.OFFERED, AgreementState.ACTIVE):
        return False
    now = clock.now()
    agreement.state = AgreementState.ENDED
    agreement.ended_at = now
    db.session.execute(
        update(ResaleQuote)
        .where(
            ResaleQuote.agreement_id == agreement.id,
            ResaleQuote.state.in_([QuoteState.DRAFT, QuoteState.SENT]),
        )
        .values(state=QuoteState.WITHDRAWN, decided_at=now)
        .execution_options(synchronize_session=False)
    )
    db.session.flush()
    _fact("reseller_agreement.ended", agreement, agreement.publisher_id, by_user_id)
    return True


def _check(terms: AgreementTerms) -> None:
    wrong: dict[str, str] = {}
    if terms.currency not in CURRENCIES:
        wrong["currency"] = "Choose a currency."
    elif terms.floor_amount % charge_step(terms.currency):
        wrong["floor"] = f"{terms.currency} is charged in larger steps."
    if terms.floor_amount <= 0:
        wrong["floor"] = "A floor price is above zero."
    if terms.maximum_markup_bps is not None and not 0 <= terms.maximum_markup_bps <= (
        MOST_MARKUP_BPS
    ):
        wrong["markup"] = f"From 0% to {MOST_MARKUP_BPS // 100:,}%, or empty for no limit."
    if not 0 <= terms.hold_days <= LONGEST_HOLD_DAYS:
        wrong["hold_days"] = f"From 0 to {LONGEST_HOLD_DAYS} days."
    if len(terms.note) > MAX_NOTE:
        wrong["note"] = f"At most {MAX_NOTE:,} characters."
    if wrong:
        raise InvalidError(wrong)


def _lock(agreement: ResellerAgreement) -> None:
    lock_row(ResellerAgreement, ResellerAgreement.id == agreement.id)


def _fact(
    kind: str, agreement: ResellerAgreement, organization_id: int, by_user_id: int | None
) -> None:
    record_fact(
        kind,
        subject=("reseller_agreement", agreement.id),
        organization_id=organization_id,
        actor_user_id=by_user_id,
        data={
            "version": agreement.version,
            "plan_id": agreement.plan_id,
            "currency": agreement.currency,
            "floor_amount": agreement.floor_amount,
            "maximum_markup_bps": agreement.maximum_markup_bps,
        },
    )
