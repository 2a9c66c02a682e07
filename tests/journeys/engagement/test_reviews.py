"""Reviews and uses over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.engagement.services import reviews, uses
from marketplace.catalogue.engagement.services.reviews import ReviewText
from marketplace.catalogue.models import Listing, ListingReview, ListingUse, ReviewState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.limits import limiter
from marketplace.identity.models import Organization, Role, User
from tests.factories.acting import actor_for
from tests.factories.listings import make_listing
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
    make_user,
)
from tests.factories.queries import count_queries

SignIn = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def _fresh_limits(app: Flask) -> None:
    limiter.reset()


def a_review(listing: Listing, rating: int = 4, name: str = "Blue Kite") -> ListingReview:
    customer = make_customer(name)
    actor = actor_for(make_member(customer), customer)
    uses.declare_use(actor, listing)
    return reviews.write_review(actor, listing, ReviewText(rating, "Good", f"Words of {name}."))


def test_a_customer_says_it_uses_a_listing_reviews_it_edits_and_deletes(
    app: Flask, sign_in: SignIn
) -> None:
    listing = make_listing()
    customer = make_customer()
    client = sign_in(make_member(customer), customer)
    page = client.get(f"/listings/{listing.slug}/review")
    assert "Only organizations that use" in page.text
    refused = client.post(f"/listings/{listing.slug}/review", data={"rating": "5"})
    assert refused.status_code == 403
    assert client.post(f"/listings/{listing.slug}/use").status_code == 303
    told = client.post(f"/listings/{listing.slug}/review", data={"title": "No stars"})
    assert told.status_code == 422
    assert "Choose one to five stars." in told.text
    assert "No stars" in told.text
    sent = client.post(
        f"/listings/{listing.slug}/review",
        data={"rating": "4", "title": "Solid", "body": "<b>We</b> use it daily."},
    )
    assert sent.headers["Location"] == f"/listings/{listing.slug}#reviews"
    page = client.get(f"/listings/{listing.slug}/reviews")
    assert "Solid" in page.text
    assert "&lt;b&gt;We&lt;/b&gt; use it daily." in page.text
    client.post(f"/listings/{listing.slug}/review", data={"rating": "2", "title": "Worse"})
    db.session.expire_all()
    assert listing.rating_sum == 2
    assert client.get(f"/listings/{listing.slug}/review/deletion").status_code == 200
    db.session.expire_all()
    assert listing.rating_count == 1
    client.post(f"/listings/{listing.slug}/review/deletion")
    again = client.post(f"/listings/{listing.slug}/review/deletion")
    assert again.status_code == 303
    db.session.expire_all()
    assert (listing.rating_count, listing.use_count) == (0, 1)


@pytest.mark.parametrize("body", [{"rating": "9"}, {"rating": "x"}, {"rating": "4.5"}])
def test_a_hostile_rating_is_told(app: Flask, sign_in: SignIn, body: dict[str, str]) -> None:
    listing = make_listing()
    customer = make_customer()
    person = make_member(customer)
    uses.declare_use(actor_for(person, customer), listing)
    answer = sign_in(person, customer).post(f"/listings/{listing.slug}/review", data=body)
    assert answer.status_code == 422
    assert "Choose one to five stars." in answer.text


def test_reviews_are_sorted_and_paged(app: Flask, client: FlaskClient) -> None:
    listing = make_listing()
    for number in range(12):
        a_review(listing, 1 + number % 5, f"Customer {number:02}")
    db.session.commit()
    url = f"/listings/{listing.slug}/reviews"
    assert client.get(url).text.count('class="review"') == 10
    assert client.get(url + "?page=2").text.count('class="review"') == 2
    assert client.get(url + "?page=999").text.count('class="review"') == 2
    assert client.get(url + "?page=-1&sort=nonsense").status_code == 200
    lowest = client.get(url + "?sort=lowest").text
    assert lowest.index("Rated 1.0") < lowest.index("Rated 2.0")
    assert "Customer 00" in lowest


def test_a_removed_review_is_not_shown(app: Flask, client: FlaskClient) -> None:
    listing = make_listing()
    review = a_review(listing)
    review.state = ReviewState.REMOVED
    db.session.commit()
    assert "Words of Blue Kite" not in client.get(f"/listings/{listing.slug}/reviews").text


def test_the_publisher_answers_and_the_world_reads_it(
    app: Flask, sign_in: SignIn, client: FlaskClient
) -> None:
    publisher = make_organization()
    review = a_review(make_listing(publisher))
    editor = sign_in(make_member(publisher, Role.EDITOR), publisher)
    slug = review.listing.slug
    url = f"/listings/{slug}/reviews/{review.id}/answer"
    assert editor.get(url).status_code == 200
    assert editor.post(url, data={"answer": "x" * 2_001}).status_code == 422
    assert editor.post(url, data={"answer": "Thank you, noted."}).status_code == 303
    assert "Thank you, noted." in client.get(f"/listings/{slug}/reviews").text
    assert "Thank you, noted." in editor.get("/partner/reviews").text
    assert "Thank you, noted." not in editor.get("/partner/reviews?show=unanswered").text


def test_a_publisher_downloads_its_reviews_and_only_those(app: Flask, sign_in: SignIn) -> None:
    publisher, other = make_organization("Quayside"), make_organization("Elsewhere")
    a_review(make_listing(publisher, name="Ours"), name="=cmd()")
    a_review(make_listing(other, name="Theirs"))
    client = sign_in(make_member(publisher, Role.VIEWER), publisher)
    answer = client.get("/partner/reviews.csv")
    assert answer.content_type.startswith("text/csv")
    assert "Ours" in answer.text
    assert "Theirs" not in answer.text
    assert ",'=cmd()," in answer.text


def test_flags_reach_staff_who_remove_or_dismiss(app: Flask, sign_in: SignIn) -> None:
    listing = make_listing()
    bad, fine = a_review(listing, 1, "Bad"), a_review(listing, 5, "Fine")
    person = sign_in(make_user())
    url = f"/listings/{listing.slug}/reviews/{{}}/flag"
    assert person.post(url.format(bad.id), data={}).status_code == 422
    assert person.get(url.format(bad.id)).status_code == 200
    for review in (bad, fine, bad):
        answer = person.post(url.format(review.id), data={"reason": "spam"})
        assert answer.status_code == 303
    platform = make_platform()
    staff = sign_in(make_member(platform, Role.REVIEWER), platform)
    queue = staff.get("/staff/flags").text
    assert "Words of Bad." in queue
    assert staff.get(f"/staff/flags/{bad.id}/removal").status_code == 200
    assert staff.post(f"/staff/flags/{bad.id}/removal", data={"reason": ""}).status_code == 422
    removed = staff.post(f"/staff/flags/{bad.id}/removal", data={"reason": "Advertising."})
    assert removed.status_code == 303
    assert staff.post(f"/staff/flags/{fine.id}/dismissal").status_code == 303
    assert "Words of" not in staff.get("/staff/flags").text
    db.session.expire_all()
    assert (listing.rating_count, listing.rating_sum) == (1, 5)
    assert "Advertising." in staff.get("/staff/flags?state=upheld").text


def test_everything_is_refused_to_those_it_is_not_for(app: Flask, sign_in: SignIn) -> None:
    publisher = make_organization()
    listing = make_listing(publisher)
    review = a_review(listing)
    stranger_org, customer, platform = make_organization("Rival"), make_customer(), make_platform()
    stranger = sign_in(make_member(stranger_org), stranger_org)
    viewer = sign_in(make_member(customer, Role.VIEWER), customer)
    own = sign_in(make_member(publisher, Role.VIEWER), publisher)
    finance = sign_in(make_member(platform, Role.FINANCE), platform)
    slug = listing.slug
    answer = f"/listings/{slug}/reviews/{review.id}/answer"
    cases: list[tuple[FlaskClient, str, str, int]] = [
        (stranger, "GET", answer, 404),
        (stranger, "POST", answer, 404),
        (own, "POST", answer, 404),
        (viewer, "POST", answer, 404),
        (viewer, "POST", f"/listings/{slug}/use", 403),
        (viewer, "POST", f"/listings/{slug}/review", 403),
        (viewer, "GET", f"/listings/{slug}/review", 403),
        (own, "POST", f"/listings/{slug}/use", 403),
        (own, "POST", f"/listings/{slug}/review", 403),
        (viewer, "GET", "/partner/reviews", 403),
        (viewer, "GET", "/partner/reviews.csv", 403),
        (viewer, "GET", "/staff/flags", 403),
        (finance, "GET", "/staff/flags", 403),
        (finance, "POST", f"/staff/flags/{review.id}/removal", 404),
        (stranger, "POST", f"/staff/flags/{review.id}/removal", 404),
        (stranger, "GET", f"/staff/flags/{review.id}/removal", 404),
        (stranger, "POST", f"/staff/flags/{review.id}/dismissal", 404),
    ]
    for client, method, url, status in cases:
        got = client.open(url, method=method, data={"answer": "x", "reason": "It is bad."})
        assert got.status_code == status, (method, url)
    db.session.expire_all()
    assert review.answer == ""
    assert review.state is ReviewState.PUBLISHED
    assert db.session.query(ListingUse).count() == 1


def test_a_review_of_one_listing_is_not_reached_through_another(
    app: Flask, sign_in: SignIn
) -> None:
    publisher = make_organization()
    first, second = make_listing(publisher), make_listing(publisher)
    review = a_review(first)
    owner = sign_in(make_member(publisher), publisher)
    assert owner.get(f"/listings/{second.slug}/reviews/{review.id}/answer").status_code == 404


@pytest.mark.parametrize("what", ["draft", "suspended", "publisher suspended"])
def test_hidden_listings_answer_as_if_they_did_not_exist(
    app: Flask, sign_in: SignIn, what: str
) -> None:
    listing = make_listing(published=what != "draft")
    if what == "suspended":
        listing.suspended_at = clock.now()
    if what == "publisher suspended":
        listing.publisher.suspended_at = clock.now()
    customer = make_customer()
    client = sign_in(make_member(customer), customer)
    for path in ("reviews", "review", "review/deletion", "report"):
        assert client.get(f"/listings/{listing.slug}/{path}").status_code == 404
    for path in ("use", "use/withdrawal", "follow", "unfollow", "review", "report"):
        assert client.post(f"/listings/{listing.slug}/{path}").status_code == 404


def test_signed_out_people_are_led_to_the_sign_in_and_change_nothing(
    app: Flask, client: FlaskClient
) -> None:
    listing = make_listing()
    db.session.commit()
    led = client.get(f"/listings/{listing.slug}/review")
    assert led.status_code == 302
    assert "/auth/login" in led.headers["Location"]
    for path in ("use", "follow", "review"):
        assert client.post(f"/listings/{listing.slug}/{path}").status_code == 401
    assert db.session.scalar(select(ListingUse)) is None


def test_a_get_changes_nothing(app: Flask, sign_in: SignIn) -> None:
    listing = make_listing()
    customer = make_customer()
    client = sign_in(make_member(customer), customer)
    for path in ("use", "use/withdrawal", "follow", "unfollow"):
        assert client.get(f"/listings/{listing.slug}/{path}").status_code == 405


def test_forms_without_their_token_are_refused(app: Flask, sign_in: SignIn) -> None:
    listing = make_listing()
    customer = make_customer()
    client = sign_in(make_member(customer), customer)
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        for path in ("use", "follow", "review", "report"):
            assert client.post(f"/listings/{listing.slug}/{path}").status_code == 400
        for path in ("/requests", "/unsubscribe/x", "/staff/synonyms", "/staff/jobs/1/retry"):
            assert client.post(path).status_code == 400
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert db.session.scalar(select(ListingUse)) is None


def test_the_used_listings_are_listed_downloaded_and_withdrawn_even_when_suspended(
    app: Flask, sign_in: SignIn
) -> None:
    listing = make_listing(name="Tide Tables")
    customer = make_customer()
    client = sign_in(make_member(customer), customer)
    client.post(f"/listings/{listing.slug}/use", data={"next": "/account/listings"})
    assert "Tide Tables" in client.get("/account/listings").text
    assert "Tide Tables" in client.get("/account/listings.csv").text
    listing = db.session.scalars(select(Listing)).one()
    listing.suspended_at = clock.now()
    db.session.commit()
    page = client.get("/account/listings").text
    assert "Suspended" in page
    assert f'href="/listings/{listing.slug}"' not in page
    gone = client.post(
        f"/listings/{listing.slug}/use/withdrawal", data={"next": "/account/listings"}
    )
    assert gone.headers["Location"] == "/account/listings"
    assert "Tide Tables" not in client.get("/account/listings.csv").text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\evil",
        "javascript:alert(1)",
        "/a b",
        "/a\r\nSet-Cookie: x=1",
        "",
    ],
)
def test_a_form_leads_only_to_pages_of_this_site(app: Flask, sign_in: SignIn, wanted: str) -> None:
    listing = make_listing()
    client = sign_in(make_user())
    answer = client.post(f"/listings/{listing.slug}/follow", data={"next": wanted})
    assert answer.headers["Location"] == f"/listings/{listing.slug}"


def test_the_number_of_queries_does_not_grow_with_the_reviews(app: Flask, sign_in: SignIn) -> None:
    few, many = make_listing(), make_listing()
    for number in range(3):
        a_review(few, 4, f"Few {number}")
    for number in range(30):
        a_review(many, 4, f"Many {number}")
    platform: Organization = make_platform()
    person: User = make_member(platform, Role.ADMIN)
    client = sign_in(person, platform)
    client.get("/account")

    def page(listing: Listing) -> Callable[[], Any]:
        url = f"/listings/{listing.slug}/reviews"
        return lambda: client.get(url)

    assert count_queries(page(few)) == count_queries(page(many))


def test_what_the_organization_wrote_is_listed_for_its_members(app: Flask, sign_in: SignIn) -> None:
    listing = make_listing(name="Tide Tables")
    review = a_review(listing)
    author = db.session.get_one(User, review.author_id)
    other = make_customer("Elsewhere")
    assert (
        "Words of Blue Kite." in sign_in(author, review.organization).get("/account/reviews").text
    )
    stranger = sign_in(make_member(other), other)
    assert "Words of Blue Kite." not in stranger.get("/account/reviews").text
