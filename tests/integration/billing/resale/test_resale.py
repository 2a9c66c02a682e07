"""Agreements between publishers and resellers, and quotes to customers."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from billing.entitlements import end, entitlement_of, grant
from billing.models import (
    AgreementState,
    Order,
    OrderKind,
    Plan,
    PlanBilling,
    PlanState,
    QuoteState,
    ResaleQuote,
    ResellerAgreement,
    Subscription,
    SubscriptionState,
)
from billing.orders import place_resale_order
from billing.resale.agreements import (
    AgreementTerms,
    accept_agreement,
    decline_agreement,
    end_agreement,
    offer_agreement,
)
from billing.resale.quotes import (
    QuoteTerms,
    accept_quote,
    decline_quote,
    draft_quote,
    edit_quote,
    expire_quotes,
    note_paid,
    send_quote,
    withdraw_quote,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.identity.models import Organization
from tests.factories.affiliates import make_agreement, make_paid_order, make_plan
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization

TERMS = AgreementTerms("EUR", 4_000, 5_000)


@dataclass
class Deal:
    """A plan, its reseller with an agreement in force, and a customer."""

    plan: Plan
    reseller: Organization
    customer: Organization
    agreement: ResellerAgreement

    def draft(self, unit_amount: int = 4_900, quantity: int = 1, days: int = 30) -> ResaleQuote:
        return draft_quote(
            self.agreement,
            self.customer.id,
            QuoteTerms(unit_amount, quantity, clock.now() + timedelta(days=days)),
            by_user_id=None,
        )

    def sent(self) -> ResaleQuote:
        quote = self.draft()
        send_quote(quote, by_user_id=None)
        return quote


@pytest.fixture
def deal(app: Flask) -> Deal:
    plan = make_plan(make_listing(), is_per_seat=True)
    reseller = make_organization("Bramble")
    return Deal(plan, reseller, make_customer(), make_agreement(plan, reseller))


def refused(call: Any) -> set[str]:
    with pytest.raises(InvalidError) as caught:
        call()
    return set(caught.value.fields)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"floor_amount": 0}, {"floor"}),
        ({"currency": "XXX"}, {"currency"}),
        ({"currency": "HUF", "floor_amount": 4_050}, {"floor"}),
        ({"maximum_markup_bps": 100_001}, {"markup"}),
        ({"maximum_markup_bps": -1}, {"markup"}),
        ({"hold_days": 181}, {"hold_days"}),
        ({"note": "x" * 2_001}, {"note"}),
    ],
)
def test_terms_that_make_no_sense_are_refused_at_their_field(
    app: Flask, changes: dict[str, Any], fields: set[str]
) -> None:
    plan, reseller = make_plan(make_listing()), make_organization("Bramble")
    terms = replace(TERMS, **changes)
    assert refused(lambda: offer_agreement(plan, reseller.id, terms, by_user_id=None)) == fields


def test_only_plans_for_sale_are_offered_and_never_to_oneself(app: Flask) -> None:
    listing = make_listing()
    free = make_plan(listing, 0, billing=PlanBilling.FREE)
    plan = make_plan(listing)
    assert refused(lambda: offer_agreement(free, 99, TERMS, by_user_id=None)) == {"plan"}
    assert refused(lambda: offer_agreement(plan, listing.publisher_id, TERMS, by_user_id=None)) == {
        "reseller"
    }


def test_new_terms_count_once_the_reseller_accepts_them(deal: Deal) -> None:
    new = offer_agreement(
        deal.plan, deal.reseller.id, replace(TERMS, floor_amount=4_500), by_user_id=None
    )
    assert new.version == 2
    assert deal.agreement.state is AgreementState.ACTIVE
    newer = offer_agreement(
        deal.plan, deal.reseller.id, replace(TERMS, floor_amount=4_400), by_user_id=None
    )
    assert new.state is AgreementState.ENDED
    with pytest.raises(ConflictError):
        accept_agreement(new, by_user_id=None)
    assert accept_agreement(newer, by_user_id=None)
    assert not accept_agreement(newer, by_user_id=None)
    assert deal.agreement.state is AgreementState.ENDED
    with pytest.raises(ConflictError):
        decline_agreement(newer, by_user_id=None)


def test_ending_an_agreement_withdraws_what_nobody_accepted(deal: Deal) -> None:
    draft, sent, accepted = deal.draft(), deal.sent(), deal.sent()
    accept_quote(accepted, by_user_id=None)
    assert end_agreement(deal.agreement, by_user_id=None)
    assert not end_agreement(deal.agreement, by_user_id=None)
    db.session.expire_all()
    assert [quote.state for quote in (draft, sent, accepted)] == [
        QuoteState.WITHDRAWN,
        QuoteState.WITHDRAWN,
        QuoteState.ACCEPTED,
    ]


@pytest.mark.parametrize(
    ("unit", "quantity", "days", "fields"),
    [
        (3_999, 1, 30, {"unit_amount"}),
        (6_001, 1, 30, {"unit_amount"}),
        (4_000, 0, 30, {"quantity"}),
        (6_000, 10_001, 30, {"quantity"}),
        (4_000, 1, -1, {"valid_until"}),
        (4_000, 1, 181, {"valid_until"}),
    ],
)
def test_a_quote_outside_of_the_agreement_is_refused_at_its_field(
    deal: Deal, unit: int, quantity: int, days: int, fields: set[str]
) -> None:
    assert refused(lambda: deal.draft(unit, quantity, days)) == fields


def test_what_is_not_sold_by_the_seat_is_quoted_once(app: Flask) -> None:
    plan, reseller = make_plan(make_listing()), make_organization("Bramble")
    deal = Deal(plan, reseller, make_customer(), make_agreement(plan, reseller))
    assert refused(lambda: deal.draft(quantity=2)) == {"quantity"}


def test_nobody_quotes_to_themselves(deal: Deal) -> None:
    for customer in (deal.reseller.id, deal.plan.publisher_id):
        call = lambda c=customer: draft_quote(  # noqa: E731 - refused() calls it
            deal.agreement,
            c,
            QuoteTerms(4_900, 1, clock.now() + timedelta(days=1)),
            by_user_id=None,
        )
        assert refused(call) == {"customer"}


def test_a_quote_goes_from_draft_to_paid(deal: Deal) -> None:
    quote = deal.draft()
    edit_quote(quote, QuoteTerms(5_000, 3, clock.now() + timedelta(days=9)), by_user_id=None)
    assert send_quote(quote, by_user_id=None)
    assert not send_quote(quote, by_user_id=None)
    with pytest.raises(ConflictError):
        edit_quote(quote, QuoteTerms(5_000, 1, quote.expires_at), by_user_id=None)
    assert accept_quote(quote, by_user_id=None)
    assert not accept_quote(quote, by_user_id=None)
    with pytest.raises(ConflictError):
        withdraw_quote(quote, by_user_id=None)
    order = make_paid_order(deal.customer, make_listing(), kind=OrderKind.RESALE)
    order.resale_quote_id = quote.id
    note_paid(order)
    note_paid(order)
    assert quote.state is QuoteState.PAID
    with pytest.raises(ConflictError):
        accept_quote(quote, by_user_id=None)


def test_an_order_without_a_quote_marks_nothing(deal: Deal) -> None:
    note_paid(Order(resale_quote_id=None))


def test_a_customer_changes_its_mind_until_it_pays(deal: Deal) -> None:
    quote = deal.sent()
    accept_quote(quote, by_user_id=None)
    order = make_paid_order(deal.customer, make_listing(), kind=OrderKind.RESALE)
    order.resale_quote_id = quote.id
    db.session.flush()
    with pytest.raises(ConflictError):
        decline_quote(quote, by_user_id=None)
    order.resale_quote_id = None
    db.session.flush()
    assert decline_quote(quote, by_user_id=None)
    assert not decline_quote(quote, by_user_id=None)


def test_what_has_expired_or_may_not_be_sold_any_more_is_not_accepted(deal: Deal) -> None:
    expired, ended = deal.sent(), deal.sent()
    with clock.frozen(clock.now() + timedelta(days=31)):
        with pytest.raises(ConflictError, match="expired"):
            accept_quote(expired, by_user_id=None)
        assert expire_quotes() == 2
        assert expire_quotes() == 0
    db.session.expire_all()
    assert ended.state is QuoteState.EXPIRED
    fresh, draft = deal.sent(), deal.draft()
    deal.agreement.state = AgreementState.ENDED
    db.session.flush()
    with pytest.raises(ConflictError, match="may not sell"):
        accept_quote(fresh, by_user_id=None)
    with pytest.raises(ConflictError):
        send_quote(draft, by_user_id=None)


def test_nobody_accepts_what_would_be_paid_back_at_once(deal: Deal) -> None:
    def hold(plan: Plan, **by: int) -> None:
        grant(organization_id=deal.customer.id, listing_id=plan.listing_id, plan_id=plan.id, **by)

    quote = deal.sent()
    price_id = deal.plan.prices[0].id
    subscription = Subscription(
        public_id="sub_x", organization_id=deal.customer.id, listing_id=deal.plan.listing_id,
        plan_id=deal.plan.id, price_id=price_id, currency="EUR", state=SubscriptionState.ACTIVE,
    )  # fmt: skip
    db.session.add(subscription)
    db.session.flush()
    with pytest.raises(ConflictError, match="You have a subscription to it already"):
        accept_quote(quote, by_user_id=None)
    hold(deal.plan, subscription_id=subscription.id)
    with pytest.raises(ConflictError, match="You have a subscription to it already"):
        accept_quote(quote, by_user_id=None)
    assert quote.state is QuoteState.SENT
    subscription.state = SubscriptionState.CANCELED
    held = entitlement_of(deal.plan.listing_id, deal.customer.id)
    assert held is not None
    end(held, "It was canceled.")
    assert accept_quote(quote, by_user_id=None)
    # Bought otherwise between accepting and paying.
    bought = make_paid_order(deal.customer, make_listing())
    hold(deal.plan, order_id=bought.id)
    with pytest.raises(ConflictError, match="You have this plan already"):
        place_resale_order(quote, user_id=None)


def test_a_plan_that_is_not_sold_any_more_is_not_quoted(deal: Deal) -> None:
    deal.plan.state = PlanState.ARCHIVED
    db.session.flush()
    with pytest.raises(ConflictError):
        deal.draft()
