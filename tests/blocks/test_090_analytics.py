"""90 Analytics: P filters view, install, paid, churn."""

import csv
import io
from datetime import UTC, datetime, timedelta

from flask import Flask

from marketplace.catalogue.exposure import Placement
from marketplace.core import clock
from marketplace.identity.models import Role
from marketplace.installs.models import InstallationState
from marketplace.observability.analytics.models import ExposureKind
from tests.conftest import SignIn
from tests.factories.apps import make_app, make_installation, make_sandbox
from tests.factories.exposure import make_sightings
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.queries import count_queries
from tests.factories.selling import make_paid_order, make_plan

DAY = datetime(2026, 11, 20, 10, tzinfo=UTC)


def _seed(name: str, views: int, installs: int, paid: int, removed: int) -> object:
    """A partner with a listing that was seen, installed, paid and removed so many times."""
    partner = make_organization(name, slug=name.lower())
    listing = make_listing(partner, slug=f"{name.lower()}-app")
    make_sightings(listing, views * 2, kind=ExposureKind.IMPRESSION, placement=Placement.HOME)
    make_sightings(listing, views, placement=Placement.SEARCH)
    app_row, plan = make_app(listing), make_plan(listing)
    for number in range(installs):
        customer = make_customer(f"Customer {number}")
        gone = (
            {"state": InstallationState.UNINSTALLED, "uninstalled_at": clock.now()}
            if number < removed
            else {}
        )
        make_installation(app_row, customer, **gone)
        if number < paid:
            make_paid_order(plan, customer)
    # Neither one's own nor the sandbox's installation counts.
    make_installation(app_row, partner)
    make_installation(app_row, make_sandbox(partner))
    return partner


def test_090_analytics(app: Flask, sign_in: SignIn) -> None:
    with clock.frozen(DAY):
        partner = _seed("Quayside", 100, 20, 5, 2)
        _seed("Rivals", 7, 3, 2, 1)
        browser = sign_in(make_member(partner, Role.VIEWER), partner)
        figures = _figures(browser.get("/partner/analytics?period=7d").text)
        assert figures == {
            "Impressions": "200", "Views": "100", "Installs": "20", "Paid": "5", "Churn": "2",
        }  # fmt: skip
        assert "Rivals" not in browser.get("/partner/analytics").text
        # The filters.
        one = _figures(browser.get("/partner/analytics?listing=quayside-app").text)
        assert one == figures
        assert browser.get("/partner/analytics?listing=rivals-app").status_code == 404
        home = _figures(browser.get("/partner/analytics?placement=home").text)
        assert (home["Impressions"], home["Views"]) == ("200", "0")
        days = "period=custom&from=2026-11-01&to=2026-11-19"
        assert set(_figures(browser.get(f"/partner/analytics?{days}").text).values()) == {"0"}
        # The file says the same.
        for by in ("day", "listing"):
            text = browser.get(f"/partner/analytics.csv?period=7d&by={by}").data.decode("utf-8-sig")
            rows = list(csv.DictReader(io.StringIO(text)))
            sums = [sum(int(row[name]) for row in rows) for name in ("views", "installs", "paid")]
            assert sums == [100, 20, 5]
            assert "Rivals" not in text
        # The staff sees everybody.
        staff = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
        assert _figures(staff.get("/staff/analytics?period=7d").text)["Views"] == "107"


def test_a_day_is_the_readers(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    owner = make_member(partner)
    owner.timezone = "Asia/Kolkata"
    listing = make_listing(partner)
    # 18:45 UTC is the next day in India, half past midnight.
    make_sightings(listing, 3, at=datetime(2026, 11, 19, 18, 45, tzinfo=UTC))
    make_installation(
        make_app(listing), make_customer(), installed_at=datetime(2026, 11, 19, 18, 20, tzinfo=UTC)
    )
    with clock.frozen(DAY):
        browser = sign_in(owner, partner)
        twentieth = browser.get("/partner/analytics?period=custom&from=2026-11-20&to=2026-11-20")
        nineteenth = browser.get("/partner/analytics?period=custom&from=2026-11-19&to=2026-11-19")
    assert _figures(twentieth.text)["Views"] == "3"
    assert _figures(twentieth.text)["Installs"] == "0"
    assert _figures(nineteenth.text)["Views"] == "0"
    assert _figures(nineteenth.text)["Installs"] == "1"


def test_the_page_costs_as_many_queries_for_many_listings_as_for_one(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization("Quayside")
    browser = sign_in(make_member(partner), partner)
    make_sightings(make_listing(partner), 2)
    few = count_queries(lambda: browser.get("/partner/analytics"))
    for number in range(4):
        listing = make_listing(partner)
        make_sightings(listing, 3, at=clock.now() - timedelta(days=number))
        make_installation(make_app(listing), make_customer())
    many = count_queries(lambda: browser.get("/partner/analytics"))
    assert few == many <= 30


def test_nonsense_in_the_address_is_read_as_the_usual_time(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    browser = sign_in(make_member(partner), partner)
    for query in (
        "period=custom&from=2026-11-20&to=2026-11-01",
        "period=custom&from=0001-01-01&to=9999-12-31",
        "period=custom&from=x&to=",
        "period=%00&placement=%00",
        f"period={'9' * 5000}",
        "placement=moon&by=moon",
    ):
        assert browser.get(f"/partner/analytics?{query}").status_code == 200, query
        assert browser.get(f"/partner/analytics.csv?{query}").status_code == 200, query


def _figures(html: str) -> dict[str, str]:
    """What the tiles say, by label."""
    found = {}
    for tile in html.split('class="stat-tile"')[1:6]:
        label = tile.split("</p>")[0].rsplit(">", 1)[1].strip()
        found[label] = tile.split('class="stat-value">')[1].split("<")[0].strip()
    return found
