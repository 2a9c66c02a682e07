"""Claiming a benefit, and deciding about a claim."""

from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form, insert_if_new
from marketplace.identity.own_partner import refuse_members
from marketplace.program.benefits.models import BenefitClaim, BenefitYear, ClaimState
from marketplace.program.benefits.queries import COUNTED
from marketplace.program.benefits.rules import limit_of, year_of
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import place_of
from marketplace.program.standing.taking_part import SUSPENDED

MAX_TEXT = 1_000


def claim(
    organization_id: int,
    benefit_key: str,
    *,
    note: str,
    by_user_id: int | None,
    form_key: str = "",
) -> BenefitClaim:
    """Claim one of a benefit for this calendar year: of a form, one.

    Raises NotFoundError when the policy in force has no such benefit, ConflictError when the
    partner's tier gives none (any more) this year, InvalidError (field `note`).
    """
    live = current_policy()
    offered = live.policy.benefits if live else ()
    benefit = next((each for each in offered if each.key == benefit_key), None)
    if live is None or benefit is None:
        raise NotFoundError("There is no such benefit.")
    checked = _text(note, "note")
    now = clock.now()
    year = year_of(now)
    which = {"organization_id": organization_id, "benefit": benefit.key, "year": year}
    insert_if_new(BenefitYear, **which)
    # Whoever claims at the same moment waits here.
    lock_row(
        BenefitYear,
        BenefitYear.organization_id == organization_id,
        BenefitYear.benefit == benefit.key,
        BenefitYear.year == year,
    )
    public_id = id_of_form("clm", form_key, by_user_id, *which.values(), checked)
    known = db.session.scalar(select(BenefitClaim).where(BenefitClaim.public_id == public_id))
    if known is not None:
        return known
    place = place_of(organization_id)
    if place.is_suspended:
        raise ConflictError(SUSPENDED)
    limit = limit_of(live.policy, benefit, place.partner_type, place.tier)
    taken = db.session.scalar(
        select(func.count())
        .select_from(BenefitClaim)
        .filter_by(**which)
        .where(BenefitClaim.state.in_(COUNTED))
    )
    if (taken or 0) >= limit:
        raise ConflictError(
            f"All {limit} of this year are claimed. The next can be claimed in {year + 1}."
            if limit
            else "Your tier does not give this benefit."
        )
    row = BenefitClaim(
        public_id=public_id,
        benefit_name=benefit.name,
        tier=place.tier,
        policy_id=live.id,
        note=checked,
        claimed_by_id=by_user_id,
        claimed_at=now,
        **which,
    )
    db.session.add(row)
    db.session.flush()
    _record("benefit.claimed", row, by_user_id)
    return row


def decide(
    claim: BenefitClaim, *, fulfilled: bool, answer: str, by_user_id: int | None
) -> BenefitClaim:
    """Fulfil or refuse a claim. Raises ForbiddenError for a member of the partner, ConflictError
    when it is not open any more, InvalidError (field `answer`): a refusal says why."""
    refuse_members(by_user_id, claim.organization_id)
    checked = _text(answer, "answer")
    if not fulfilled and not checked:
        raise InvalidError({"answer": "Say why. The partner reads it."})
    held = _held(claim)
    held.state = ClaimState.FULFILLED if fulfilled else ClaimState.REFUSED
    held.answer, held.decided_by_id, held.decided_at = checked, by_user_id, clock.now()
    db.session.flush()
    _record("benefit.fulfilled" if fulfilled else "benefit.refused", held, by_user_id)
    return held


def withdraw(claim: BenefitClaim, *, by_user_id: int | None) -> BenefitClaim:
    """Take a claim back; it does not count any more. Raises ConflictError when it is decided."""
    held = _held(claim)
    held.state, held.decided_by_id, held.decided_at = (
        ClaimState.WITHDRAWN,
        by_user_id,
        clock.now(),
    )
    db.session.flush()
    _record("benefit.withdrawn", held, by_user_id)
    return held


def _held(claim: BenefitClaim) -> BenefitClaim:
    held = lock_row(BenefitClaim, BenefitClaim.id == claim.id)
    if held is None or held.state is not ClaimState.CLAIMED:
        raise ConflictError("This claim is decided already.")
    return held


def _text(text: str, field: str) -> str:
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise InvalidError({field: f"At most {MAX_TEXT:,} characters."})
    if "\x00" in text:
        raise InvalidError({field: "There is an invisible character (NUL). Type it anew."})
    return text


def _record(kind: str, row: BenefitClaim, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("benefit_claim", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
        data={"benefit": row.benefit, "year": row.year},
    )
