"""A program's life: made, changed, paused, closed; and the versions of what it pays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from billing.affiliate import LONGEST_WINDOW_DAYS
from billing.models.affiliate import (
    AffiliateProgram,
    Attribution,
    AttributionModel,
    CommissionRule,
)
from billing.money import BPS, CURRENCIES
from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact

MAX_NAME = 80
MAX_DESCRIPTION = 4_000
MAX_STEPS = 8
LONGEST_HOLD_DAYS = 180
MAX_PAYMENTS = 120


@dataclass(frozen=True)
class ProgramTerms:
    """What a program is, apart from what it pays. `minimum_payout` in minor units."""

    name: str
    description: str = ""
    listing_id: int | None = None
    is_open: bool = True
    attribution: AttributionModel = AttributionModel.LAST_CLICK
    window_days: int = 30
    minimum_payout: int = 0
    minimum_currency: str | None = None


@dataclass(frozen=True)
class RuleTerms:
    """What a program pays; see CommissionRule. `steps` are (from the nth sale on, bps)."""

    bps: int = 0
    fixed: int = 0
    currency: str | None = None
    payments: int | None = 1
    steps: Sequence[tuple[int, int]] = ()
    cap: int | None = None
    hold_days: int = 30


def create_program(
    publisher_id: int | None, terms: ProgramTerms, rule: RuleTerms, *, by_user_id: int | None
) -> AffiliateProgram:
    """Start a program of a publisher (None: of the platform), with the first version of its rule.

    Raises InvalidError; ConflictError when there is a program for the same listings already.
    """
    _check_terms(terms)
    _check_rule(rule)
    there = db.session.scalar(
        select(AffiliateProgram.id).where(
            AffiliateProgram.publisher_id.is_(None)
            if publisher_id is None
            else AffiliateProgram.publisher_id == publisher_id,
            AffiliateProgram.listing_id.is_(None)
            if terms.listing_id is None
            else AffiliateProgram.listing_id == terms.listing_id,
            AffiliateProgram.closed_at.is_(None),
        )
    )
    if there is not None:
        raise InvalidError({"listing": "There is a program for this already. Change that one."})
    program = AffiliateProgram(
        public_id=new_public_id("apg"),
        publisher_id=publisher_id,
        listing_id=terms.listing_id,
        name=terms.name.strip(),
        description=terms.description.strip(),
        is_open=terms.is_open,
        attribution=terms.attribution,
        window_days=terms.window_days,
        minimum_payout=terms.minimum_payout,
        minimum_currency=terms.minimum_currency,
    )
    db.session.add(program)
    db.session.flush()
    _fact("affiliate_program.created", program, by_user_id, {"listing_id": terms.listing_id})
    publish_rule(program, rule, effective_from=clock.now(), by_user_id=by_user_id)
    return program


def edit_program(program: AffiliateProgram, terms: ProgramTerms, *, by_user_id: int | None) -> None:
    """Change what is no rule of payment. For which listings it is cannot be changed.

    Raises InvalidError, ConflictError.
    """
    _refuse_closed(program)
    _check_terms(terms)
    program.name = terms.name.strip()
    program.description = terms.description.strip()
    program.is_open = terms.is_open
    program.attribution = terms.attribution
    program.window_days = terms.window_days
    program.minimum_payout = terms.minimum_payout
    program.minimum_currency = terms.minimum_currency
    db.session.flush()
    _fact(
        "affiliate_program.changed",
        program,
        by_user_id,
        {"attribution": terms.attribution.value, "window_days": terms.window_days},
    )


def publish_rule(
    program: AffiliateProgram,
    terms: RuleTerms,
    *,
    effective_from: datetime,
    by_user_id: int | None,
) -> CommissionRule:
    """Add a version of what the program pays, for orders made from `effective_from` (UTC) on.

    Orders made before keep the version that they have. Raises InvalidError, ConflictError.
    """
    _refuse_closed(program)
    _check_rule(terms)
    now = clock.now()
    if effective_from < now.replace(second=0, microsecond=0):
        raise InvalidError({"effective_from": "A new rule cannot count for what is past."})
    # The program's row orders two people who publish at once.
    db.session.execute(
        update(AffiliateProgram)
        .where(AffiliateProgram.id == program.id)
        .values(id=program.id)
        .execution_options(synchronize_session=False)
    )
    newest = db.session.scalar(
        select(CommissionRule.version)
        .where(CommissionRule.program_id == program.id)
        .order_by(CommissionRule.version.desc())
        .limit(1)
    )
    named = bool(terms.fixed or terms.cap is not None)
    rule = CommissionRule(
        program_id=program.id,
        version=(newest or 0) + 1,
        effective_from=effective_from,
        bps=terms.bps,
        fixed=terms.fixed,
        currency=terms.currency if named else None,
        payments=terms.payments,
        steps=[{"from_sales": start, "bps": bps} for start, bps in sorted(terms.steps)],
        cap=terms.cap,
        hold_days=terms.hold_days,
        created_by_id=by_user_id,
    )
    db.session.add(rule)
    db.session.flush()
    db.session.expire(program, ["rules"])
    _fact(
        "affiliate_program.rule_published",
        program,
        by_user_id,
        {
            "rule_id": rule.id,
            "version": rule.version,
            "bps": rule.bps,
            "fixed": rule.fixed,
            "currency": rule.currency,
            "effective_from": effective_from.isoformat(),
        },
    )
    return rule


def pause_program(program: AffiliateProgram, *, by_user_id: int | None) -> bool:
    """Take no new clicks and nobody new; who was brought before is still paid for.

    False when it is paused already. Raises ConflictError.
    """
    _refuse_closed(program)
    if program.paused_at is not None:
        return False
    program.paused_at = clock.now()
    db.session.flush()
    _fact("affiliate_program.paused", program, by_user_id)
    return True


def resume_program(program: AffiliateProgram, *, by_user_id: int | None) -> bool:
    """Go on. False when it is not paused. Raises ConflictError."""
    _refuse_closed(program)
    if program.paused_at is None:
        return False
    program.paused_at = None
    db.session.flush()
    _fact("affiliate_program.resumed", program, by_user_id)
    return True


def close_program(program: AffiliateProgram, *, by_user_id: int | None) -> bool:
    """End it for good: orders made from now on earn nothing; what is earned stays earned.

    False when it is closed already.
    """
    if program.closed_at is not None:
        return False
    now = clock.now()
    program.closed_at = now
    db.session.execute(
        update(Attribution)
        .where(Attribution.program_id == program.id, Attribution.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    db.session.flush()
    _fact("affiliate_program.closed", program, by_user_id)
    return True


def _check_terms(terms: ProgramTerms) -> None:
    wrong: dict[str, str] = {}
    if not terms.name.strip():
        wrong["name"] = "Give it a name."
    elif len(terms.name.strip()) > MAX_NAME:
        wrong["name"] = f"At most {MAX_NAME} characters."
    if len(terms.description) > MAX_DESCRIPTION:
        wrong["description"] = f"At most {MAX_DESCRIPTION:,} characters."
    if not 1 <= terms.window_days <= LONGEST_WINDOW_DAYS:
        wrong["window_days"] = f"From 1 to {LONGEST_WINDOW_DAYS} days."
    if terms.minimum_payout and terms.minimum_currency not in CURRENCIES:
        wrong["minimum_currency"] = "Choose the currency of the smallest payout."
    if terms.minimum_payout < 0:
        wrong["minimum_payout"] = "Not below zero."
    if wrong:
        raise InvalidError(wrong)


def _check_rule(terms: RuleTerms) -> None:
    wrong: dict[str, str] = {}
    if not 0 <= terms.bps <= BPS:
        wrong["percent"] = "From 0% to 100%."
    if min(terms.fixed, terms.cap or 0) < 0:
        wrong["fixed"] = "Not below zero."
    if (terms.fixed or terms.cap is not None) and terms.currency not in CURRENCIES:
        wrong["currency"] = "A fixed amount and a cap need their currency."
    if not terms.bps and not terms.fixed and not any(bps for _, bps in terms.steps):
        wrong["percent"] = "Pay something: a share, a fixed amount, or both."
    if terms.cap == 0:
        wrong["cap"] = "A cap of nothing pays nothing. Leave it empty for none."
    if terms.payments is not None and not 1 <= terms.payments <= MAX_PAYMENTS:
        wrong["payments"] = f"From 1 to {MAX_PAYMENTS} payments."
    if not 0 <= terms.hold_days <= LONGEST_HOLD_DAYS:
        wrong["hold_days"] = f"From 0 to {LONGEST_HOLD_DAYS} days."
    starts = [start for start, _ in terms.steps]
    if len(terms.steps) > MAX_STEPS:
        wrong["steps"] = f"At most {MAX_STEPS} steps."
    elif any(start < 2 for start in starts) or len(set(starts)) < len(starts):
        wrong["steps"] = "Each step begins at another sale, from the second on."
    elif any(not 0 <= bps <= BPS for _, bps in terms.steps):
        wrong["steps"] = "A step is from 0% to 100%."
    if wrong:
        raise InvalidError(wrong)


def _refuse_closed(program: AffiliateProgram) -> None:
    if program.closed_at is not None:
        raise ConflictError("This program is closed.")


def _fact(
    kind: str,
    program: AffiliateProgram,
    by_user_id: int | None,
    data: dict[str, object] | None = None,
) -> None:
    record_fact(
        kind,
        subject=("affiliate_program", program.id),
        organization_id=program.publisher_id,
        actor_user_id=by_user_id,
        data=data,
    )
