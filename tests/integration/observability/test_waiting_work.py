"""What waits for the staff, on both databases."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.observability.waiting import WORK, waiting
from marketplace.program.applications.models import PlaceState, RoundPlace
from marketplace.program.contacts.models import ContactRequest
from tests.factories.people import make_member, make_organization
from tests.factories.queries import count_queries
from tests.factories.waiting_work import make_waiting_work


def test_each_kind_of_work_is_counted_with_its_age_by_one_query(app: Flask) -> None:
    assert all((each.count, each.oldest) == (0, None) for each in waiting(clock.now()))
    make_waiting_work()
    db.session.commit()
    found = {each.work.key: each for each in waiting(clock.now())}
    assert {key: each.count for key, each in found.items()} == dict.fromkeys(
        (work.key for work in WORK), 1
    )
    oldest = found["milestones"].oldest
    assert oldest is not None
    assert abs(clock.now() - timedelta(days=2) - oldest) < timedelta(minutes=1)
    assert count_queries(lambda: waiting(clock.now())) == 1
    assert [each.work.key for each in waiting(clock.now(), {"deals", "nothing"})] == ["deals"]
    assert waiting(clock.now(), ()) == []


def test_what_cannot_be_decided_any_more_does_not_wait(app: Flask) -> None:
    make_waiting_work()
    db.session.execute(update(RoundPlace).values(state=PlaceState.ENDED))
    other = make_member(make_organization())
    db.session.execute(update(ContactRequest).values(user_id=other.id))
    found = {each.work.key: each.count for each in waiting(clock.now(), inbox_of=other.id + 1)}
    assert (found["milestones"], found["escalations"], found["contact_requests"]) == (0, 0, 0)
    mine = {each.work.key: each.count for each in waiting(clock.now(), inbox_of=other.id)}
    assert (mine["escalations"], mine["contact_requests"]) == (1, 1)
