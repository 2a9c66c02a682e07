"""Where Stripe charged another sum than was frozen, the order's own rules divide it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from billing.affiliates.programs import RuleTerms, publish_rule
from billing.models import (
    Attribution,
    FeeKind,
    FeeRule,
    FeeSchedule,
    Order,
    OrderLine,
)
from billing.orders import Payment, freezing, mark_paid
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from tests.factories.affiliates import make_affiliate, make_program
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.selling import make_discount, make_order, make_plan, make_sale_fee


@pytest.fixture
def listing(app: Flask) -> Listing:
    found = make_listing(make_organization("Quayside"))
    make_sale_fee(2_000)
    db.session.flush()
    return found


@pytest.fixture
def customer(app: Flask) -> Organization:
    return make_customer("Blue Kite")


def pay(order: Order, *, subtotal: int, discount: int = 0, tax: int = 0) -> OrderLine:
    mark_paid(
        order.id,
        Payment(
            paid_at=clock.now(),
            payment_intent_id="pi_1",
            charge_id="ch_1",
            subtotal=subtotal,
            discount=discount,
            tax=tax,
        ),
    )
    db.session.expire_all()
    return db.session.get_one(Order, order.id).lines[0]


def parts(line: OrderLine) -> tuple[int, int, int]:
    return line.fee_amount, line.publisher_amount, line.commission_amount


def test_a_tier_that_changed_meanwhile_does_not_change_the_fee(
    listing: Listing, customer: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = make_order(make_plan(listing, 10_000), customer)
    schedule = db.session.query(FeeSchedule).one()
    schedule.rules.append(FeeRule(kind=FeeKind.SALE, bps=500, hold_days=1, tier="gold"))
    db.session.flush()
    real = freezing.partner_facts
    monkeypatch.setattr(
        freezing,
        "partner_facts",
        lambda ids: {key: replace(facts, tier="gold") for key, facts in real(ids).items()},
    )
    line = pay(order, subtotal=10_000, tax=1)
    assert (line.fee_bps, line.publisher_hold_days) == (2_000, 14)
    assert parts(line) == (2_000, 8_000, 0)
    assert line.total_amount == 10_001


def test_an_affiliate_that_came_later_gets_nothing_of_it(
    listing: Listing, customer: Organization
) -> None:
    program = make_program(listing.publisher)
    affiliate = make_affiliate(program, make_organization("Blog"))
    order = make_order(make_plan(listing, 10_000), customer)
    db.session.add(
        Attribution(
            organization_id=customer.id,
            affiliate_id=affiliate.id,
            program_id=program.id,
            signed_up_at=clock.now(),
            expires_at=clock.now() + timedelta(days=30),
            source="click",
        )
    )
    db.session.flush()
    line = pay(order, subtotal=10_000, tax=1)
    assert line.affiliate_id is None
    assert parts(line) == (2_000, 8_000, 0)


def test_a_commission_follows_the_sum_by_the_version_that_it_was_frozen_with(
    listing: Listing, customer: Organization
) -> None:
    program = make_program(listing.publisher, RuleTerms(bps=1_000))
    affiliate = make_affiliate(program, make_organization("Blog"))
    discount = make_discount(listing.publisher, "BLOG", bps=1_000)
    discount.codes[0].affiliate_id = affiliate.id
    order = make_order(make_plan(listing, 10_000), customer, code="BLOG")
    assert parts(order.lines[0]) == (1_800, 6_300, 900)
    program.rules[0].effective_from -= timedelta(days=1)
    publish_rule(program, RuleTerms(bps=5_000), effective_from=clock.now(), by_user_id=None)
    affiliate.program.closed_at = clock.now()
    line = pay(order, subtotal=10_000, discount=2_000)
    assert parts(line) == (1_600, 5_600, 800)
    assert (line.commission_bps, line.commission_base) == (1_000, 8_000)
    assert line.affiliate_id == affiliate.id
    assert [each["amount"] for each in line.discounts] == [2_000]
