"""Benefits that a partner is entitled to and has not used yet."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.program.benefits.models import BenefitClaim, ClaimState
from marketplace.program.benefits.rules import is_included, limit_of
from marketplace.program.measures import Measurement
from marketplace.program.policy.document import Benefit, Policy
from marketplace.program.standing.reading import Place

MEASURE = "measure:"


@dataclass(frozen=True)
class Suggestion:
    """A benefit to try, and how many of it there are in a year (0: as many as one likes)."""

    key: str
    name: str
    text: str
    per_year: int


def unused_benefits(policy: Policy, place: Place) -> list[Suggestion]:
    """The benefits of a partner's tier that it never claimed and whose use was never noted: three
    queries at most.

    `used_by` of a benefit is the kind of a fact of the organization (`sandbox.made`), or
    `measure:` and a measure. One that is neither used nor claimed in a way that we could see is
    not suggested.
    """
    offered = [
        (benefit, count)
        for benefit in policy.benefits
        if (count := _count(benefit, policy, place)) is not None and (benefit.used_by or count)
    ]
    if not offered:
        return []
    used = _used({benefit.used_by for benefit, _ in offered} - {""}, place.organization_id)
    claimed = set(
        db.session.scalars(
            select(BenefitClaim.benefit)
            .where(
                BenefitClaim.organization_id == place.organization_id,
                BenefitClaim.state.in_((ClaimState.CLAIMED, ClaimState.FULFILLED)),
            )
            .distinct()
        )
    )
    return [
        Suggestion(benefit.key, benefit.name, benefit.text, count)
        for benefit, count in offered
        if benefit.used_by not in used and benefit.key not in claimed
    ]


def _count(benefit: Benefit, policy: Policy, place: Place) -> int | None:
    """How many a partner may have in a year: 0 for any number, None for no right."""
    if is_included(benefit):
        return 0
    return limit_of(policy, benefit, place.partner_type, place.tier) or None


def _used(wanted: Iterable[str], organization_id: int) -> set[str]:
    """Which of these were noted for an organization."""
    kinds = {each for each in wanted if not each.startswith(MEASURE)}
    measures = {each.removeprefix(MEASURE) for each in wanted if each.startswith(MEASURE)}
    found: set[str] = set()
    if kinds:
        rows = select(Fact.kind).where(
            Fact.organization_id == organization_id, Fact.kind.in_(kinds)
        )
        found |= set(db.session.scalars(rows.distinct()))
    if measures:
        amounts = select(Measurement.measure).where(
            Measurement.organization_id == organization_id,
            Measurement.measure.in_(measures),
            Measurement.amount > 0,
        )
        found |= {MEASURE + each for each in db.session.scalars(amounts.distinct())}
    return found
