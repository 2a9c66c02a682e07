"""Claims of benefits: however many click at once, nobody gets more than the policy gives."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.core.errors import ConflictError, NotFoundError
from marketplace.program.benefits.models import BenefitClaim, ClaimState
from marketplace.program.benefits.services import claiming
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy, make_standing
from tests.factories.races import at_once

BENEFITS = [{"key": "voucher", "name": "Exam voucher", "per_year": {"gold": 5}}]


def partner_with(claimed: int) -> int:
    """A gold partner that has claimed so many; its id."""
    make_policy(benefits=BENEFITS)
    partner = make_organization()
    make_standing(partner, "gold")
    user = make_member(partner)
    for _ in range(claimed):
        claiming.claim(partner.id, "voucher", note="", by_user_id=user.id)
    db.session.commit()
    return partner.id


def counted() -> int:
    db.session.rollback()
    return (
        db.session.scalar(
            select(func.count())
            .select_from(BenefitClaim)
            .where(BenefitClaim.state == ClaimState.CLAIMED)
        )
        or 0
    )


def test_several_clicks_at_once_get_five_of_five(app: Flask) -> None:
    partner_id = partner_with(4)

    def click() -> None:
        claiming.claim(partner_id, "voucher", note="", by_user_id=None)
        db.session.commit()

    raised = at_once(app, [click] * 4)
    assert counted() == 5
    # On SQLite who waits may be told that the database is busy; nobody is given a sixth.
    assert len(raised) == 3
    with pytest.raises(ConflictError):
        claiming.claim(partner_id, "voucher", note="", by_user_id=None)


def test_the_first_claims_of_a_year_do_not_trip_over_each_other(app: Flask) -> None:
    partner_id = partner_with(0)

    def click() -> None:
        claiming.claim(partner_id, "voucher", note="", by_user_id=None)
        db.session.commit()

    raised = at_once(app, [click] * 3)
    assert counted() + len(raised) == 3
    assert counted() >= 1


def test_two_decisions_at_once_are_one(app: Flask) -> None:
    partner_with(1)
    claim_id = db.session.scalars(select(BenefitClaim.id)).one()
    db.session.rollback()

    def decide(fulfilled: bool) -> None:
        claim = db.session.get_one(BenefitClaim, claim_id)
        claiming.decide(claim, fulfilled=fulfilled, answer="Because.", by_user_id=None)
        db.session.commit()

    raised = at_once(app, [lambda: decide(True), lambda: decide(False)])
    assert len(raised) == 1
    db.session.rollback()
    assert db.session.scalars(select(BenefitClaim.state)).one() is not ClaimState.CLAIMED


def test_what_the_policy_does_not_have_is_not_claimed(app: Flask) -> None:
    partner_id = partner_with(0)
    with pytest.raises(NotFoundError):
        claiming.claim(partner_id, "moon", note="", by_user_id=None)


def test_a_limit_that_falls_takes_nothing_back(app: Flask) -> None:
    partner_id = partner_with(4)
    make_policy(
        benefits=[{"key": "voucher", "name": "Exam voucher", "per_year": {"gold": 2}}],
        effective_at=None,
    )
    db.session.commit()
    with pytest.raises(ConflictError, match="All 2"):
        claiming.claim(partner_id, "voucher", note="", by_user_id=None)
    assert counted() == 4
