"""Following, and being told of news once a day at most."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select

from marketplace.catalogue.engagement.services import follows
from marketplace.catalogue.engagement.unsubscribe import follow_token, read_follow_token
from marketplace.catalogue.models import Follow, Listing, ListingStatus, ListingVersion
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import add_due_ticks
from marketplace.core.permissions import Actor
from marketplace.identity.models import User
from tests.factories.acting import actor_for
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_organization, make_user


def a_follower_of(*listings: Listing) -> Actor:
    actor = actor_for(make_user())
    for listing in listings:
        follows.follow_listing(actor, listing)
    return actor


def release(listing: Listing, version: str, changelog: str = "It is faster.") -> None:
    at = clock.now() + timedelta(seconds=1)
    db.session.add(
        ListingVersion(
            listing_id=listing.id,
            version=version,
            released_on=at.date(),
            changelog=changelog,
            created_at=at,
        )
    )
    db.session.flush()


def test_following_twice_is_once(app: Flask) -> None:
    listing = make_listing()
    actor = a_follower_of(listing)
    assert follows.follow_listing(actor, listing) is False
    assert db.session.scalar(select(func.count()).select_from(Follow)) == 1
    assert follows.unfollow_listing(actor, listing) is True
    assert follows.unfollow_listing(actor, listing) is False


def test_a_new_version_is_told_once(app: Flask) -> None:
    listing = make_listing()
    actor = a_follower_of(listing)
    release(listing, "2.0.0", "**Faster** now.")
    assert follows.tell_followers() == 1
    assert follows.tell_followers() == 0
    (mail,) = mails()
    assert mail["to"] == actor.email
    assert mail["subject"] == "Tide Tables 2.0.0 is out"
    assert "Faster now." in mail["body"]


def test_a_second_version_within_a_day_waits_for_the_next(app: Flask) -> None:
    listing = make_listing()
    a_follower_of(listing)
    release(listing, "2.0.0")
    assert follows.tell_followers() == 1
    with clock.frozen(clock.now() + timedelta(hours=2)):
        release(listing, "2.0.1")
        assert follows.tell_followers() == 0
    with clock.frozen(clock.now() + timedelta(hours=25)):
        assert follows.tell_followers() == 1
    assert [mail["subject"] for mail in mails()] == [
        "Tide Tables 2.0.0 is out",
        "Tide Tables 2.0.1 is out",
    ]


def test_several_news_are_one_mail_a_person(app: Flask) -> None:
    first, second = make_listing(name="Alpha"), make_listing(name="Beta")
    a_follower_of(first, second)
    release(first, "1.1")
    release(first, "1.2")
    release(second, "3.0")
    assert follows.tell_followers() == 1
    (mail,) = mails()
    assert mail["subject"] == "2 news from what you follow"
    assert "Alpha 1.2 is out" in mail["body"]
    assert "Alpha 1.1" not in mail["body"]


def test_versions_from_before_the_follow_are_no_news(app: Flask) -> None:
    listing = make_listing()
    with clock.frozen(clock.now() - timedelta(days=3)):
        release(listing, "1.0")
    a_follower_of(listing)
    assert follows.tell_followers() == 0


def test_followers_of_a_publisher_are_told_of_its_new_listing(app: Flask) -> None:
    publisher = make_organization("Quayside")
    make_listing(publisher, name="Old one")
    actor = actor_for(make_user())
    follows.follow_publisher(actor, publisher)
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        make_listing(publisher, name="New one", days_old=0)
        make_listing(publisher, name="A draft", published=False)
        assert follows.tell_followers() == 1
    assert [mail["subject"] for mail in mails()] == ["Quayside published New one"]


def test_a_publisher_that_lists_many_at_once_is_one_short_mail(app: Flask) -> None:
    publisher = make_organization("Quayside")
    follows.follow_publisher(actor_for(make_user()), publisher)
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        for number in range(14):
            make_listing(publisher, name=f"New {number}", days_old=0)
        assert follows.tell_followers() == 1
        assert follows.tell_followers() == 0
    (mail,) = mails()
    assert mail["body"].count("Quayside published") == 10
    assert "And 4 more" in mail["body"]


def test_hidden_listings_and_unverified_people_are_left_out(app: Flask) -> None:
    suspended, withdrawn, shown = (make_listing(name=name) for name in ("One", "Two", "Three"))
    a_follower_of(suspended, withdrawn)
    stranger = a_follower_of(shown)
    user = db.session.get(User, stranger.user_id)
    assert user is not None
    user.email_verified = False
    for listing in (suspended, withdrawn, shown):
        release(listing, "2.0")
    suspended.suspended_at = clock.now()
    withdrawn.status = ListingStatus.WITHDRAWN
    db.session.flush()
    assert follows.tell_followers() == 0


def test_the_tick_mails_through_the_job_table(app: Flask, run_jobs: Callable[[], int]) -> None:
    listing = make_listing()
    a_follower_of(listing)
    release(listing, "2.0.0")
    db.session.commit()
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        add_due_ticks()
        run_jobs()
    assert len(mails()) == 1
    folder = app.extensions["portico_settings"].data_dir / "mail"
    assert len(list(folder.glob("*.eml"))) == 1


def test_a_link_stops_one_follow_or_all_of_its_owner_only(app: Flask) -> None:
    first, second = make_listing(), make_listing()
    actor, other = a_follower_of(first, second), a_follower_of(first)
    ids = list(db.session.scalars(select(Follow.id).order_by(Follow.id)))
    assert actor.user_id is not None
    assert other.user_id is not None
    assert follows.unfollow_by_id(ids[0], other.user_id) is False
    assert follows.unfollow_by_id(ids[0], actor.user_id) is True
    assert follows.unfollow_everything(actor.user_id) == 1
    assert db.session.scalar(select(func.count()).select_from(Follow)) == 1


def test_only_our_own_signature_is_read(app: Flask) -> None:
    token = follow_token(7, 11)
    assert read_follow_token(token) == (7, 11)
    assert read_follow_token(follow_token(7, None)) == (7, None)
    assert read_follow_token(token[:-2] + "xx") is None
    assert read_follow_token("") is None
    assert read_follow_token("W10.x") is None
