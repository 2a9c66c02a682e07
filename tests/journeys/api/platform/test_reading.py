"""What partners and installed apps read, page by page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.api.v1.platform.cursors import write_cursor
from marketplace.catalogue.models import ListingReview
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job
from marketplace.identity.models import Role
from marketplace.installs.models import Environment, InstallationState
from marketplace.installs.webhooks.events import emit
from tests.factories.apps import make_installation
from tests.factories.people import make_customer, make_member
from tests.factories.queries import count_queries
from tests.journeys.api.platform.conftest import Api, Partner
from tests.journeys.api.platform.test_tokens import problem

Client = Callable[[str | None], Api]


def tell(partner: Partner, number: int, kind: str = "installation.upgraded") -> str:
    return str(
        emit(
            kind,
            organization_id=partner.organization.id,
            data={"number": number},
            installation=partner.installation,
        )
    )


def test_an_app_reads_its_installation_and_its_customer(partner: Partner, api: Client) -> None:
    client = api(partner.token())
    found = client.ask("/installation")
    assert found["id"] == partner.installation.public_id
    assert found["state"] == "active"
    assert found["app"] == {"id": partner.app.public_id, "name": partner.app.name}
    assert found["organization"]["slug"] == partner.customer.slug
    assert found["scopes"] == ["events.write", "organization.read", "members.read"]
    customer = client.ask("/installation/organization")
    assert (customer["slug"], customer["name"]) == (partner.customer.slug, partner.customer.name)


def test_members_are_given_a_page_at_a_time_without_closed_accounts(
    partner: Partner, api: Client
) -> None:
    for number in range(5):
        person = make_member(partner.customer, Role.VIEWER)
        if number == 2:
            person.deactivated_at = clock.now()
        if number == 3:
            person.email_verified = False
    db.session.commit()
    client = api(partner.token())
    pages = list(client.pages("/installation/members?limit=2"))
    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    assert [page["next"] is None for page in pages] == [False, False, True]
    members = [item for page in pages for item in page["items"]]
    assert members[0]["role"] == "admin"
    assert [item["email"] is None for item in members] == [False, False, False, True, False]


def test_the_feed_goes_on_where_it_ended_whatever_happens_meanwhile(
    partner: Partner, api: Client
) -> None:
    told = [partner.events[0], *(tell(partner, number) for number in range(5))]
    db.session.commit()
    client = api(partner.key("partner.events.read"))
    first = client.ask("/events?limit=4")
    assert first["has_more"] is True
    told += [tell(partner, number) for number in range(5, 8)]
    db.session.commit()
    seen = list(first["items"])
    following = first["next"]
    for _ in range(3):
        page = client.ask(following.removeprefix("http://localhost/api/v1"))
        seen += page["items"]
        following = page["next"]
    assert [event["id"] for event in seen] == told
    assert page["has_more"] is False
    empty = client.ask(following.removeprefix("http://localhost/api/v1"))
    assert (empty["items"], empty["next"]) == ([], following)
    told.append(tell(partner, 8))
    db.session.commit()
    more = client.ask(following.removeprefix("http://localhost/api/v1"))
    assert [event["id"] for event in more["items"]] == told[-1:]
    response = client.get("/events?limit=1")
    assert any('rel="next"' in each for each in response.headers.getlist("Link"))


def test_the_feed_can_be_asked_for_one_type(partner: Partner, api: Client) -> None:
    tell(partner, 1)
    paused = tell(partner, 2, "installation.paused")
    db.session.commit()
    client = api(partner.key())
    page = client.ask("/events?type=installation.paused")
    assert [event["id"] for event in page["items"]] == [paused]
    assert "type=installation.paused" in page["next"]
    app = api(partner.token())
    assert len(app.ask("/installation/events")["items"]) == 3
    for wrong in ("x", "installation.paused'", "a.b.c"):
        problem(client.get("/events", query_string={"type": wrong}), 422, "invalid")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", "9" * 30])
def test_a_limit_is_checked(partner: Partner, api: Client, limit: str) -> None:
    response = api(partner.key()).get(f"/events?limit={limit}")
    assert [e["field"] for e in problem(response, 422, "invalid")["errors"]] == ["limit"]


def test_a_cursor_of_another_list_or_of_nobody_is_refused(
    partner: Partner, stranger: Partner, api: Client
) -> None:
    client = api(partner.key())
    whose = f"p{partner.organization.id} live"
    others = f"p{stranger.organization.id} live"
    good = write_cursor("events", whose, 1)
    assert client.get(f"/events?after={good}").status_code == 200
    for wrong in (
        write_cursor("installations", whose, 1),
        write_cursor("events", others, 1),
        "A" * 22,
        "A" * 21,
        "1",
        good[:-1] + ("A" if good[-1] != "A" else "Q"),
        good + "==",
        "é" * 22,
    ):
        response = client.get("/events", query_string={"after": wrong})
        assert [e["field"] for e in problem(response, 422, "invalid")["errors"]] == ["after"]


def test_installations_are_filtered(partner: Partner, api: Client) -> None:
    paused = make_installation(
        partner.app, make_customer(), state=InstallationState.PAUSED, paused_at=clock.now()
    )
    db.session.commit()
    client = api(partner.key())

    def ids(query: str) -> list[str]:
        page = client.ask(f"/partner/installations?{query}")
        return [item["id"] for item in page["items"]]

    assert ids("") == [partner.installation.public_id, paused.public_id]
    assert ids("state=paused") == [paused.public_id]
    assert ids("environment=test") == [partner.trial.public_id]
    assert ids(f"app={partner.app.public_id}&state=active") == [partner.installation.public_id]
    assert ids("app=app_" + "0" * 24) == []
    one = client.ask(f"/partner/installations/{paused.public_id}")
    assert one["paused_at"] is not None
    for wrong in ("state=gone", "environment=both", "app=1"):
        problem(client.get(f"/partner/installations?{wrong}"), 422, "invalid")
    for wrong in ("inst_0", "1", "%00", "x" * 300):
        problem(client.get(f"/partner/installations/{wrong}"), 404, "not-found")


def test_reviews_are_read_and_answered(
    partner: Partner, api: Client, run_jobs: Callable[[], int]
) -> None:
    other = ListingReview(
        listing_id=partner.listing.id,
        organization_id=make_customer("Red Kite").id,
        author_name="Cy Diaz",
        rating=2,
    )
    db.session.add(other)
    db.session.commit()
    client = api(partner.key())
    items = client.ask("/partner/reviews")["items"]
    assert [item["rating"] for item in items] == [2, 4]
    assert [page["items"][0]["rating"] for page in client.pages("/partner/reviews?limit=1")] == [
        2,
        4,
    ]
    address = f"/partner/reviews/{partner.review.id}/answer"
    done = client.send("PUT", address, json={"text": "Thank you."})
    assert done.json["answer"]["text"] == "Thank you."
    assert [item["id"] for item in client.ask("/partner/reviews?answered=true")["items"]] == [
        partner.review.id
    ]
    assert [item["id"] for item in client.ask("/partner/reviews?answered=false")["items"]] == [
        other.id
    ]
    mails = db.session.scalars(select(Job).where(Job.kind == "mail.send")).all()
    assert len(mails) == 1
    problem(client.send("PUT", address, json={"text": " \n "}), 422, "invalid")
    problem(client.send("PUT", address, json={"text": "x" * 2001}), 422, "invalid")
    assert client.send("DELETE", address).status_code == 204
    assert client.send("DELETE", address).status_code == 204
    assert client.ask("/partner/reviews?answered=true")["items"] == []
    assert client.ask("/partner/reviews?listing=nothing")["items"] == []
    for wrong in ("0", "99999", "9" * 18):
        response = client.send("PUT", f"/partner/reviews/{wrong}/answer", json={"text": "x"})
        problem(response, 404, "not-found")


def test_an_erasure_is_confirmed_once(partner: Partner, api: Client) -> None:
    client = api(partner.key("partner.erasures.write"))
    (item,) = client.ask("/erasures?state=open")["items"]
    assert item["organization"]["slug"] == partner.customer.slug
    address = f"/erasures/{partner.erasure.public_id}/receipt"
    problem(client.post(address, {"receipt": "done"}), 422, "invalid")
    done = client.post(address, {"receipt": "All tides were erased today."})
    assert (done.status_code, done.json["state"]) == (200, "completed")
    again = client.post(address, {"receipt": "Something else was said later."})
    assert again.json["receipt"] == "All tides were erased today."
    assert client.ask("/erasures?state=open")["items"] == []
    assert len(client.ask("/erasures?state=completed")["items"]) == 1


def test_figures_are_counted_by_day_in_utc(partner: Partner, api: Client) -> None:
    today = clock.now().replace(hour=12)
    early = today.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    for at in (early - timedelta(microseconds=1), early, early + timedelta(hours=23, minutes=59)):
        make_installation(partner.app, make_customer(), installed_at=at)
    gone = make_installation(
        partner.app,
        make_customer(),
        installed_at=early - timedelta(days=40),
        state=InstallationState.UNINSTALLED,
        uninstalled_at=early + timedelta(days=1),
    )
    assert gone.uninstalled_at is not None
    db.session.commit()
    client = api(partner.key())
    begin = (early - timedelta(days=1)).date().isoformat()
    body = client.ask(f"/partner/analytics?from={begin}")
    figures = [
        (day["installs"], day["uninstalls"], day["active"], day["reviews"]) for day in body["days"]
    ]
    assert figures == [(1, 0, 2, 0), (2, 0, 4, 0), (0, 1, 3, 0), (1, 0, 4, 1)]
    assert body["totals"] == {"installs": 4, "uninstalls": 1, "active": 4, "reviews": 1}
    own = client.ask(f"/partner/analytics?from={begin}&listing={partner.listing.slug}")
    assert own["totals"] == body["totals"]
    other = client.ask(f"/partner/analytics?listing={partner.draft.slug}")
    assert other["totals"]["installs"] == 0
    assert len(other["days"]) == 28
    test = api(partner.key(environment=Environment.TEST)).ask("/partner/analytics")
    assert test["totals"]["installs"] == 1


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-02-30",
        "from=yesterday",
        "from=2026-03-01&to=2026-02-01",
        "from=2020-01-01&to=2026-01-01",
        "to=2999-01-01",
        "from=0001-01-01&to=0001-01-02",
        "listing=No+Slug",
    ],
)
def test_days_that_make_no_sense_are_told(partner: Partner, api: Client, query: str) -> None:
    problem(api(partner.key()).get(f"/partner/analytics?{query}"), 422, "invalid")


def test_figures_of_another_partners_listing_are_not_found(
    partner: Partner, stranger: Partner, api: Client
) -> None:
    response = api(partner.key()).get(f"/partner/analytics?listing={stranger.listing.slug}")
    problem(response, 404, "not-found")


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/partner/installations?limit=100", 2),
        ("/events?limit=100", 2),
        ("/erasures?limit=100", 2),
        ("/partner/reviews?limit=100", 2),
        ("/partner/analytics", 5),
    ],
)
def test_pages_cost_the_same_queries_however_long_they_are(
    partner: Partner, api: Client, path: str, most: int
) -> None:
    client = api(partner.key())
    few = count_queries(lambda: client.ask(path))
    for number in range(10):
        customer = make_customer(f"Kite {number}")
        make_installation(partner.app, customer)
        tell(partner, number)
        db.session.add(
            ListingReview(
                listing_id=partner.listing.id,
                organization_id=customer.id,
                author_name="Cy Diaz",
                rating=5,
            )
        )
    db.session.commit()
    assert count_queries(lambda: client.ask(path)) == few <= most


def test_members_cost_the_same_queries(partner: Partner, api: Client) -> None:
    client = api(partner.token())
    few = count_queries(lambda: client.ask("/installation/members?limit=100"))
    for _ in range(10):
        make_member(partner.customer)
    db.session.commit()
    assert count_queries(lambda: client.ask("/installation/members?limit=100")) == few == 2


def test_every_answer_is_as_described(partner: Partner, api: Client) -> None:
    from marketplace.api.v1.platform.schemas import SHAPES

    def check(name: str, value: Any) -> None:
        shape = SHAPES[name]
        assert set(value) >= set(shape["required"]), name
        assert set(value) <= set(shape["properties"]), name

    key, token = api(partner.key()), api(partner.token())
    check("Me", key.ask("/me"))
    check("Installation", token.ask("/installation"))
    check("Customer", token.ask("/installation/organization"))
    check("Member", token.ask("/installation/members")["items"][0])
    check("Event", token.ask("/installation/events")["items"][0])
    check("OwnListing", key.ask("/partner/listings")["items"][0])
    check("WorkingListing", key.ask(f"/partner/listings/{partner.draft.slug}"))
    check("ListingReviewState", key.ask(f"/partner/listings/{partner.draft.slug}/review"))
    check("Installation", key.ask("/partner/installations")["items"][0])
    check("Review", key.ask("/partner/reviews")["items"][0])
    check("Erasure", key.ask("/erasures")["items"][0])
    check("Analytics", key.ask("/partner/analytics"))
    check("ListingVersion", key.ask(f"/listings/{partner.listing.slug}/versions")["items"][0])
