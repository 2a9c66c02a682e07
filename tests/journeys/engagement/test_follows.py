"""Following over HTTP."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.catalogue.engagement.unsubscribe import follow_token
from marketplace.catalogue.models import Follow, ListingVersion
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import add_due_ticks
from tests.factories.listings import make_listing
from tests.factories.people import make_organization, make_user

SignIn = Callable[..., FlaskClient]


def follows() -> int:
    return db.session.scalar(select(func.count()).select_from(Follow)) or 0


def test_a_person_follows_and_unfollows_listings_and_publishers(
    app: Flask, sign_in: SignIn
) -> None:
    publisher = make_organization("Quayside")
    listing = make_listing(publisher, name="Tide Tables")
    client = sign_in(make_user())
    for _ in range(2):
        assert client.post(f"/listings/{listing.slug}/follow").status_code == 303
        assert client.post(f"/partners/{publisher.slug}/follow").status_code == 303
    assert follows() == 2
    page = client.get("/account/following").text
    assert "Tide Tables" in page
    assert "Quayside" in page
    client.post(f"/listings/{listing.slug}/unfollow")
    client.post(f"/partners/{publisher.slug}/unfollow")
    client.post(f"/partners/{publisher.slug}/unfollow")
    assert follows() == 0


def test_a_hidden_listing_can_still_be_unfollowed_by_those_who_follow_it(
    app: Flask, sign_in: SignIn
) -> None:
    listing = make_listing()
    follower, stranger = sign_in(make_user()), sign_in(make_user())
    follower.post(f"/listings/{listing.slug}/follow")
    slug = listing.slug
    listing.suspended_at = clock.now()
    db.session.commit()
    assert stranger.post(f"/listings/{slug}/unfollow").status_code == 404
    assert follower.post(f"/listings/{slug}/unfollow").status_code == 303
    assert follows() == 0


def test_the_link_in_the_mail_stops_it_without_a_sign_in(
    app: Flask, sign_in: SignIn, client: FlaskClient, run_jobs: Callable[[], int]
) -> None:
    listing = make_listing()
    sign_in(make_user()).post(f"/listings/{listing.slug}/follow")
    at = clock.now() + timedelta(minutes=20)
    with clock.frozen(at):
        db.session.add(
            ListingVersion(
                listing_id=listing.id, version="2.0", released_on=at.date(), created_at=at
            )
        )
        db.session.commit()
        add_due_ticks()
    with clock.frozen(at + timedelta(minutes=20)):
        add_due_ticks()
        run_jobs()
    folder = app.extensions["portico_settings"].data_dir / "mail"
    (mail,) = folder.iterdir()
    text = mail.read_bytes().decode().replace("=\n", "").replace("=\r\n", "")
    path = text.split("Stop mails about")[1].split("http://localhost")[1].split()[0]
    assert client.get(path).status_code == 200
    assert follows() == 1, "opening the link alone changes nothing"
    assert client.post(path).status_code == 200
    assert client.post(path).status_code == 200
    assert follows() == 0


def test_a_forged_link_is_not_found(app: Flask, client: FlaskClient) -> None:
    token = follow_token(1, None)
    for forged in (token[:-1], "x", "W10", token + "x"):
        assert client.get(f"/unsubscribe/{forged}").status_code == 404
        assert client.post(f"/unsubscribe/{forged}").status_code == 404


def test_somebody_elses_list_is_not_shown(app: Flask, sign_in: SignIn, client: FlaskClient) -> None:
    listing = make_listing(name="Tide Tables")
    sign_in(make_user()).post(f"/listings/{listing.slug}/follow")
    assert "Tide Tables" not in sign_in(make_user()).get("/account/following").text
    assert client.get("/account/following").status_code == 302
