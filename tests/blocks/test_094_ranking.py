"""94 Ranking: P opens the reasons for its rank; what is paid leaves it unchanged."""

import re
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from billing.models import DiscountKind, OrderKind, OrderState
from marketplace.catalogue.engagement.services.popularity import refresh_popularity
from marketplace.catalogue.indexing import services as indexing
from marketplace.catalogue.indexing.spec import SPECS
from marketplace.catalogue.models import Listing, ListingUse
from marketplace.catalogue.popularity import Signals, bucket, points
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.observability.ranking.reasons import NameMatch, points_for, text_match
from tests.conftest import SignIn
from tests.factories.listings import make_category, make_listing
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.queries import count_queries
from tests.factories.selling import make_discount, make_order, make_paid_order, make_plan

CARD = re.compile(r'href="/listings/([a-z0-9-]+)"')


def _index() -> None:
    db.session.commit()
    refresh_popularity()
    db.session.commit()
    for spec in SPECS:
        indexing.rebuild(spec)


def _use(listing: Listing, count: int) -> None:
    for _number in range(count):
        db.session.add(
            ListingUse(
                listing_id=listing.id,
                organization_id=make_customer().id,
                since=clock.now() - timedelta(days=1),
            )
        )
    listing.use_count += count


def _order(client: FlaskClient, path: str) -> list[str]:
    return list(dict.fromkeys(CARD.findall(client.get(path).text)))


def test_094_ranking(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    category = make_category("Weather")
    partner, rival = make_organization("Quayside"), make_organization("Rivals")
    owner = make_member(partner, Role.OWNER)
    listings = {
        name: make_listing(publisher, slug=name, category=category, name=title)
        for name, title, publisher in (
            ("tides", "Tide Tables", partner),
            ("waves", "Wave Watch", rival),
            ("winds", "Wind Rose", rival),
        )
    }
    _use(listings["waves"], 6)
    _use(listings["tides"], 2)
    _index()
    browser = sign_in(owner, partner)
    assert _order(client, "/categories/weather")[:3] == ["waves", "tides", "winds"]

    # The reasons, for the category.
    page = browser.get("/partner/ranking?listing=tides&category=weather").text
    rank = page.split('id="rank">')[1].split("</p>")[0]
    assert "<strong>2</strong>" in rank
    assert "of 3" in rank
    assert "<strong>Wave Watch</strong>" in page
    # Six uses of late are 60 points, popularity 23; two are 20, popularity 17.
    assert bucket(Signals(uses=6, recent_uses=6)) == 23
    assert "It is more popular: 23 against 17." in page
    # Between equals the first of the two ids comes first, which is P's.
    missing = points_for(23) - points(Signals(uses=2, recent_uses=2))
    assert f"With {missing} more points" in page

    # For words: the name decides before all popularity.
    page = browser.get("/partner/ranking?listing=tides&q=tide+tables&category=").text
    assert "<strong>1</strong>" in page.split('id="rank">')[1]
    assert "The name is exactly what was searched for." in page

    # P pays: a plan that sells, a discount, a listing fee. The order stays as it was.
    plan = make_plan(listings["winds"])
    make_paid_order(plan, make_customer())
    make_discount(rival, bps=9_000, kind=DiscountKind.PERCENT)
    fee = make_order(make_plan(listings["winds"]), rival)
    fee.kind, fee.state, fee.paid_at = OrderKind.PROGRAM_FEE, OrderState.PAID, clock.now()
    _index()
    assert _order(client, "/categories/weather")[:3] == ["waves", "tides", "winds"]
    assert _order(client, "/search?category=weather")[:3] == ["waves", "tides", "winds"]
    after = browser.get("/partner/ranking?listing=tides&category=weather").text
    assert "<strong>2</strong>" in after.split('id="rank">')[1].split("</p>")[0]
    assert "Money: fees, plans, discounts" in after


def test_what_it_promises_is_what_happens(app: Flask, sign_in: SignIn) -> None:
    category = make_category("Weather")
    partner = make_organization("Quayside")
    own = make_listing(partner, slug="tides", category=category, name="Tide Tables")
    other = make_listing(make_organization("Rivals"), category=category, name="Wave Watch")
    _use(other, 4)
    _index()
    browser = sign_in(make_member(partner), partner)
    page = browser.get("/partner/ranking?listing=tides").text
    uses = int(re.findall(r"(\d+) new organizations? that uses? it, for example", page)[0])
    _use(own, uses - 1)
    _index()
    page = browser.get("/partner/ranking?listing=tides").text
    assert "<strong>2</strong>" in page.split('id="rank">')[1]
    _use(own, 1)
    _index()
    page = browser.get("/partner/ranking?listing=tides").text
    assert "<strong>1</strong>" in page.split('id="rank">')[1]
    assert "Nothing stands before it." in page


def test_no_popularity_is_promised_to_lift_what_matches_worse(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    own = make_listing(
        partner, slug="tides", name="Tide Tables", tagline="Export any invoice, or sync it"
    )
    better = make_listing(name="Wave Watch", tagline="Invoice sync export")
    _use(own, 1), _use(better, 2)
    _index()
    browser = sign_in(make_member(partner), partner)
    page = browser.get("/partner/ranking?listing=tides&q=invoice+sync+export").text
    assert "<strong>Wave Watch</strong>" in page
    assert "Either the words match better in it" in page
    assert "yours passes it" not in page
    _use(own, 9)
    _index()
    page = browser.get("/partner/ranking?listing=tides&q=invoice+sync+export").text
    assert "The words match better in it" in page


def test_others_listings_are_not_explained(app: Flask, sign_in: SignIn) -> None:
    make_listing(make_organization("Rivals"), slug="waves")
    partner = make_organization("Quayside")
    browser = sign_in(make_member(partner), partner)
    _index()
    assert browser.get("/partner/ranking?listing=waves").status_code == 404
    assert "No listing yet" in browser.get("/partner/ranking").text


def test_it_costs_as_many_queries_for_many_as_for_few(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    category = make_category("Weather")
    make_listing(partner, slug="tides", category=category)
    make_listing(category=category)
    _index()
    browser = sign_in(make_member(partner), partner)
    browser.get("/partner/ranking")
    few = count_queries(lambda: browser.get("/partner/ranking?listing=tides"))
    for _number in range(5):
        make_listing(category=category)
    _index()
    assert count_queries(lambda: browser.get("/partner/ranking?listing=tides")) == few <= 15


def test_nonsense_is_no_error(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    make_listing(partner, slug="tides")
    _index()
    browser = sign_in(make_member(partner), partner)
    for query in ("q=%00", f"q={'x' * 9000}", "category=moon", 'q="%20-', "page=-1&sort=moon"):
        assert browser.get(f"/partner/ranking?listing=tides&{query}").status_code == 200


def test_names_and_fields_are_told_apart() -> None:
    for text, expected in (
        ("tide tables", NameMatch.IS),
        ("Tide-Tables", NameMatch.IS),
        ("tide", NameMatch.BEGINS),
        ("tables", NameMatch.NONE),
        ("", NameMatch.NONE),
    ):
        assert text_match(text, ["Tide Tables"], []).name is expected, text
    assert text_match("x", ["Y"], ["tags", "name"]).fields == ("name", "tags")
    for level in range(60):
        needed = points_for(level)
        assert bucket(Signals(follows=needed)) >= level
        assert needed == 0 or bucket(Signals(follows=needed - 1)) < level
