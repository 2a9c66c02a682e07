"""Following listings and publishers, and telling followers of news once a day at most."""

from collections import defaultdict
from datetime import timedelta

from sqlalchemy import delete, update

from marketplace.catalogue.engagement.links import absolute
from marketplace.catalogue.engagement.queries.follows import News, untold_news
from marketplace.catalogue.engagement.unsubscribe import follow_token
from marketplace.catalogue.models import Follow, Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.mail import send_mail
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization

# A follower gets at most one mail about a listing within this time.
AT_MOST_EVERY = timedelta(days=1)
# A publisher that lists hundreds at once is still one readable mail.
MOST_IN_A_MAIL = 10


def follow_listing(actor: Actor, listing: Listing) -> bool:
    """Follow the listing; whether that is new. Repeating it is harmless."""
    new = insert_if_new(
        Follow, user_id=actor.user_id, listing_id=listing.id, created_at=clock.now()
    )
    if new:
        _fact("listing.followed", "listing", listing.id, actor)
    return new is not None


def unfollow_listing(actor: Actor, listing: Listing) -> bool:
    """Stop following the listing; whether the person did."""
    gone = _delete(Follow.user_id == actor.user_id, Follow.listing_id == listing.id)
    if gone:
        _fact("listing.unfollowed", "listing", listing.id, actor)
    return gone > 0


def follow_publisher(actor: Actor, publisher: Organization) -> bool:
    """Follow the publisher; whether that is new. Repeating it is harmless."""
    new = insert_if_new(
        Follow, user_id=actor.user_id, publisher_id=publisher.id, created_at=clock.now()
    )
    if new:
        _fact("publisher.followed", "organization", publisher.id, actor)
    return new is not None


def unfollow_publisher(actor: Actor, publisher: Organization) -> bool:
    """Stop following the publisher; whether the person did."""
    gone = _delete(Follow.user_id == actor.user_id, Follow.publisher_id == publisher.id)
    if gone:
        _fact("publisher.unfollowed", "organization", publisher.id, actor)
    return gone > 0


def unfollow_by_id(follow_id: int, user_id: int) -> bool:
    """End one follow, as the link in a mail does; whether it was there."""
    return _delete(Follow.id == follow_id, Follow.user_id == user_id) > 0


def unfollow_everything(user_id: int) -> int:
    """End all follows of a person, as the link in a mail does; how many there were."""
    return _delete(Follow.user_id == user_id)


def tell_followers(limit: int = 1_000) -> int:
    """Mail each follower who has untold news, one mail a person; how many mails.

    News are versions that were added to a followed listing, and listings that a followed
    publisher published, since the person followed or was last told. Each follow is told once
    within AT_MOST_EVERY, so that busy publishers cost one mail a day.
    """
    at = clock.now()
    by_person: dict[int, list[News]] = defaultdict(list)
    for news in untold_news(at - AT_MOST_EVERY, limit):
        by_person[news.user_id].append(news)
    for user_id, items in by_person.items():
        send_mail(items[0].email, _subject(items), _body(user_id, items))
        db.session.execute(
            update(Follow)
            .where(Follow.id.in_({item.follow_id for item in items}))
            .values(told_at=at)
            .execution_options(synchronize_session=False)
        )
    return len(by_person)


def _subject(items: list[News]) -> str:
    if len(items) == 1:
        return items[0].headline
    return f"{len(items)} news from what you follow"


def _body(user_id: int, items: list[News]) -> str:
    lines = ["News from what you follow:", ""]
    for item in items[:MOST_IN_A_MAIL]:
        lines.append(item.headline)
        if item.summary:
            lines.append(item.summary)
        lines += [
            absolute(f"/listings/{item.slug}"),
            f"Stop mails about {item.followed}: {_stop_url(user_id, item.follow_id)}",
            "",
        ]
    if len(items) > MOST_IN_A_MAIL:
        lines += [f"And {len(items) - MOST_IN_A_MAIL} more: {absolute('/account/following')}", ""]
    lines.append(f"Stop all mails of this kind: {_stop_url(user_id, None)}")
    return "\n".join(lines) + "\n"


def _stop_url(user_id: int, follow_id: int | None) -> str:
    return absolute(f"/unsubscribe/{follow_token(user_id, follow_id)}")


def _delete(*conditions: object) -> int:
    gone = db.session.execute(delete(Follow).where(*conditions))  # type: ignore[arg-type]  # SQL conditions
    return int(getattr(gone, "rowcount", 0))


def _fact(kind: str, subject_type: str, subject_id: int, actor: Actor) -> None:
    record_fact(kind, subject=(subject_type, subject_id), actor_user_id=actor.user_id)
