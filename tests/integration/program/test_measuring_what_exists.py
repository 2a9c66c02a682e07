"""What the catalogue, installing, selling and the portal measure, once however often it is told."""

import itertools
import random
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.models import (
    Dispute,
    DisputeState,
    FeeKind,
    FeeRule,
    Funder,
    Order,
    OrderKind,
    Refund,
    RefundState,
)
from marketplace.catalogue.changes import listing_changed
from marketplace.catalogue.engagement.services.flags import uphold_flags
from marketplace.catalogue.engagement.services.reviews import (
    ReviewText,
    answer_review,
    delete_review,
    write_review,
)
from marketplace.catalogue.engagement.services.suspension import (
    reinstate_publisher,
    suspend_publisher,
)
from marketplace.catalogue.models import Listing, ListingReview, ListingStatus, ListingUse
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import ANONYMOUS
from marketplace.identity.events import person_active
from marketplace.identity.models import OrganizationKind, UserSession
from marketplace.identity.sessions import SEEN_EVERY
from marketplace.installs import measures as installs
from marketplace.installs.models import Environment, InstallationState
from marketplace.observability.measuring_cli import remeasure_everything
from marketplace.program.goals import goal_progress
from marketplace.program.measures import Measure, Measurement
from marketplace.program.policy.document import Policy
from marketplace.program.scorecards.evaluating import values_of
from marketplace.program.scorecards.queries import standing_of
from marketplace.program.standing.models import StandingState
from marketplace.sales import measures as sales
from marketplace.sales.partners import facts_of_partners
from tests.conftest import SignIn
from tests.factories.acting import actor_for
from tests.factories.apps import make_app, make_installation, make_sandbox
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.selling import make_paid_order, make_plan, make_sale_fee
from tests.factories.settlement import AFFILIATE, PUBLISHER, RESELLER, LineTerms, make_order

_numbers = itertools.count(1)


def total(organization_id: int, what: Measure) -> int:
    db.session.flush()
    found = db.session.scalar(
        select(func.sum(Measurement.amount)).where(
            Measurement.organization_id == organization_id, Measurement.measure == what.value
        )
    )
    return int(found or 0)


def amounts(organization_id: int, what: Measure) -> list[int]:
    db.session.flush()
    return list(
        db.session.scalars(
            select(Measurement.amount)
            .where(
                Measurement.organization_id == organization_id, Measurement.measure == what.value
            )
            .order_by(Measurement.id)
        )
    )


# --- the catalogue ---------------------------------------------------------------------------


def test_a_listing_counts_while_it_can_be_found(app: Flask) -> None:
    listing = make_listing()
    partner = listing.publisher
    for _ in range(3):
        listing_changed(listing.id)
    assert amounts(partner.id, Measure.LISTINGS) == [1]
    counted = db.session.scalars(select(Measurement.counts_at)).one()
    assert counted == listing.published_at
    listing.status = ListingStatus.WITHDRAWN
    db.session.flush()
    listing_changed(listing.id), listing_changed(listing.id)
    assert amounts(partner.id, Measure.LISTINGS) == [1, -1]
    listing.status = ListingStatus.ACTIVE
    db.session.flush()
    listing_changed(listing.id)
    assert amounts(partner.id, Measure.LISTINGS) == [1, -1, 1]
    make_listing(partner, published=False)
    assert total(partner.id, Measure.LISTINGS) == 1


def test_a_suspended_publishers_listings_do_not_count(app: Flask) -> None:
    listing = make_listing()
    listing_changed(listing.id)
    suspend_publisher(ANONYMOUS, listing.publisher, "Spam in all of its listings")
    assert total(listing.publisher_id, Measure.LISTINGS) == 0
    reinstate_publisher(ANONYMOUS, listing.publisher)
    assert total(listing.publisher_id, Measure.LISTINGS) == 1


def review_by(listing: Listing, rating: int) -> ListingReview:
    customer = make_customer()
    member = make_member(customer)
    db.session.add(ListingUse(listing_id=listing.id, organization_id=customer.id))
    db.session.flush()
    return write_review(actor_for(member, customer), listing, ReviewText(rating, "Good"))


def test_a_rating_follows_its_review(app: Flask) -> None:
    listing = make_listing()
    partner = listing.publisher
    review = review_by(listing, 5)
    author = actor_for(review.author, review.organization)  # type: ignore[arg-type]  # it has one
    write_review(author, listing, ReviewText(3, "Not so good"))
    assert amounts(partner.id, Measure.RATING) == [500, -500, 300]
    write_review(author, listing, ReviewText(3, "Not so good, in other words"))
    assert total(partner.id, Measure.RATING) == 300
    delete_review(author, review)
    assert total(partner.id, Measure.RATING) == 0
    other = review_by(listing, 1)
    uphold_flags(ANONYMOUS, other, "It is advertising")
    assert amounts(partner.id, Measure.RATING)[-2:] == [100, -100]


def test_an_old_review_that_changes_changes_no_window_but_its_own(app: Flask) -> None:
    rating = {"key": "rating", "name": "R", "measure": "rating", "how": "average", "unit": "stars"}
    number = {"key": "reviews", "name": "N", "measure": "rating", "how": "count"}
    policy = Policy.model_validate(policy_document(metrics=[rating, number]))
    listing = make_listing()
    partner = listing.publisher_id
    now = clock.now()
    with clock.frozen(now - timedelta(days=400)):
        old = review_by(listing, 1)
        edited = review_by(listing, 2)
    with clock.frozen(now - timedelta(days=30)):
        review_by(listing, 4), review_by(listing, 4)
    with clock.frozen(now - timedelta(days=1)):
        uphold_flags(ANONYMOUS, old, "It is advertising")
        author = actor_for(edited.author, edited.organization)  # type: ignore[arg-type]  # it has one
        write_review(author, listing, ReviewText(5, "Much better"))
    assert dict(values_of([partner], policy, now)[partner]) == {"rating": 400, "reviews": 2}
    then = now - timedelta(days=300)
    assert dict(values_of([partner], policy, then)[partner]) == {"rating": 500, "reviews": 1}
    delete_review(author, edited)
    assert dict(values_of([partner], policy, now)[partner]) == {"rating": 400, "reviews": 2}


def test_a_review_that_is_edited_often_is_one_review(app: Flask) -> None:
    number = {"key": "reviews", "name": "N", "measure": "rating", "how": "count"}
    goal = {"key": "reviews", "name": "N", "measure": "rating", "how": "count", "target": 1}
    make_policy(metrics=[number], goals=[goal])
    policy = Policy.model_validate(policy_document(metrics=[number]))
    listing = make_listing()
    partner = listing.publisher_id
    review = review_by(listing, 4)
    author = actor_for(review.author, review.organization)  # type: ignore[arg-type]  # it has one
    for stars in (5, 4, 5, 4):
        write_review(author, listing, ReviewText(stars, "On second thoughts"))
    now = clock.now()
    assert values_of([partner], policy, now)[partner]["reviews"] == 1
    assert [each.value for each in goal_progress(now)] == [1]
    delete_review(author, review)
    assert values_of([partner], policy, now)[partner]["reviews"] == 0
    assert [each.value for each in goal_progress(now)] == [0]


def test_the_first_answer_to_a_review_counts_in_minutes(app: Flask) -> None:
    listing = make_listing()
    owner = make_member(listing.publisher)
    review = review_by(listing, 4)
    actor = actor_for(owner, listing.publisher)
    with clock.frozen(review.created_at + timedelta(hours=2, seconds=59)):
        answer_review(actor, review, "Thank you")
    with clock.frozen(review.created_at + timedelta(days=9)):
        answer_review(actor, review, "Thank you so much")
    assert amounts(listing.publisher_id, Measure.RESPONSE_MINUTES) == [120]


# --- installations ---------------------------------------------------------------------------


def test_an_installation_counts_from_its_beginning_to_its_end(app: Flask) -> None:
    listing = make_listing()
    installation = make_installation(make_app(listing), make_customer())
    for _ in range(2):
        installs.measure_installation(installation)
    assert amounts(listing.publisher_id, Measure.INSTALLS) == [1]
    installation.state = InstallationState.UNINSTALLED
    installation.uninstalled_at = clock.now()
    for _ in range(2):
        installs.measure_installation(installation)
    assert amounts(listing.publisher_id, Measure.INSTALLS) == [1, -1]


def test_own_accounts_and_sandboxes_never_count(app: Flask) -> None:
    listing = make_listing()
    partner = listing.publisher
    founder = make_member(partner)
    made = make_app(listing)
    own = make_customer("A side business")
    make_member(own, user=founder)
    for organization, environment in (
        (partner, Environment.LIVE),
        (make_sandbox(partner), Environment.LIVE),
        (make_customer("Trying"), Environment.TEST),
        (own, Environment.LIVE),
    ):
        installs.measure_installation(
            make_installation(made, organization, environment=environment)
        )
    assert amounts(partner.id, Measure.INSTALLS) == []


# --- money -----------------------------------------------------------------------------------


def refund(order: Order, amount: int, **fields: object) -> Refund:
    number = next(_numbers)
    values = {"state": RefundState.SUCCEEDED, "settled_at": clock.now(), **fields}
    row = Refund(
        public_id=f"re_{number}",
        order_id=order.id,
        number=number,
        amount=amount,
        currency=order.currency,
        **values,
    )
    db.session.add(row)
    db.session.flush()
    return row


def dispute(order: Order, amount: int, state: DisputeState) -> Dispute:
    number = next(_numbers)
    row = Dispute(
        stripe_id=f"dp_{number}", order_id=order.id, charge_id=order.charge_id, amount=amount,
        currency=order.currency, lost_amount=amount, state=state, decided_at=clock.now(),
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row


PARTIES = (PUBLISHER, RESELLER, AFFILIATE)


def test_a_sale_counts_without_tax_for_whoever_sold_resold_or_brought_it(app: Flask) -> None:
    order = make_order(
        LineTerms(price=10_000, tax_bps=1_900, floor=6_000),
        LineTerms(price=4_000, tax_bps=1_900, commission=400, funder=Funder.PUBLISHER),
        LineTerms(price=9_900, publisher=None),
    )
    for _ in range(2):
        sales.measure_order(order)
    found = {each: amounts(each, Measure.NET_REVENUE) for each in PARTIES}
    assert found == {PUBLISHER: [14_000], RESELLER: [10_000], AFFILIATE: [4_000]}
    row = db.session.scalars(select(Measurement).limit(1)).one()
    assert (row.currency, row.counts_at) == ("EUR", order.paid_at)


def test_a_program_fee_is_nobodys_revenue(app: Flask) -> None:
    sales.measure_order(make_order(LineTerms(publisher=None), kind=OrderKind.PROGRAM_FEE))
    assert db.session.scalars(select(Measurement)).all() == []


def test_refunds_and_disputes_come_off_in_proportion_and_come_back_when_they_are_undone(
    app: Flask,
) -> None:
    order = make_order(LineTerms(price=10_000, tax_bps=1_900))
    sales.measure_order(order)
    half = refund(order, 5_950)
    for _ in range(3):
        sales.measure_refund(order, half)
    assert total(PUBLISHER, Measure.NET_REVENUE) == 5_000
    lost = dispute(order, 11_900, DisputeState.LOST)
    sales.measure_dispute(order, lost)
    assert total(PUBLISHER, Measure.NET_REVENUE) == 0  # never less than nothing
    lost.state = DisputeState.WON
    db.session.flush()
    sales.measure_dispute(order, lost), sales.measure_dispute(order, lost)
    assert total(PUBLISHER, Measure.NET_REVENUE) == 5_000
    half.state = RefundState.FAILED
    db.session.flush()
    sales.measure_refund(order, half)
    assert total(PUBLISHER, Measure.NET_REVENUE) == 10_000
    warning = dispute(order, 1, DisputeState.WARNING)
    sales.measure_dispute(order, warning)
    assert total(PUBLISHER, Measure.NET_REVENUE) == 10_000


@pytest.mark.parametrize("seed", range(4))
def test_thirds_add_up_to_the_whole_in_whatever_order_they_are_told(app: Flask, seed: int) -> None:
    order = make_order(LineTerms(price=10_001, tax_bps=700))
    sales.measure_order(order)
    part = order.total // 3
    rows = [refund(order, part), refund(order, part), refund(order, order.total - 2 * part)]
    told = rows * 2
    random.Random(seed).shuffle(told)
    for row in told:
        sales.measure_refund(order, row)
    assert total(PUBLISHER, Measure.NET_REVENUE) == 0


# --- measuring again ---------------------------------------------------------------------------


def test_measuring_again_finds_the_same_and_writes_it_once(app: Flask) -> None:
    listing = make_listing()
    partner = listing.publisher
    hidden = make_listing(partner, listing_fields={"status": ListingStatus.WITHDRAWN})
    review_by(listing, 4)
    gone = make_installation(
        make_app(listing),
        make_customer(),
        state=InstallationState.UNINSTALLED,
        installed_at=clock.now() - timedelta(days=40),
        uninstalled_at=clock.now() - timedelta(days=9),
    )
    assert gone.id
    order = make_order(LineTerms(price=10_000))
    refund(order, 2_500)
    refund(order, 2_500)
    db.session.commit()
    expected = {
        (partner.id, Measure.LISTINGS): 1,
        (partner.id, Measure.RATING): 400,
        (partner.id, Measure.INSTALLS): 0,
        (PUBLISHER, Measure.NET_REVENUE): 5_000,
    }
    counts = []
    for _ in range(2):
        remeasure_everything()
        assert {key: total(*key) for key in expected} == expected
        counts.append(db.session.scalar(select(func.count()).select_from(Measurement)))
    assert counts[0] == counts[1]
    assert amounts(partner.id, Measure.INSTALLS) == [1, -1]
    assert amounts(PUBLISHER, Measure.NET_REVENUE) == [10_000, -2_500, -2_500]
    ended = db.session.scalars(
        select(Measurement.counts_at).where(
            Measurement.source_type == "listing", Measurement.source_id == str(hidden.id)
        )
    ).all()
    assert len(ended) == 2


def test_the_command_says_what_it_looked_at(app: Flask) -> None:
    make_listing()
    db.session.commit()
    done = app.test_cli_runner().invoke(args=["program", "remeasure"])
    assert done.exit_code == 0, done.output
    assert "1 listings and reviews looked at." in done.output


# --- the portal, and the money that follows the tier -----------------------------------------


def test_a_day_in_the_portal_counts_once_for_all_people_of_a_partner(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization()
    one, other = make_member(partner), make_member(partner)
    browsers = [sign_in(one, partner), sign_in(other, partner)]
    long_ago = clock.now() - SEEN_EVERY * 2
    for session in db.session.scalars(select(UserSession)):
        session.last_seen_at = long_ago
    db.session.commit()
    for browser in browsers:
        assert browser.get("/partner").status_code == 200
    db.session.rollback()
    assert amounts(partner.id, Measure.ACTIVITY) == [1]
    with clock.frozen(clock.now() + timedelta(days=1)):
        person_active(partner.id), person_active(partner.id)
    assert amounts(partner.id, Measure.ACTIVITY) == [1, 1]


def test_customers_are_no_partners_in_the_portal(app: Flask, sign_in: SignIn) -> None:
    customer = make_organization("Blue Kite", OrganizationKind.CUSTOMER)
    browser = sign_in(make_user(), customer)
    for session in db.session.scalars(select(UserSession)):
        session.last_seen_at = clock.now() - SEEN_EVERY * 2
    db.session.commit()
    browser.get("/account")
    db.session.rollback()
    assert db.session.scalars(select(Measurement)).all() == []


def test_a_demotion_changes_the_next_order_and_never_past_ones(app: Flask) -> None:
    make_policy()
    rule = make_sale_fee(2_000)
    rule.schedule.rules.append(FeeRule(kind=FeeKind.SALE, tier="gold", bps=1_000, hold_days=14))
    listing = make_listing()
    make_standing(listing.publisher, "gold")
    plan = make_plan(listing, 10_000)
    db.session.flush()
    first = make_paid_order(plan, make_customer("One"))
    assert first.lines[0].fee_amount == 1_000
    standing = standing_of(listing.publisher_id)
    assert standing is not None
    standing.tier = "silver"
    db.session.flush()
    second = make_paid_order(plan, make_customer("Two"))
    assert second.lines[0].fee_amount == 2_000
    db.session.refresh(first.lines[0])
    assert first.lines[0].fee_amount == 1_000


def test_who_is_not_in_the_program_has_no_tier_for_fees(app: Flask) -> None:
    one, lapsed, never = (make_organization(name) for name in ("One", "Lapsed", "Never"))
    make_standing(one, "gold")
    make_standing(lapsed, "gold", state=StandingState.LAPSED)
    found = facts_of_partners([one.id, lapsed.id, never.id])
    assert [found[each.id].tier for each in (one, lapsed, never)] == ["gold", "", ""]
