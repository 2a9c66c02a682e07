"""Placing orders and taking them as paid, with everything frozen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from billing import entitlements
from billing.discount_offers import normal_code
from billing.entitlements import begin_grace, end_overdue, entitlement_of
from billing.ledger import balance
from billing.models import (
    AgreementState,
    DiscountKind,
    DiscountUse,
    Earning,
    Entitlement,
    EntitlementState,
    Funder,
    Order,
    OrderKind,
    OrderState,
    Plan,
    PlanBilling,
    PlanState,
    QuoteState,
    ResaleQuote,
    ResellerAgreement,
    Subscription,
    SubscriptionState,
)
from billing.orders import (
    Buyer,
    Payment,
    close_order,
    listeners,
    mark_paid,
    place_fee_order,
    place_order,
    place_resale_order,
)
from billing.orders.paying import next_invoice_number
from billing.public_ids import new_public_id
from billing.quoting import quote
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.jobs import Job
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.races import at_once
from tests.factories.selling import (
    make_discount,
    make_order,
    make_paid_order,
    make_plan,
    make_price,
    make_sale_fee,
    make_tax_rate,
)

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make_listing(make_organization("Quayside"))


@pytest.fixture
def customer(app: Flask) -> Organization:
    return make_customer("Blue Kite")


def test_an_order_freezes_discount_tax_fee_and_what_the_publisher_gets(
    listing: Listing, customer: Organization
) -> None:
    rule = make_sale_fee(2_000, hold_days=30)
    make_tax_rate("DE", 1_900)
    plan = make_plan(listing, 10_000, is_per_seat=True)
    make_discount(listing.publisher, "AUTUMN", bps=1_000)
    buyer = Buyer(customer.id, country="DE")
    order = make_order(plan, customer, quantity=3, code=" autumn ", buyer=buyer)
    (line,) = order.lines
    assert (order.subtotal, order.discount_total, order.tax_total, order.total) == (
        30_000,
        3_000,
        5_130,
        32_130,
    )
    assert (line.net_amount, line.fee_amount, line.publisher_amount) == (27_000, 5_400, 21_600)
    assert (line.fee_rule_id, line.fee_bps, line.publisher_hold_days) == (rule.id, 2_000, 30)
    assert line.discounts[0]["code"] == "AUTUMN"
    assert order.state is OrderState.PENDING
    assert order.tax_details["bps"] == 1_900


def test_what_the_platform_funds_the_publisher_does_not_lose(
    listing: Listing, customer: Organization
) -> None:
    make_sale_fee(2_000)
    make_discount(None, kind=DiscountKind.FIXED, amount=1_000, currency="EUR", bps=0)
    order = make_paid_order(make_plan(listing, 10_000), customer)
    (line,) = order.lines
    assert (line.net_amount, line.discount_platform_amount) == (9_000, 1_000)
    assert (line.fee_amount, line.publisher_amount) == (2_000, 8_000)
    assert balance("discount", "EUR") == 1_000
    assert balance("stripe_pending", "EUR") == 9_000


def test_paying_twice_is_paying_once(
    listing: Listing, customer: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(listeners, "_paid", [lambda order: told.append(order.id)])
    order = make_order(make_plan(listing), customer)
    payment = Payment(paid_at=clock.now(), charge_id="ch_1", card_last4="4242")
    assert mark_paid(order.id, payment)
    assert not mark_paid(order.id, payment)
    db.session.refresh(order)
    assert told == [order.id]
    assert order.invoice_number == f"INV-{order.paid_at.year if order.paid_at else 0}-00001"
    assert balance("stripe_pending", "EUR") == 10_000
    assert len(db.session.scalars(select(Earning)).all()) == 1


def test_invoice_numbers_have_no_gap_when_a_payment_is_rolled_back(app: Flask) -> None:
    with unit_of_work():
        assert next_invoice_number(2026) == "INV-2026-00001"
    with pytest.raises(RuntimeError), unit_of_work():
        next_invoice_number(2026)
        raise RuntimeError
    with unit_of_work():
        assert next_invoice_number(2026) == "INV-2026-00002"
        assert next_invoice_number(2027) == "INV-2027-00001"


def test_two_payments_at_once_are_numbered_one_after_the_other(
    app: Flask, listing: Listing
) -> None:
    plan = make_plan(listing)
    ids = [make_order(plan, make_customer(f"Kite {n}")).id for n in range(4)]
    db.session.commit()

    def pay(order_id: int) -> None:
        with unit_of_work():
            mark_paid(order_id, Payment(paid_at=NOW))

    assert at_once(app, [lambda each=each: pay(each) for each in ids]) == []
    numbers = sorted(db.session.scalars(select(Order.invoice_number)))
    assert numbers == [f"INV-2026-0000{n}" for n in range(1, 5)]


def test_one_order_paid_by_two_workers_at_once_is_posted_once(
    app: Flask, listing: Listing, customer: Organization
) -> None:
    order_id = make_order(make_plan(listing), customer).id
    db.session.commit()

    def pay() -> None:
        with unit_of_work():
            mark_paid(order_id, Payment(paid_at=NOW, charge_id="ch_1"))

    assert at_once(app, [pay, pay, pay]) == []
    assert balance("stripe_pending", "EUR") == 10_000


def test_the_last_use_of_a_code_is_given_once(app: Flask, listing: Listing) -> None:
    plan = make_plan(listing)
    make_discount(listing.publisher, "LAST", max_uses=1)
    customers = [make_customer(f"Kite {n}").id for n in range(3)]
    db.session.commit()

    def buy(organization_id: int) -> None:
        with unit_of_work():
            found = db.session.get_one(Plan, plan_id)
            offered = quote(
                found, Buyer(organization_id), currency="EUR", quantity=1, code="LAST", at=NOW
            )
            place_order(offered, description="Pro")

    plan_id = plan.id
    raised = at_once(app, [lambda each=each: buy(each) for each in customers])
    uses = db.session.scalars(select(DiscountUse)).all()
    assert len(uses) == 1
    assert all(isinstance(error, ConflictError) for error in raised)


def test_a_price_that_changed_while_the_page_was_read_is_shown_anew(
    listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing, 10_000)
    offered = quote(plan, Buyer(customer.id), currency="EUR", quantity=1, at=clock.now())
    make_price(plan, 12_000)
    with pytest.raises(ConflictError) as caught:
        place_order(offered, description="Pro")
    assert caught.value.code == "price_changed"


def test_a_price_counts_from_its_day_on(listing: Listing, customer: Organization) -> None:
    plan = make_plan(listing, 10_000)
    make_price(plan, 15_000, effective_from=clock.now() + timedelta(days=3))
    buyer = Buyer(customer.id)
    now = clock.now()
    assert quote(plan, buyer, currency="EUR", quantity=1, at=now).total == 10_000
    later = now + timedelta(days=4)
    assert quote(plan, buyer, currency="EUR", quantity=1, at=later).total == 15_000


@pytest.mark.parametrize(
    ("currency", "quantity", "field"),
    [("USD", 1, "currency"), ("EUR", 0, "quantity"), ("EUR", 10_001, "quantity")],
)
def test_a_quantity_or_currency_that_cannot_be_is_refused_at_its_field(
    listing: Listing, customer: Organization, currency: str, quantity: int, field: str
) -> None:
    plan = make_plan(listing, 10_000, is_per_seat=True)
    with pytest.raises(InvalidError) as caught:
        quote(plan, Buyer(customer.id), currency=currency, quantity=quantity, at=clock.now())
    assert list(caught.value.fields) == [field]


def test_a_code_that_does_not_count_says_why_and_the_better_discount_stays(
    listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing, 10_000)
    make_discount(listing.publisher, name="Launch", bps=3_000)
    make_discount(listing.publisher, "SMALL", name="Small", bps=500)
    make_discount(make_organization("Rivals"), "THEIRS")
    buyer = Buyer(customer.id)

    def offered(code: str) -> str:
        return quote(
            plan, buyer, currency="EUR", quantity=1, code=code, at=clock.now()
        ).code_problem

    assert offered("SMALL") == "Launch saves you more, and the code cannot be added to it."
    assert offered("THEIRS") == offered("NONE") == "This code is not valid here."
    assert offered("") == ""
    assert normal_code(" la st ") == "LAST"


def test_a_lapsed_order_frees_its_code_and_counts_again_when_it_is_paid_all_the_same(
    listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing)
    make_discount(listing.publisher, "ONCE", max_uses=1)
    order = make_order(plan, customer, code="ONCE")
    assert close_order(order.id, OrderState.EXPIRED)
    assert not close_order(order.id, OrderState.CANCELED)
    use = db.session.scalars(select(DiscountUse)).one()
    assert use.released_at is not None
    assert mark_paid(order.id, Payment(paid_at=clock.now()))
    db.session.refresh(use)
    assert use.released_at is None
    assert entitlement_of(listing.id, customer.id) is not None


def test_where_stripe_charged_a_cent_less_that_is_what_is_divided(
    listing: Listing, customer: Organization
) -> None:
    make_sale_fee(2_000)
    make_discount(listing.publisher, bps=3_333)
    order = make_order(make_plan(listing, 10_001), customer)
    charged = replace(
        Payment(paid_at=clock.now(), charge_id="ch_1"), subtotal=10_001, discount=3_334, tax=0
    )
    assert order.discount_total == 3_333
    mark_paid(order.id, charged)
    db.session.refresh(order)
    (line,) = order.lines
    assert (order.total, line.discounts[0]["amount"]) == (6_667, 3_334)
    assert line.fee_amount + line.publisher_amount == 6_667
    assert balance("stripe_pending", "EUR") == 6_667


def test_paying_for_what_is_paid_already_is_given_back(
    listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing, billing=PlanBilling.ONE_TIME)
    first, second = make_order(plan, customer), make_order(plan, customer)
    for each in (first, second):
        mark_paid(each.id, Payment(paid_at=clock.now(), charge_id=f"ch_{each.id}"))
    kinds = set(db.session.scalars(select(Job.kind)))
    assert "billing.refund_double" in kinds
    held = entitlement_of(listing.id, customer.id)
    assert held is not None
    assert held.order_id == first.id


def test_a_fee_of_the_platform_is_all_its_own(app: Flask) -> None:
    partner = make_organization("Quayside")
    order = place_fee_order(
        organization_id=partner.id,
        description="Certification",
        amount=25_000,
        currency="EUR",
        user_id=None,
    )
    mark_paid(order.id, Payment(paid_at=clock.now()))
    assert order.kind is OrderKind.PROGRAM_FEE
    assert balance("platform_fee", "EUR") == 25_000
    assert db.session.scalars(select(Earning)).all() == []
    assert db.session.scalars(select(Entitlement)).all() == []


def make_quote(listing: Listing, customer: Organization, **fields: object) -> ResaleQuote:
    plan = make_plan(listing, 10_000, is_per_seat=True)
    reseller = make_organization("Harbourmaster")
    agreement = ResellerAgreement(
        public_id=new_public_id("agr"),
        publisher_id=listing.publisher_id,
        reseller_id=reseller.id,
        listing_id=listing.id,
        plan_id=plan.id,
        currency="EUR",
        floor_amount=8_000,
        hold_days=21,
        state=AgreementState.ACTIVE,
    )
    db.session.add(agreement)
    db.session.flush()
    values = {
        "public_id": new_public_id("quo"),
        "agreement_id": agreement.id,
        "reseller_id": reseller.id,
        "customer_id": customer.id,
        "currency": "EUR",
        "quantity": 2,
        "unit_amount": 11_000,
        "state": QuoteState.ACCEPTED,
        "expires_at": clock.now() + timedelta(days=9),
        **fields,
    }
    found = ResaleQuote(**values)
    db.session.add(found)
    db.session.flush()
    return found


def test_a_resale_is_split_between_platform_publisher_and_reseller(
    listing: Listing, customer: Organization
) -> None:
    make_sale_fee(1_000)
    resale = make_quote(listing, customer)
    order = place_resale_order(resale, user_id=None)
    assert place_resale_order(resale, user_id=None).id == order.id
    (line,) = order.lines
    assert (line.list_amount, line.floor_amount, line.margin_amount) == (22_000, 16_000, 6_000)
    assert (line.fee_amount, line.publisher_amount) == (1_600, 14_400)
    assert line.margin_hold_days == 21
    mark_paid(order.id, Payment(paid_at=clock.now()))
    assert resale.state is QuoteState.PAID
    assert balance("partner_held", "EUR", resale.reseller_id) == 6_000
    held = entitlement_of(listing.id, customer.id)
    assert held is not None
    assert held.quantity == 2


def test_a_quote_that_was_not_accepted_is_not_sold(
    listing: Listing, customer: Organization
) -> None:
    with pytest.raises(ConflictError):
        place_resale_order(make_quote(listing, customer, state=QuoteState.SENT), user_id=None)


def test_a_trial_costs_nothing_now_and_begins_a_subscription(
    listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing, 5_000, billing=PlanBilling.MONTHLY, trial_days=14)
    make_discount(listing.publisher, "TRY", months=3)
    order = make_order(plan, customer, code="TRY")
    (line,) = order.lines
    assert (order.total, line.unit_amount) == (0, 5_000)
    assert (line.discounts[0]["amount"], line.discounts[0]["later_amount"]) == (0, 500)
    subscription = db.session.get_one(Subscription, order.subscription_id)
    assert subscription.state is SubscriptionState.INCOMPLETE
    assert subscription.trial_ends_at is not None
    second = quote(
        plan, Buyer(customer.id), currency="EUR", quantity=1, at=clock.now(), had_trial=True
    )
    assert second.due_now == 5_000


def test_a_plan_that_is_no_longer_sold_is_not_sold(
    listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing)
    offered = quote(plan, Buyer(customer.id), currency="EUR", quantity=1, at=clock.now())
    plan.state = PlanState.ARCHIVED
    with pytest.raises(ConflictError):
        place_order(offered, description="Pro")


def test_unpaid_for_longer_than_its_grace_an_entitlement_ends_and_is_told(
    listing: Listing, customer: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    make_paid_order(make_plan(listing), customer)
    monkeypatch.setattr(entitlements, "_changed", [lambda *ids: told.append(ids)])
    held = entitlement_of(listing.id, customer.id)
    assert held is not None
    begin_grace(held)
    begin_grace(held)
    end_overdue({})
    assert held.state is EntitlementState.GRACE
    held.grace_until = clock.now() - timedelta(seconds=1)
    db.session.flush()
    end_overdue({})
    assert held.state is EntitlementState.ENDED
    assert told == [(listing.id, customer.id)] * 2
    assert entitlement_of(listing.id, customer.id) is None


def test_the_code_of_a_platform_discount_counts_for_every_publisher(
    listing: Listing, customer: Organization
) -> None:
    make_discount(None, "WELCOME", funder=Funder.PLATFORM, bps=2_000)
    order = make_order(make_plan(listing), customer, code="welcome")
    assert (order.discount_total, order.lines[0].discount_platform_amount) == (2_000, 2_000)


def test_the_publisher_s_own_code_goes_before_the_platform_s_of_the_same_name(
    listing: Listing, customer: Organization
) -> None:
    make_discount(None, "WELCOME", bps=2_000)
    make_discount(make_organization("Rivals"), "WELCOME", bps=9_000)
    own = make_discount(listing.publisher, "WELCOME", bps=1_000)
    plan = make_plan(listing, 10_000)

    def off() -> int:
        found = quote(
            plan, Buyer(customer.id), currency="EUR", quantity=1, code="welcome", at=clock.now()
        )
        return found.discount

    assert off() == 1_000
    own.codes[0].disabled_at = clock.now()
    db.session.flush()
    assert off() == 2_000


@pytest.mark.parametrize("is_platform", [False, True])
def test_a_seller_has_a_code_once(listing: Listing, *, is_platform: bool) -> None:
    seller = None if is_platform else listing.publisher
    make_discount(seller, "WELCOME")
    with pytest.raises(IntegrityError):
        make_discount(seller, "WELCOME")
    db.session.rollback()
