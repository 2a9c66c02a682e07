"""Reviews and uses: who may, what they change, and what happens when two act at once."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.catalogue.changes import INDEX_LISTING
from marketplace.catalogue.engagement.services import flags, reviews, uses
from marketplace.catalogue.engagement.services.reviews import ReviewText
from marketplace.catalogue.models import (
    FlagState,
    Listing,
    ListingReview,
    ListingUse,
    ReviewFlag,
    ReviewState,
)
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job
from marketplace.core.permissions import Actor, can
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role, User
from tests.factories.acting import actor_for
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_user
from tests.factories.races import at_once


def a_user_of(listing: Listing, name: str = "Blue Kite") -> Actor:
    """An owner of a customer that uses the listing."""
    customer = make_customer(name)
    actor = actor_for(make_member(customer), customer)
    uses.declare_use(actor, listing)
    return actor


def mails() -> list[dict[str, str]]:
    rows = db.session.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))
    return [dict(job.payload) for job in rows]


def test_declaring_a_use_twice_counts_once(app: Flask) -> None:
    listing = make_listing()
    actor = a_user_of(listing)
    assert uses.declare_use(actor, listing) is False
    assert listing.use_count == 1
    kinds = select(func.count()).select_from(Job).where(Job.kind == INDEX_LISTING)
    assert db.session.scalar(kinds) == 1


def test_taking_a_use_back_counts_down_and_keeps_the_review(app: Flask) -> None:
    listing = make_listing()
    actor = a_user_of(listing)
    reviews.write_review(actor, listing, ReviewText(4, "Good", "Does what it says."))
    assert uses.withdraw_use(actor, listing) is True
    assert uses.withdraw_use(actor, listing) is False
    assert listing.use_count == 0
    assert listing.rating_count == 1


def test_only_an_organization_that_uses_a_listing_reviews_it(app: Flask) -> None:
    listing = make_listing()
    customer = make_customer()
    actor = actor_for(make_member(customer), customer)
    with pytest.raises(ForbiddenError):
        reviews.write_review(actor, listing, ReviewText(5))
    assert listing.rating_count == 0


def test_a_review_sets_count_sum_and_smoothed_rating(app: Flask) -> None:
    listing = make_listing()
    reviews.write_review(a_user_of(listing, "One"), listing, ReviewText(5, "Very good"))
    reviews.write_review(a_user_of(listing, "Two"), listing, ReviewText(2, "Not for us"))
    assert (listing.rating_count, listing.rating_sum) == (2, 7)
    # Five imagined ratings of 4.00 and 5 + 2: 27 / 7.
    assert listing.rating_hundredths == 386


def test_writing_again_edits_the_one_review(app: Flask) -> None:
    listing = make_listing()
    actor = a_user_of(listing)
    first = reviews.write_review(actor, listing, ReviewText(2, "Hm"))
    again = reviews.write_review(actor, listing, ReviewText(4, "Better now"))
    assert again.id == first.id
    assert again.edited_at is not None
    assert (listing.rating_count, listing.rating_sum) == (1, 4)


def test_a_colleague_without_the_role_does_not_edit_anothers_review(app: Flask) -> None:
    listing = make_listing()
    actor = a_user_of(listing)
    reviews.write_review(actor, listing, ReviewText(2, "Hm"))
    organization = db.session.get(Organization, actor.organization_id)
    assert organization is not None
    colleague = actor_for(make_member(organization, Role.EDITOR), organization)
    with pytest.raises(ForbiddenError):
        reviews.write_review(colleague, listing, ReviewText(5, "Great"))


def test_deleting_a_review_takes_its_flags_and_its_rating(app: Flask) -> None:
    listing = make_listing()
    actor = a_user_of(listing)
    review = reviews.write_review(actor, listing, ReviewText(1))
    flags.flag_review(actor_for(make_user()), review, "spam", "")
    reviews.delete_review(actor, review)
    assert db.session.scalar(select(func.count()).select_from(ReviewFlag)) == 0
    assert (listing.rating_count, listing.rating_sum, listing.rating_hundredths) == (0, 0, 0)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (ReviewText(0), "rating"),
        (ReviewText(6), "rating"),
        (ReviewText(3, "x" * 101), "title"),
        (ReviewText(3, "", "x" * 4_001), "body"),
    ],
)
def test_a_wrong_review_is_told_at_the_field(app: Flask, given: ReviewText, field: str) -> None:
    listing = make_listing()
    with pytest.raises(InvalidError) as caught:
        reviews.write_review(a_user_of(listing), listing, given)
    assert list(caught.value.fields) == [field]


def test_the_publishers_people_are_mailed_about_a_new_review_and_its_author_about_the_answer(
    app: Flask,
) -> None:
    publisher = make_organization()
    owner = make_member(publisher, Role.OWNER)
    make_member(publisher, Role.VIEWER)
    listing = make_listing(publisher)
    author = a_user_of(listing)
    review = reviews.write_review(author, listing, ReviewText(3, "Fine", "It works."))
    assert [mail["to"] for mail in mails()] == [owner.email]
    acting = actor_for(owner, publisher)
    reviews.answer_review(acting, review, "Thank you, we are on it.")
    reviews.answer_review(acting, review, "Thank you, it is done.")
    reviews.answer_review(acting, review, "")
    reviews.answer_review(acting, review, "Thank you again.")
    assert [mail["to"] for mail in mails()] == [owner.email, author.email]
    assert review.answer == "Thank you again."


def test_a_person_flags_a_review_once(app: Flask) -> None:
    listing = make_listing()
    review = reviews.write_review(a_user_of(listing), listing, ReviewText(1))
    actor = actor_for(make_user())
    assert flags.flag_review(actor, review, "spam", "") is True
    assert flags.flag_review(actor, review, "fake", "") is False
    assert db.session.scalar(select(func.count()).select_from(ReviewFlag)) == 1


def test_a_flag_for_another_reason_needs_words(app: Flask) -> None:
    listing = make_listing()
    review = reviews.write_review(a_user_of(listing), listing, ReviewText(1))
    with pytest.raises(InvalidError) as caught:
        flags.flag_review(actor_for(make_user()), review, "other", " ")
    assert "details" in caught.value.fields


def test_an_upheld_flag_removes_the_review_from_the_rating_and_tells_the_author(
    app: Flask,
) -> None:
    listing = make_listing()
    author = a_user_of(listing)
    review = reviews.write_review(author, listing, ReviewText(1, "Buy our product"))
    flags.flag_review(actor_for(make_user()), review, "spam", "")
    staff = actor_for(make_user())
    flags.uphold_flags(staff, review, "It is advertising.")
    assert review.state is ReviewState.REMOVED
    assert listing.rating_count == 0
    assert db.session.scalar(select(ReviewFlag.state)) is FlagState.UPHELD
    assert mails()[-1]["to"] == author.email
    assert "It is advertising." in mails()[-1]["body"]
    with pytest.raises(ConflictError):
        flags.uphold_flags(staff, review, "It is advertising.")


def test_a_removed_review_can_be_neither_edited_nor_replaced(app: Flask) -> None:
    listing = make_listing()
    author = a_user_of(listing)
    review = reviews.write_review(author, listing, ReviewText(1))
    flags.uphold_flags(actor_for(make_user()), review, "It is advertising.")
    with pytest.raises(ConflictError):
        reviews.write_review(author, listing, ReviewText(5))
    with pytest.raises(ConflictError):
        reviews.delete_review(author, review)


def test_dismissed_flags_leave_the_review(app: Flask) -> None:
    listing = make_listing()
    review = reviews.write_review(a_user_of(listing), listing, ReviewText(1))
    flags.flag_review(actor_for(make_user()), review, "spam", "")
    flags.dismiss_flags(actor_for(make_user()), review)
    flags.dismiss_flags(actor_for(make_user()), review)
    assert db.session.scalar(select(ReviewFlag.state)) is FlagState.DISMISSED
    assert listing.rating_count == 1


def test_each_act_is_a_fact(app: Flask) -> None:
    listing = make_listing()
    author = a_user_of(listing)
    review = reviews.write_review(author, listing, ReviewText(3))
    reviews.write_review(author, listing, ReviewText(4))
    reviews.delete_review(author, review)
    db.session.commit()
    assert list(db.session.scalars(select(Fact.kind).order_by(Fact.id))) == [
        "listing.use_declared",
        "review.written",
        "review.edited",
        "review.deleted",
    ]


def test_members_of_the_publisher_never_review_or_use_their_own_listing(app: Flask) -> None:
    publisher = make_organization()
    listing = make_listing(publisher)
    person = make_member(publisher, Role.VIEWER)
    customer = make_customer()
    make_member(customer, Role.OWNER, person)
    for organization in (publisher, customer):
        actor = actor_for(person, organization)
        assert not can(actor, "review.write", listing)
        assert not can(actor, "listing.declare_use", listing)


@pytest.mark.parametrize(
    ("role", "declares", "writes"),
    [
        (Role.OWNER, True, True),
        (Role.ADMIN, True, True),
        (Role.EDITOR, False, True),
        (Role.DEVELOPER, False, True),
        (Role.FINANCE, False, False),
        (Role.VIEWER, False, False),
    ],
)
def test_roles_decide_who_speaks_for_a_customer(
    app: Flask, role: Role, declares: bool, writes: bool
) -> None:
    listing = make_listing()
    customer = make_customer()
    actor = actor_for(make_member(customer, role), customer)
    assert can(actor, "listing.declare_use", listing) is declares
    assert can(actor, "review.write", listing) is writes


def test_reviews_written_at_once_are_all_counted(app: Flask) -> None:
    listing = make_listing()
    people = [a_user_of(listing, f"Customer {number}") for number in range(6)]
    listing_id = listing.id
    db.session.commit()

    def write(actor: Actor, rating: int) -> None:
        with unit_of_work():
            found = db.session.get_one(Listing, listing_id)
            reviews.write_review(actor, found, ReviewText(rating))

    acts = [
        (lambda a=actor, r=rating: write(a, r))
        for rating, actor in zip((1, 2, 3, 4, 5, 5), people, strict=True)
    ]
    assert at_once(app, acts) == []
    db.session.expire_all()
    after = db.session.get(Listing, listing_id)
    assert after is not None
    assert (after.rating_count, after.rating_sum) == (6, 20)


def test_two_members_writing_at_once_make_one_review(app: Flask) -> None:
    listing = make_listing()
    actor = a_user_of(listing)
    organization = db.session.get(Organization, actor.organization_id)
    assert organization is not None
    second = actor_for(make_member(organization, Role.ADMIN), organization)
    listing_id = listing.id
    db.session.commit()

    def write(who: Actor) -> None:
        with unit_of_work():
            found = db.session.get_one(Listing, listing_id)
            reviews.write_review(who, found, ReviewText(4))

    assert at_once(app, [lambda: write(actor), lambda: write(second)]) == []
    assert db.session.scalar(select(func.count()).select_from(ListingReview)) == 1


def test_a_use_declared_at_once_by_many_is_counted_exactly(app: Flask) -> None:
    listing = make_listing()
    customers = [make_customer(f"Customer {number}") for number in range(5)]
    actors = [actor_for(make_member(customer), customer) for customer in customers]
    listing_id = listing.id
    db.session.commit()

    def declare(who: Actor) -> None:
        with unit_of_work():
            uses.declare_use(who, db.session.get_one(Listing, listing_id))

    # Each twice: a double click.
    acts = [(lambda a=actor: declare(a)) for actor in actors + actors]
    assert at_once(app, acts) == []
    db.session.expire_all()
    after = db.session.get(Listing, listing_id)
    assert after is not None
    assert after.use_count == 5
    assert db.session.scalar(select(func.count()).select_from(ListingUse)) == 5


def test_an_author_who_has_left_is_not_mailed(app: Flask) -> None:
    publisher = make_organization()
    owner = make_member(publisher)
    listing = make_listing(publisher)
    author = a_user_of(listing)
    review = reviews.write_review(author, listing, ReviewText(3))
    user = db.session.get(User, author.user_id)
    assert user is not None
    user.email_verified = False
    sent = len(mails())
    reviews.answer_review(actor_for(owner, publisher), review, "Thank you.")
    assert len(mails()) == sent
