"""What happened lately in the demo: submissions, decisions, reports, follows, searches.

The file activity.json tells it step by step, each with how many days ago it was. A step is done
through the service that a person's click would call, with the clock held at its time, so that
states, facts, queues and mails are what they would be.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import exists, select
from sqlalchemy.orm import joinedload

from marketplace.catalogue.curation.query_privacy import countable
from marketplace.catalogue.engagement.services import appeals, cases, flags, follows
from marketplace.catalogue.models import (
    AbuseCase,
    Listing,
    ListingReview,
    Revision,
    SearchQueryStat,
)
from marketplace.catalogue.publishing import queries as publishing
from marketplace.catalogue.publishing.services import drafts, submission
from marketplace.catalogue.reviewing import services as reviewing
from marketplace.catalogue.reviewing.checklist import checks_for
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact, record_fact
from marketplace.core.permissions import ANONYMOUS, Actor, MembershipInfo
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Identity, Membership, Organization, Role, User

HAPPENED: Final = "demo.timeline_loaded"
SEARCH_DAYS: Final = 30
# Fewer people search on Saturdays and Sundays.
WEEKEND_SHARE: Final = 0.35

Step = Mapping[str, Any]


def load_timeline(file: Path) -> int:
    """Let everything in `file` happen, all of it or nothing; how many steps it were.

    What happened once does not happen again, so a second call does nothing. Raises ValueError
    naming the file when it cannot be read or a step names somebody or something unknown.
    """
    if not file.is_file() or _has_happened():
        return 0
    try:
        story = json.loads(file.read_text(encoding="utf-8"))
        people, steps, searches = story["people"], story["steps"], story["searches"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file.name} cannot be used: {error!r}") from error
    started = clock.now()
    with unit_of_work():
        _add_people(people)
        for step in sorted(steps, key=_days_ago, reverse=True):
            with clock.frozen(started - timedelta(days=_days_ago(step))):
                try:
                    _VERBS[step["do"]](_actor(step.get("as")), step)
                except (KeyError, LookupError) as error:
                    raise ValueError(f"{file.name} cannot be used: {error} in {step}") from error
        _add_searches(searches, started)
        record_fact(HAPPENED, subject=("demo", "timeline"), idempotency_key=HAPPENED)
    return len(steps)


def _has_happened() -> bool:
    return bool(db.session.scalar(select(exists().where(Fact.kind == HAPPENED))))


def _days_ago(step: Step) -> float:
    return float(step["days_ago"])


def _add_people(rows: Iterable[Step]) -> None:
    """Members of publishers, who do something in the story and never sign in."""
    for row in rows:
        if db.session.scalar(select(exists().where(User.email == row["email"]))):
            continue
        user = User(name=row["name"], email=row["email"], email_verified=True)
        db.session.add(user)
        db.session.flush()
        db.session.add(
            Membership(
                user_id=user.id,
                organization_id=_organization(row["organization"]).id,
                role=Role(row["role"]),
            )
        )
    db.session.flush()


def _actor(who: str | None) -> Actor:
    """The person of an e-mail address, the owner of `owner of <organization>`, or nobody."""
    if who is None:
        return ANONYMOUS
    query = select(User).outerjoin(Identity, Identity.user_id == User.id)
    if who.startswith("owner of "):
        organization = _organization(who.removeprefix("owner of "))
        query = query.join(Membership, Membership.user_id == User.id).where(
            Membership.organization_id == organization.id, Membership.role == Role.OWNER
        )
    else:
        query = query.where(User.email == who)
    # Where two accounts have an address, the one that can sign in is meant.
    user = db.session.scalars(query.order_by(Identity.id.is_(None), User.id).limit(1)).first()
    if user is None:
        raise LookupError(f"nobody is {who!r}")
    memberships = db.session.scalars(
        select(Membership)
        .where(Membership.user_id == user.id)
        .options(joinedload(Membership.organization))
        .order_by(Membership.id)
    )
    places = tuple(
        MembershipInfo(
            organization_id=each.organization_id,
            organization_slug=each.organization.slug,
            organization_name=each.organization.name,
            organization_kind=each.organization.kind.value,
            role=each.role.value,
        )
        for each in memberships
    )
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email or "",
        organization=places[0] if places else None,
        organizations=places,
    )


def _organization(slug: str) -> Organization:
    found = db.session.scalar(select(Organization).where(Organization.slug == slug))
    if found is None:
        raise LookupError(f"there is no organization {slug!r}")
    return found


def _listing(step: Step) -> Listing:
    found = db.session.scalar(select(Listing).where(Listing.slug == step["listing"]))
    if found is None:
        raise LookupError(f"there is no listing {step['listing']!r}")
    return found


def _open_revision(step: Step) -> Revision:
    found = publishing.open_revision(_listing(step).id)
    if found is None:
        raise LookupError(f"{step['listing']!r} has no open revision")
    return found


def _create(actor: Actor, step: Step) -> None:
    content = dict(step["content"])
    listing = drafts.create_listing(
        _organization(step["publisher"]),
        name=content["name"],
        kind=content["kind"],
        category=content["categories"][0],
        actor=actor,
    )
    drafts.change_draft(listing, lambda _now: content, actor)


def _edit(actor: Actor, step: Step) -> None:
    def change(content: dict[str, Any]) -> dict[str, Any]:
        longer = {
            name: [*(content.get(name) or ()), *rows] for name, rows in step.get("add", {}).items()
        }
        return {**content, **step.get("set", {}), **longer}

    drafts.change_draft(_listing(step), change, actor)


def _submit(actor: Actor, step: Step) -> None:
    submission.submit(_listing(step), _open_revision(step), actor, note=step.get("note", ""))


def _claim(actor: Actor, step: Step) -> None:
    reviewing.claim(_open_revision(step), actor)


def _note(actor: Actor, step: Step) -> None:
    reviewing.add_note(
        _open_revision(step), step["body"], for_partner=step["for_partner"], actor=actor
    )


def _approve(actor: Actor, step: Step) -> None:
    revision = _open_revision(step)
    ticked = [check.key for check in checks_for(revision.review_reasons)]
    reviewing.approve(revision, ticked, expected=None, actor=actor)


def _request_changes(actor: Actor, step: Step) -> None:
    reviewing.request_changes(
        _open_revision(step),
        step["body"],
        step.get("field_notes", {}),
        expected=None,
        actor=actor,
    )


def _flag(actor: Actor, step: Step) -> None:
    flags.flag_review(actor, _review(step), step["reason"], step.get("details", ""))


def _dismiss_flags(actor: Actor, step: Step) -> None:
    flags.dismiss_flags(actor, _review(step))


def _review(step: Step) -> ListingReview:
    found = db.session.scalar(
        select(ListingReview).where(
            ListingReview.listing_id == _listing(step).id,
            ListingReview.organization_id == _organization(step["organization"]).id,
        )
    )
    if found is None:
        raise LookupError(f"{step['organization']!r} has not reviewed {step['listing']!r}")
    return found


def _report(actor: Actor, step: Step) -> None:
    cases.report_listing(
        actor, _listing(step), step["reason"], step["details"], step.get("email", "")
    )


def _case(step: Step) -> AbuseCase:
    found = db.session.scalar(
        select(AbuseCase)
        .where(AbuseCase.listing_id == _listing(step).id)
        .order_by(AbuseCase.id.desc())
        .limit(1)
    )
    if found is None:
        raise LookupError(f"nobody has reported {step['listing']!r}")
    return found


def _take_case(actor: Actor, step: Step) -> None:
    cases.take_case(actor, _case(step))


def _dismiss_case(actor: Actor, step: Step) -> None:
    cases.dismiss_case(actor, _case(step), step["reason"])


def _suspend(actor: Actor, step: Step) -> None:
    cases.suspend_for_case(actor, _case(step), step["reason"])


def _appeal(actor: Actor, step: Step) -> None:
    appeals.appeal(actor, _case(step), step["body"])


def _follow(actor: Actor, step: Step) -> None:
    if "publisher" in step:
        follows.follow_publisher(actor, _organization(step["publisher"]))
    else:
        follows.follow_listing(actor, _listing(step))


_VERBS: Final[Mapping[str, Callable[[Actor, Step], None]]] = {
    "create": _create,
    "edit": _edit,
    "submit": _submit,
    "claim": _claim,
    "note": _note,
    "approve": _approve,
    "request_changes": _request_changes,
    "flag": _flag,
    "dismiss_flags": _dismiss_flags,
    "report": _report,
    "take_case": _take_case,
    "dismiss_case": _dismiss_case,
    "suspend": _suspend,
    "appeal": _appeal,
    "follow": _follow,
}


def _add_searches(rows: Iterable[Step], now: datetime) -> None:
    """The counted searches of the last 30 days, without those of today.

    A row has the query, `a_day` (how often on a weekday), `found` (whether there were results),
    `clicked` (the share of searches that led to a click) and `position` (of the clicked result,
    on average). Days differ from each other, and do so the same way every time.
    """
    known = {
        (row.day, row.query)
        for row in db.session.execute(select(SearchQueryStat.day, SearchQueryStat.query))
    }
    for number, row in enumerate(rows):
        query = countable(row["query"])
        if query is None:
            raise LookupError(f"{row['query']!r} is not counted")
        for ago in range(1, SEARCH_DAYS + 1):
            day = (now - timedelta(days=ago)).date()
            swing = 0.6 + ((number * 5 + ago * 7) % 9) / 10
            share = WEEKEND_SHARE if day.weekday() >= 5 else 1.0
            searches = round(float(row["a_day"]) * swing * share)
            if searches == 0 or (day, query) in known:
                continue
            clicks = round(searches * float(row.get("clicked", 0)))
            db.session.add(
                SearchQueryStat(
                    day=day,
                    query=query,
                    searches=searches,
                    zero_results=0 if row["found"] else searches,
                    clicks=clicks,
                    click_position_sum=round(clicks * float(row.get("position", 1))),
                )
            )
    db.session.flush()
