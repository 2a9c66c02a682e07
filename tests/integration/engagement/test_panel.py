"""What a listing's page shows of reviews and actions."""

from flask import Flask

from marketplace.catalogue.engagement.queries import listing_panel
from marketplace.catalogue.engagement.services import flags, follows, reviews, uses
from marketplace.catalogue.engagement.services.reviews import ReviewText
from marketplace.catalogue.models import Listing, ListingStatus
from marketplace.core.database import db
from marketplace.core.permissions import ANONYMOUS, Actor
from tests.factories.acting import actor_for
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member
from tests.factories.queries import count_queries


def a_customer(name: str = "Blue Kite") -> Actor:
    customer = make_customer(name)
    return actor_for(make_member(customer), customer)


def reviewed(listing: Listing, number: int) -> None:
    for index in range(number):
        actor = a_customer(f"Customer {index}")
        uses.declare_use(actor, listing)
        reviews.write_review(actor, listing, ReviewText(1 + index % 5))


def test_it_takes_at_most_four_queries_however_many_reviews(app: Flask) -> None:
    few, many = make_listing(), make_listing()
    reviewed(few, 3)
    reviewed(many, 30)
    actor = a_customer()
    db.session.commit()
    for listing in (few, many):
        assert listing.publisher.name
        assert count_queries(lambda found=listing: listing_panel(found, ANONYMOUS)) <= 4
        assert count_queries(lambda found=listing: listing_panel(found, actor)) == 4


def test_a_customer_sees_what_it_may_do(app: Flask) -> None:
    listing, actor = make_listing(), a_customer()
    before = listing_panel(listing, actor)
    assert (before["can_declare_use"], before["can_follow"]) == (True, True)
    assert (before["can_write_review"], before["may_review_once_used"]) == (False, True)
    uses.declare_use(actor, listing)
    follows.follow_listing(actor, listing)
    assert listing_panel(listing, actor)["can_write_review"] is True
    reviews.write_review(actor, listing, ReviewText(4))
    after = listing_panel(listing, actor)
    assert after["mine"].follows is True
    assert after["mine"].review_id == after["reviews"][0].review.id
    assert after["reviews"][0].is_own is True
    assert after["reviews"][0].can_flag is False
    assert (after["count"], after["mean"], after["histogram"][4]) == (1, 4.0, 1)


def test_a_reader_flags_once_and_the_publisher_answers(app: Flask) -> None:
    listing = make_listing()
    reviewed(listing, 1)
    reader = a_customer("Reader")
    (shown,) = listing_panel(listing, reader)["reviews"]
    assert (shown.can_flag, shown.has_flagged, shown.can_answer) == (True, False, False)
    flags.flag_review(reader, shown.review, "spam", "")
    (shown,) = listing_panel(listing, reader)["reviews"]
    assert (shown.can_flag, shown.has_flagged) == (False, True)
    owner = actor_for(make_member(listing.publisher), listing.publisher)
    panel = listing_panel(listing, owner)
    assert panel["reviews"][0].can_answer is True
    assert (panel["is_publisher"], panel["can_declare_use"]) == (True, False)


def test_a_withdrawn_listing_offers_nothing_any_more(app: Flask) -> None:
    listing, actor = make_listing(), a_customer()
    listing.status = ListingStatus.WITHDRAWN
    panel = listing_panel(listing, actor)
    assert not any(
        panel[name]
        for name in ("can_follow", "can_declare_use", "may_review_once_used", "can_report")
    )


def test_an_unpublished_listing_has_a_panel_for_its_preview(app: Flask) -> None:
    panel = listing_panel(make_listing(published=False), ANONYMOUS, page=99, sort="nonsense")
    assert (panel["count"], panel["page"], panel["sort"]) == (0, 1, "newest")
    assert panel["mean"] is None
