"""Following, the list of it, and the links in mails that end it."""

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.links import listing_path, publisher_path
from marketplace.catalogue.engagement.queries.follows import page_of_follows
from marketplace.catalogue.engagement.queries.listings import (
    find_listing_to_unfollow,
    find_live_listing,
    find_public_publisher,
    find_publisher_to_unfollow,
)
from marketplace.catalogue.engagement.services import follows
from marketplace.catalogue.engagement.unsubscribe import Unsubscription, read_follow_token
from marketplace.catalogue.engagement.views.blueprints import engagement
from marketplace.catalogue.engagement.views.returning import back_to
from marketplace.catalogue.models import Listing
from marketplace.core.errors import NotFoundError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs, public
from marketplace.identity.models import Organization


def _followed_listing(slug: str) -> Listing | None:
    return find_listing_to_unfollow(slug, current_actor().user_id)


def _followed_publisher(slug: str) -> Organization | None:
    return find_publisher_to_unfollow(slug, current_actor().user_id)


@engagement.post("/listings/<slug>/follow")
@needs("follow.toggle", load=find_live_listing, name="listing", hidden=False)
def follow_listing(listing: Listing) -> ResponseReturnValue:
    """Follow a listing."""
    if follows.follow_listing(current_actor(), listing):
        flash(f"You follow {listing.name}. We write when a new version is out.", "success")
    return back_to(listing_path(listing.slug))


@engagement.post("/listings/<slug>/unfollow")
@needs("follow.toggle", load=_followed_listing, name="listing", hidden=False)
def unfollow_listing(listing: Listing) -> ResponseReturnValue:
    """Stop following a listing."""
    if follows.unfollow_listing(current_actor(), listing):
        flash(f"You do not follow {listing.name} any more.", "success")
    return back_to(listing_path(listing.slug))


@engagement.post("/partners/<slug>/follow")
@needs("follow.toggle", load=find_public_publisher, name="publisher", hidden=False)
def follow_publisher(publisher: Organization) -> ResponseReturnValue:
    """Follow a publisher."""
    if follows.follow_publisher(current_actor(), publisher):
        flash(f"You follow {publisher.name}. We write when it publishes something new.", "success")
    return back_to(publisher_path(publisher.slug))


@engagement.post("/partners/<slug>/unfollow")
@needs("follow.toggle", load=_followed_publisher, name="publisher", hidden=False)
def unfollow_publisher(publisher: Organization) -> ResponseReturnValue:
    """Stop following a publisher."""
    if follows.unfollow_publisher(current_actor(), publisher):
        flash(f"You do not follow {publisher.name} any more.", "success")
    return back_to(publisher_path(publisher.slug))


@engagement.get("/account/following", endpoint="follows")
@needs("follows.read")
def following() -> ResponseReturnValue:
    """What the person follows."""
    actor = current_actor()
    page = page_of_follows(actor.user_id or 0, page_number(request.args.get("page")))
    return render_template("engagement/following.html", page=page)


@engagement.get("/unsubscribe/<token>")
@public("the link is signed and works for whoever holds the mail")
def unsubscription(token: str) -> ResponseReturnValue:
    """Ask before the mails stop: mail programs open links by themselves."""
    return render_template("engagement/unsubscribe.html", given=_read(token), token=token)


@engagement.post("/unsubscribe/<token>")
@public("the link is signed and works for whoever holds the mail")
def unsubscribe(token: str) -> ResponseReturnValue:
    """Stop the mails. Repeating it is harmless."""
    given = _read(token)
    if given.follow_id is None:
        follows.unfollow_everything(given.user_id)
    else:
        follows.unfollow_by_id(given.follow_id, given.user_id)
    return render_template("engagement/unsubscribed.html", given=given)


def _read(token: str) -> Unsubscription:
    given = read_follow_token(token)
    if given is None:
        raise NotFoundError("This link is incomplete. Copy it whole from the mail.")
    return given
