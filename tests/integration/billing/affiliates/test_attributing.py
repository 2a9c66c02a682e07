"""By whom a customer came, and whom its payments are credited to."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.affiliate import MOST_CLICKS_A_DAY, Relation
from billing.affiliates.attributing import attribute
from billing.affiliates.clicks import touches_of_leads, touches_of_visitor
from billing.affiliates.joining import leave, suspend
from billing.affiliates.programs import RuleTerms, close_program, pause_program, publish_rule
from billing.affiliates.relations import look_up_relations_with
from billing.attribution import Credit, Origin, credit_for
from billing.models import (
    AffiliateLead,
    Attribution,
    AttributionModel,
    Funder,
    Order,
    OrderKind,
    PlanBilling,
    Subscription,
    SubscriptionState,
)
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.sales.affiliates.relations import relation_of_people
from tests.factories.affiliates import (
    make_affiliate,
    make_affiliate_link,
    make_click,
    make_paid_order,
    make_plan,
    make_program,
)
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_user
from tests.factories.selling import make_discount
from tests.factories.selling import make_paid_order as make_shop_order
from tests.factories.selling import make_plan as make_shop_plan


@dataclass
class Shop:
    """A listing, its publisher, a customer and two partners who might have brought it."""

    publisher: Organization
    listing: Listing
    customer: Organization
    one: Organization
    two: Organization

    def credit(self, **fields: Any) -> Credit | None:
        values: dict[str, Any] = {
            "organization_id": self.customer.id,
            "listing_id": self.listing.id,
            "publisher_id": self.publisher.id,
            "net": 4_900,
            "currency": "EUR",
            "code_affiliate_id": None,
            "payment_number": 1,
            "at": clock.now(),
        }
        return credit_for(**{**values, **fields})

    def come(self) -> list[Attribution]:
        return attribute(self.customer.id, touches_of_visitor("visitor"))


@pytest.fixture
def shop(app: Flask) -> Shop:
    listing = make_listing()
    look_up_relations_with(relation_of_people)
    return Shop(
        listing.publisher,
        listing,
        make_customer(),
        make_organization("Bramble"),
        make_organization("Finch"),
    )


def begin_subscription(shop: Shop, order: Order) -> Subscription:
    plan = make_plan(shop.listing, billing=PlanBilling.MONTHLY)
    subscription = Subscription(
        public_id=f"sub_{order.id}",
        organization_id=shop.customer.id,
        listing_id=shop.listing.id,
        plan_id=plan.id,
        price_id=plan.prices[0].id,
        currency="EUR",
        state=SubscriptionState.ACTIVE,
    )
    db.session.add(subscription)
    db.session.flush()
    order.subscription_id = subscription.id
    db.session.flush()
    return subscription


def test_a_click_within_the_window_is_credited_with_the_rule_in_force(shop: Shop) -> None:
    program = make_program(shop.publisher)
    affiliate = make_affiliate(program, shop.one)
    make_click(make_affiliate_link(affiliate), days_ago=29, sub_id="letter-7")
    (row,) = shop.come()
    assert (row.sub_id, row.source, row.hold_reason) == ("letter-7", "click", "")
    credit = shop.credit()
    assert credit == Credit(
        affiliate_id=affiliate.id,
        organization_id=shop.one.id,
        rule_id=program.rules[0].id,
        base=4_900,
        bps=2_000,
        amount=980,
        hold_days=30,
        funder=Funder.PUBLISHER,
        origin=Origin("click", row.id, row.click_id, None, "letter-7", row.expires_at),
    )


def test_a_click_before_the_window_is_not_credited(shop: Shop) -> None:
    affiliate = make_affiliate(make_program(shop.publisher), shop.one)
    make_click(make_affiliate_link(affiliate), days_ago=31)
    assert shop.come() == []
    assert shop.credit() is None


def test_an_attribution_that_has_expired_is_not_credited_and_makes_room_for_the_next(
    shop: Shop,
) -> None:
    program = make_program(shop.publisher, attribution=AttributionModel.FIRST_CLICK)
    make_click(make_affiliate_link(make_affiliate(program, shop.one)), days_ago=29)
    shop.come()
    with clock.frozen(clock.now() + timedelta(days=2)):
        assert shop.credit() is None
        second = make_affiliate(program, shop.two)
        make_click(make_affiliate_link(second))
        shop.come()
        credit = shop.credit()
    assert credit is not None
    assert credit.affiliate_id == second.id
    assert db.session.scalar(select(func.count()).select_from(Attribution)) == 2


@pytest.mark.parametrize("model", list(AttributionModel))
def test_first_or_last_click_is_the_programs_choice(shop: Shop, model: AttributionModel) -> None:
    program = make_program(shop.publisher, attribution=model)
    one, two = make_affiliate(program, shop.one), make_affiliate(program, shop.two)
    make_click(make_affiliate_link(one), days_ago=9)
    shop.come()
    make_click(make_affiliate_link(two), days_ago=1)
    shop.come()
    shop.come()
    credit = shop.credit()
    assert credit is not None
    assert credit.affiliate_id == (one if model is AttributionModel.FIRST_CLICK else two).id
    live = db.session.scalars(select(Attribution).where(Attribution.ended_at.is_(None))).all()
    assert len(live) == 1


def test_the_typed_code_goes_before_every_click(shop: Shop) -> None:
    program = make_program(shop.publisher)
    one, two = make_affiliate(program, shop.one), make_affiliate(program, shop.two)
    make_click(make_affiliate_link(one))
    shop.come()
    credit = shop.credit(code_affiliate_id=two.id)
    assert credit is not None
    assert credit.affiliate_id == two.id


def test_a_code_of_another_publishers_program_counts_for_nothing(shop: Shop) -> None:
    other = make_affiliate(make_program(make_organization("Elsewhere")), shop.one)
    assert shop.credit(code_affiliate_id=other.id) is None


def test_only_one_program_pays_and_it_is_the_most_exact(shop: Shop) -> None:
    platform = make_affiliate(make_program(None), shop.one)
    whole = make_affiliate(make_program(shop.publisher), shop.one)
    exact = make_affiliate(make_program(shop.publisher, listing_id=shop.listing.id), shop.two)
    for affiliate in (exact, whole, platform):
        make_click(make_affiliate_link(affiliate))
    assert len(shop.come()) == 3
    found = []
    for affiliate in (exact, whole, platform):
        credit = shop.credit()
        assert credit is not None
        found.append((credit.affiliate_id, credit.funder))
        suspend(affiliate, note="Enough.", by_user_id=None)
    assert found == [
        (exact.id, Funder.PUBLISHER),
        (whole.id, Funder.PUBLISHER),
        (platform.id, Funder.PLATFORM),
    ]
    assert shop.credit() is None


def test_renewals_go_on_with_the_affiliate_of_the_purchase_for_as_many_payments_as_agreed(
    shop: Shop,
) -> None:
    program = make_program(shop.publisher, RuleTerms(bps=2_000, payments=3))
    affiliate = make_affiliate(program, shop.one)
    make_paid_order(shop.customer, shop.listing, affiliate=affiliate)
    with clock.frozen(clock.now() + timedelta(days=300)):
        amounts = [
            credit.amount if (credit := shop.credit(payment_number=number)) else None
            for number in (2, 3, 4)
        ]
    assert amounts == [980, 980, None]


def test_a_renewal_of_what_nobody_brought_is_not_credited_to_a_later_click(shop: Shop) -> None:
    program = make_program(shop.publisher, RuleTerms(bps=2_000, payments=None))
    make_paid_order(shop.customer, shop.listing)
    make_click(make_affiliate_link(make_affiliate(program, shop.one)))
    shop.come()
    assert shop.credit(payment_number=2) is None
    assert shop.credit(payment_number=1) is not None


def test_a_trial_keeps_its_affiliate_until_the_first_payment(shop: Shop) -> None:
    affiliate = make_affiliate(make_program(shop.publisher), shop.one)
    make_click(make_affiliate_link(affiliate))
    shop.come()
    nothing = shop.credit(net=0)
    assert nothing is not None
    assert nothing.amount == 0
    begin_subscription(
        shop, make_paid_order(shop.customer, shop.listing, net=0, affiliate=affiliate)
    )
    with clock.frozen(clock.now() + timedelta(days=60)):
        credit = shop.credit()
    assert credit is not None
    assert credit.amount == 980


def test_seats_added_in_the_first_period_belong_to_whoever_brought_the_purchase(
    shop: Shop,
) -> None:
    program = make_program(shop.publisher, RuleTerms(bps=2_000, payments=None))
    first, later = make_affiliate(program, shop.one), make_affiliate(program, shop.two)
    order = make_paid_order(shop.customer, shop.listing, affiliate=first)
    subscription = begin_subscription(shop, order)
    make_click(make_affiliate_link(later))
    shop.come()
    credit = shop.credit()
    assert credit is not None
    assert credit.affiliate_id == first.id
    subscription.state = SubscriptionState.CANCELED
    db.session.flush()
    again = shop.credit()
    assert again is not None
    assert again.affiliate_id == later.id


def test_what_nobody_brought_stays_so_while_it_runs(shop: Shop) -> None:
    program = make_program(shop.publisher)
    begin_subscription(shop, make_paid_order(shop.customer, shop.listing))
    make_click(make_affiliate_link(make_affiliate(program, shop.one)))
    shop.come()
    assert shop.credit() is None


def test_the_steps_count_paid_sales_and_no_renewals(shop: Shop) -> None:
    program = make_program(shop.publisher, RuleTerms(bps=1_000, steps=((3, 5_000),)))
    affiliate = make_affiliate(program, shop.one)
    make_click(make_affiliate_link(affiliate))
    shop.come()
    rates = []
    for kind in (OrderKind.PURCHASE, OrderKind.RENEWAL, OrderKind.PURCHASE, OrderKind.RESALE):
        credit = shop.credit(code_affiliate_id=affiliate.id)
        assert credit is not None
        rates.append(credit.bps)
        make_paid_order(make_customer(), shop.listing, affiliate=affiliate, kind=kind)
    assert rates == [1_000, 1_000, 1_000, 5_000]


def test_a_new_rule_counts_from_its_day_on(shop: Shop) -> None:
    program = make_program(shop.publisher)
    affiliate = make_affiliate(program, shop.one)
    now = clock.now()
    later = publish_rule(
        program, RuleTerms(bps=500), effective_from=now + timedelta(days=3), by_user_id=None
    )
    before = shop.credit(code_affiliate_id=affiliate.id, at=now + timedelta(days=2))
    after = shop.credit(code_affiliate_id=affiliate.id, at=now + timedelta(days=3))
    assert before is not None
    assert after is not None
    assert (before.bps, after.bps, after.rule_id) == (2_000, 500, later.id)


def test_a_paused_program_takes_no_new_clicks_but_pays_for_those_before(shop: Shop) -> None:
    program = make_program(shop.publisher)
    make_click(make_affiliate_link(make_affiliate(program, shop.one)))
    shop.come()
    pause_program(program, by_user_id=None)
    assert shop.credit() is not None
    other = make_customer("Red Kite")
    assert attribute(other.id, touches_of_visitor("visitor")) == []
    close_program(program, by_user_id=None)
    assert shop.credit() is None


def test_who_leaves_earns_nothing_more(shop: Shop) -> None:
    affiliate = make_affiliate(make_program(shop.publisher), shop.one)
    make_click(make_affiliate_link(affiliate))
    shop.come()
    leave(affiliate, by_user_id=None)
    assert shop.credit() is None


def test_machines_bring_nobody(shop: Shop) -> None:
    affiliate = make_affiliate(make_program(shop.publisher), shop.one)
    make_click(make_affiliate_link(affiliate), bot=True)
    assert shop.come() == []


def test_a_lead_counts_for_customers_founded_afterwards_and_never_against_a_click(
    shop: Shop,
) -> None:
    program = make_program(shop.publisher)
    one, two = make_affiliate(program, shop.one), make_affiliate(program, shop.two)
    db.session.add(AffiliateLead(affiliate_id=two.id, email_hash="x", created_at=clock.now()))
    db.session.flush()
    later = clock.now() + timedelta(hours=1)
    assert touches_of_leads({"x"}, before=shop.customer.created_at) == []
    assert attribute(shop.customer.id, touches_of_leads({"x"}, before=later))[0].affiliate_id == (
        two.id
    )
    make_click(make_affiliate_link(one), days_ago=3)
    make_click(make_affiliate_link(one))
    shop.come()
    attribute(shop.customer.id, touches_of_leads({"x"}, before=later))
    credit = shop.credit()
    assert credit is not None
    assert credit.affiliate_id == one.id


def test_self_referrals_are_held_with_their_reason(shop: Shop) -> None:
    program = make_program(shop.publisher)
    affiliate = make_affiliate(program, shop.one)
    person = make_user(email="ada@mail.tidewater.co")
    make_member(shop.one, user=person)
    make_member(shop.customer, user=make_user(email="bo@mail.tidewater.co"))
    make_click(make_affiliate_link(affiliate))
    (row,) = shop.come()
    assert "mail.tidewater.co" in row.hold_reason
    make_member(shop.customer, user=person)
    credit = shop.credit()
    assert credit is not None
    assert credit.hold_reason.startswith("Self-referral: a person belongs to both")
    own = shop.credit(organization_id=shop.one.id, code_affiliate_id=affiliate.id)
    assert own is not None
    assert own.hold_reason == "Self-referral: the affiliate is the customer."


def test_public_mailers_tell_nothing(shop: Shop) -> None:
    affiliate = make_affiliate(make_program(shop.publisher), shop.one)
    make_member(shop.one, user=make_user(email="ada@gmail.com"))
    make_member(shop.customer, user=make_user(email="bo@gmail.com"))
    assert relation_of_people(shop.one.id, shop.customer.id) == Relation()
    credit = shop.credit(code_affiliate_id=affiliate.id)
    assert credit is not None
    assert credit.hold_reason == ""


def test_the_same_card_is_held(shop: Shop) -> None:
    affiliate = make_affiliate(make_program(shop.publisher), shop.one)
    make_paid_order(shop.one, make_listing()).card_fingerprint = "fp_1"
    make_paid_order(shop.customer, make_listing()).card_fingerprint = "fp_1"
    credit = shop.credit(code_affiliate_id=affiliate.id)
    assert credit is not None
    assert "same card" in credit.hold_reason


def test_too_many_customers_and_clicks_from_one_address_are_held(shop: Shop) -> None:
    affiliate = make_affiliate(make_program(shop.publisher), shop.one)
    link = make_affiliate_link(affiliate)
    reasons = []
    for number in range(4):
        make_click(link, visitor_hash=f"v{number}", address_hash="office")
        touches = touches_of_visitor(f"v{number}")
        reasons.append(attribute(make_customer().id, touches)[0].hold_reason)
    assert reasons[:3] == ["", "", ""]
    assert "4 customers" in reasons[3]
    for _ in range(MOST_CLICKS_A_DAY + 1):
        make_click(link, visitor_hash="machine", address_hash="farm")
    (row,) = attribute(shop.customer.id, touches_of_visitor("machine"))
    assert "51 clicks" in row.hold_reason


def test_too_many_sales_within_an_hour_are_held(shop: Shop) -> None:
    affiliate = make_affiliate(make_program(shop.publisher), shop.one)
    for _ in range(20):
        make_paid_order(shop.customer, shop.listing, affiliate=affiliate, net=1)
    credit = shop.credit(code_affiliate_id=affiliate.id)
    assert credit is not None
    assert "21 sales" in credit.hold_reason


def test_what_was_refunded_in_full_is_no_sale_on_the_way_to_a_step(shop: Shop) -> None:
    rule = RuleTerms(bps=1_000, steps=((3, 2_000),))
    affiliate = make_affiliate(make_program(shop.publisher, rule), shop.one)
    orders = [make_paid_order(shop.customer, shop.listing, affiliate=affiliate) for _ in range(2)]
    reached = shop.credit(code_affiliate_id=affiliate.id)
    orders[0].refunded_total = orders[0].total - 1
    in_part = shop.credit(code_affiliate_id=affiliate.id)
    orders[0].refunded_total = orders[0].total
    in_full = shop.credit(code_affiliate_id=affiliate.id)
    assert [each and each.bps for each in (reached, in_part, in_full)] == [2_000, 2_000, 1_000]


def test_a_trial_is_a_sale_although_nothing_of_it_could_go_back(shop: Shop) -> None:
    rule = RuleTerms(bps=1_000, steps=((2, 2_000),))
    affiliate = make_affiliate(make_program(shop.publisher, rule), shop.one)
    make_paid_order(shop.customer, shop.listing, affiliate=affiliate, net=0)
    credit = shop.credit(code_affiliate_id=affiliate.id)
    assert credit is not None
    assert credit.bps == 2_000


def test_what_brought_the_customer_is_frozen_and_goes_on_with_renewals(shop: Shop) -> None:
    program = make_program(shop.publisher, RuleTerms(bps=2_000, payments=None))
    affiliate = make_affiliate(program, shop.one)
    link = make_affiliate_link(affiliate)
    click = make_click(link, days_ago=2, sub_id="letter-7")
    (row,) = shop.come()
    until = row.expires_at
    order = make_plan_order(shop)
    line = order.lines[0]
    assert (line.came_by, line.click_id, line.sub_id) == ("click", click.id, "letter-7")
    assert (line.attribution_id, line.credited_until, line.code_id) == (row.id, until, None)
    # The same affiliate's later click renews the attribution, and leaves the sale as it was.
    make_click(link, sub_id="letter-8")
    shop.come()
    db.session.expire_all()
    assert row.click_id != click.id
    assert (line.click_id, line.sub_id, line.credited_until) == (click.id, "letter-7", until)
    renewal = shop.credit(payment_number=2)
    assert renewal is not None
    assert (renewal.origin.click_id, renewal.origin.sub_id) == (click.id, "letter-7")


def test_the_code_that_made_the_sale_stands_at_its_line(shop: Shop) -> None:
    affiliate = make_affiliate(make_program(shop.publisher), shop.one)
    other = make_affiliate(make_program(None), shop.two)
    make_click(make_affiliate_link(other))
    shop.come()
    discount = make_discount(shop.publisher, "BRAMBLE10")
    code = discount.codes[0]
    code.affiliate_id = affiliate.id
    line = make_plan_order(shop, code="bramble10").lines[0]
    assert (line.affiliate_id, line.came_by, line.code_id) == (affiliate.id, "code", code.id)
    assert (line.click_id, line.attribution_id, line.credited_until) == (None, None, None)


def make_plan_order(shop: Shop, **options: Any) -> Order:
    """An order of a plan of the listing, placed and paid as in the shop."""
    return make_shop_order(make_shop_plan(shop.listing, 4_900), shop.customer, **options)
