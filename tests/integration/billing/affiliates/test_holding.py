"""What is held for the same card, and what becomes of a voided commission."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.accounts import COMMISSION_EXPENSE, PARTNER_HELD
from billing.affiliates.attributing import attribute
from billing.affiliates.card_check import check_card, check_card_later, hold_same_card
from billing.affiliates.clearing import clear
from billing.affiliates.clicks import MOST_LEADS_A_DAY, register_lead, touches_of_visitor
from billing.attribution import credit_for
from billing.ledger import balance
from billing.models import (
    Affiliate,
    Attribution,
    CommissionClearance,
    Earning,
    EarningKind,
    Funder,
    Order,
)
from billing.settlement.freezing import unfreeze, void
from billing.settlement.sales import post_sale
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import RateLimitedError
from marketplace.core.jobs import RetryLater
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from tests.factories.affiliates import (
    make_affiliate,
    make_affiliate_link,
    make_click,
    make_paid_order,
    make_program,
)
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.races import at_once


def sell(
    customer: Organization, listing: Listing, affiliate: Affiliate, *, hold: str = ""
) -> tuple[Order, Earning]:
    """A paid order of EUR 49.00 that is posted, with its commission of EUR 9.80."""
    funder = affiliate.program.funder
    order = make_paid_order(
        customer,
        listing,
        affiliate=affiliate,
        publisher_amount=4_900 if funder is Funder.PLATFORM else 3_920,
        commission_base=4_900,
        commission_bps=2_000,
        commission_amount=980,
        commission_funder=funder,
        commission_hold_days=30,
        commission_hold_reason=hold,
    )
    earnings = post_sale(order)
    earning = next(each for each in earnings if each.kind is EarningKind.AFFILIATE_COMMISSION)
    return order, earning


@pytest.fixture
def parties(app: Flask) -> tuple[Listing, Affiliate, Organization]:
    listing = make_listing()
    affiliate = make_affiliate(make_program(listing.publisher), make_organization("Bramble"))
    return listing, affiliate, make_customer()


def partner_of(affiliate: Affiliate) -> Organization:
    return db.session.get_one(Organization, affiliate.organization_id)


def test_the_card_of_the_affiliate_holds_the_commission_of_its_customer(
    parties: tuple[Listing, Affiliate, Organization],
) -> None:
    listing, affiliate, customer = parties
    make_paid_order(partner_of(affiliate), listing).card_fingerprint = "fp_1"
    order, earning = sell(customer, listing, affiliate)
    order.card_fingerprint = "fp_1"
    assert hold_same_card(order) == 1
    assert "same card" in earning.frozen_reason
    assert hold_same_card(order) == 0


def test_the_affiliate_may_pay_with_the_card_afterwards(
    parties: tuple[Listing, Affiliate, Organization],
) -> None:
    listing, affiliate, customer = parties
    order, earning = sell(customer, listing, affiliate)
    order.card_fingerprint = "fp_1"
    other, free = sell(make_customer("Red Kite"), listing, affiliate)
    other.card_fingerprint = "fp_2"
    own = make_paid_order(partner_of(affiliate), listing)
    own.card_fingerprint = "fp_1"
    assert hold_same_card(own) == 1
    assert earning.frozen_at is not None
    assert free.frozen_at is None


def test_the_check_waits_for_the_card_a_day_at_most(
    parties: tuple[Listing, Affiliate, Organization], run_jobs: Callable[[], int]
) -> None:
    listing, affiliate, customer = parties
    order, _earning = sell(customer, listing, affiliate)
    check_card_later(order)
    check_card_later(order)
    db.session.commit()
    assert run_jobs() == 0
    with pytest.raises(RetryLater):
        check_card({"order_id": order.id})
    with clock.frozen(clock.now() + timedelta(days=2)):
        check_card({"order_id": order.id})
    check_card({"order_id": 999_999})


@pytest.mark.parametrize("platform", [False, True])
def test_a_voided_commission_goes_back_to_whoever_funded_it(app: Flask, platform: bool) -> None:
    listing = make_listing()
    partner = make_organization("Bramble")
    affiliate = make_affiliate(make_program(None if platform else listing.publisher), partner)
    _order, earning = sell(make_customer(), listing, affiliate, hold="Self-referral: why.")
    assert earning.freezes == {"hold": "Self-referral: why."}
    before = balance(PARTNER_HELD, "EUR", listing.publisher_id)
    void(earning, "It bought from itself.")
    assert balance(PARTNER_HELD, "EUR", partner.id) == 0
    assert balance(COMMISSION_EXPENSE, "EUR") == 0
    gained = balance(PARTNER_HELD, "EUR", listing.publisher_id) - before
    assert gained == (0 if platform else 980)


def test_a_released_hold_leaves_the_commission_to_be_paid_at_its_date(
    parties: tuple[Listing, Affiliate, Organization],
) -> None:
    listing, affiliate, customer = parties
    _order, earning = sell(customer, listing, affiliate, hold="Velocity: why.")
    unfreeze(earning)
    assert (earning.frozen_at, earning.frozen_reason) == (None, "")


def test_a_day_has_so_many_leads(parties: tuple[Listing, Affiliate, Organization]) -> None:
    _listing, affiliate, _customer = parties
    for number in range(MOST_LEADS_A_DAY):
        register_lead(affiliate, f"hash-{number}")
    with pytest.raises(RateLimitedError):
        register_lead(affiliate, "one more")
    with clock.frozen(clock.now() + timedelta(days=1, minutes=1)):
        assert register_lead(affiliate, "one more")


def test_two_pages_at_once_write_one_attribution(
    app: Flask, parties: tuple[Listing, Affiliate, Organization]
) -> None:
    _listing, affiliate, customer = parties
    make_click(make_affiliate_link(affiliate))
    customer_id = customer.id
    db.session.commit()

    def come() -> None:
        with unit_of_work():
            attribute(customer_id, touches_of_visitor("visitor"))

    assert at_once(app, [come, come, come]) == []
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Attribution)) == 1


def test_what_a_person_released_is_not_held_again_for_the_same_reason(
    parties: tuple[Listing, Affiliate, Organization],
) -> None:
    listing, affiliate, customer = parties
    reason = "Velocity: 4 customers came from one internet address in a day."
    make_click(make_affiliate_link(affiliate))
    attribute(customer.id, touches_of_visitor("visitor"))[0].hold_reason = reason
    _order, earning = sell(customer, listing, affiliate, hold=reason)
    other = make_customer("Red Kite")
    sell(other, listing, affiliate, hold=reason)

    def held(payment_number: int, organization: Organization) -> str:
        credit = credit_for(
            organization_id=organization.id,
            listing_id=listing.id,
            publisher_id=listing.publisher_id,
            net=4_900,
            currency="EUR",
            code_affiliate_id=None,
            payment_number=payment_number,
            at=clock.now(),
        )
        return credit.hold_reason if credit is not None else "no credit"

    affiliate.program.rules[0].payments = None
    assert (held(1, customer), held(2, customer)) == (reason, reason)
    assert clear(earning, by_user_id=7)
    assert (earning.frozen_at, earning.freezes) == (None, {})
    assert (held(1, customer), held(2, customer)) == ("", "")
    # Decided about these two alone, and by somebody.
    assert held(2, other) == reason
    (decision,) = db.session.scalars(select(CommissionClearance)).all()
    assert (decision.decided_by_id, decision.reason) == (7, reason)
    assert (decision.earning_id, decision.organization_id) == (earning.id, customer.id)
    assert not clear(earning, by_user_id=8)
    # Another reason is another decision.
    customer_line = earning.line
    customer_line.commission_hold_reason = "Velocity: 21 sales of this affiliate within an hour."
    db.session.flush()
    assert "21 sales" in held(2, customer)


def test_a_card_that_a_person_looked_at_holds_nothing_more(
    parties: tuple[Listing, Affiliate, Organization],
) -> None:
    listing, affiliate, customer = parties
    make_paid_order(partner_of(affiliate), listing).card_fingerprint = "fp_1"
    order, earning = sell(customer, listing, affiliate)
    order.card_fingerprint = "fp_1"
    assert hold_same_card(order) == 1
    assert clear(earning, by_user_id=7)
    assert hold_same_card(order) == 0
    again, renewed = sell(customer, listing, affiliate)
    again.card_fingerprint = "fp_1"
    assert hold_same_card(again) == 0
    assert renewed.frozen_at is None
    stranger, held = sell(make_customer("Red Kite"), listing, affiliate)
    stranger.card_fingerprint = "fp_1"
    assert hold_same_card(stranger) == 1
    assert held.frozen_at is not None


def test_two_who_release_at_once_decide_once(
    app: Flask, parties: tuple[Listing, Affiliate, Organization]
) -> None:
    listing, affiliate, customer = parties
    _order, earning = sell(customer, listing, affiliate, hold="Velocity: why.")
    earning_id, released = earning.id, []
    db.session.commit()

    def release() -> None:
        with unit_of_work():
            found = db.session.get_one(Earning, earning_id)
            released.append(clear(found, by_user_id=7))

    assert at_once(app, [release, release]) == []
    assert sorted(released) == [False, True]
