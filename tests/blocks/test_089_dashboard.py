"""89 Dashboard: P clicks any tile to its rows."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.observability.dashboard.tiles import TILES
from marketplace.program.measures import Measure, measure
from tests.conftest import SignIn
from tests.factories.apps import make_app, make_installation
from tests.factories.exposure import make_sightings
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.program import make_policy, make_standing
from tests.factories.queries import count_queries

DAY = datetime(2026, 11, 20, 10, tzinfo=UTC)
TILE = re.compile(
    r'class="stretched-link" href="([^"]*)">([^<]+)</a></p>\s*<p class="stat-value">([^<]+)'
)


def _measured(partner: Organization, what: Measure, amounts: list[int], **extra: str) -> None:
    for number, amount in enumerate(amounts):
        measure(
            partner.id,
            what,
            amount,
            key=f"{partner.id}:{number}",
            source=("lead", number),
            at=clock.now() - timedelta(days=number * 9),
            **extra,  # type: ignore[arg-type]  # a currency, or nothing
        )


def _seed(partner: Organization) -> None:
    listing = make_listing(partner)
    for days in (0, 3, 40):
        make_sightings(listing, 4 + days, at=clock.now() - timedelta(days=days))
    app_row = make_app(listing)
    for number in range(3):
        make_installation(
            app_row, make_customer(), installed_at=clock.now() - timedelta(days=number)
        )
    _measured(partner, Measure.LEADS_ACCEPTED, [1, 1, 1, 1, 1])
    _measured(partner, Measure.DEALS_WON, [1, 1])
    _measured(partner, Measure.NET_REVENUE, [120_050, -20_000, 999], currency="EUR")
    _measured(partner, Measure.DEALS_SOURCED, [5_000], currency="JPY")
    _measured(partner, Measure.CERTIFIED_PEOPLE, [1, 1, -1, 1, 1, 1])


def _tiles(browser: FlaskClient, query: str) -> dict[str, tuple[str, str]]:
    page = browser.get(f"/partner/dashboard?{query}")
    assert page.status_code == 200
    found = {label: (href, value.strip()) for href, label, value in TILE.findall(page.text)}
    return {label: (href.replace("&amp;", "&"), value) for label, (href, value) in found.items()}


def test_089_dashboard(app: Flask, sign_in: SignIn) -> None:
    with clock.frozen(DAY):
        partner, rival = make_organization("Quayside"), make_organization("Rivals")
        _seed(partner)
        _seed(rival)
        owner = make_member(partner)
        owner.timezone = "America/New_York"
        browser = sign_in(owner, partner)
        tiles = _tiles(browser, "period=30d")
        assert tiles["Views"][1] == "11"
        assert tiles["Installs"][1] == "3"
        assert tiles["Leads accepted"][1] == "4"
        assert tiles["Net revenue in EUR"][1] == "€1,010.49"
        assert tiles["Deals sourced in JPY"][1] == "¥5,000"
        assert tiles["Certified people"][1] == "4"
        # Every tile is the sum of the rows that it opens, on the page and in the file.
        for label, (href, value) in tiles.items():
            page = browser.get(href)
            assert page.status_code == 200, label
            total = page.text.split('id="tile-total"')[1].split("<strong>")[1].split("<")[0]
            assert total == value, label
            text = browser.get(href.replace("?", ".csv?", 1)).data.decode("utf-8-sig")
            rows = csv.DictReader(io.StringIO(text))
            summed = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
            digits = re.sub(r"[^\d.−-]", "", value).replace("−", "-")
            if digits not in ("", "–"):
                assert summed == Decimal(digits), label


def test_different_currencies_are_no_sum(app: Flask, sign_in: SignIn) -> None:
    with clock.frozen(DAY):
        partner = make_organization("Quayside")
        _measured(partner, Measure.NET_REVENUE, [120_050], currency="EUR")
        measure(partner.id, Measure.NET_REVENUE, 5_000, key="y", source=("lead", 9), currency="JPY")
        browser = sign_in(make_member(partner), partner)
        for query in ("", "?currency=", "?currency=%E2%82%AC%E2%82%AC"):
            page = browser.get(f"/partner/dashboard/net_revenue{query}").text
            assert "<strong>€1,200.50 + ¥5,000</strong>" in page
        page = browser.get("/partner/dashboard/net_revenue?currency=JPY").text
        assert "<strong>¥5,000</strong>" in page


def test_a_level_is_compared_with_what_stood_before(app: Flask, sign_in: SignIn) -> None:
    with clock.frozen(DAY):
        partner = make_organization("Quayside")
        _seed(partner)
        browser = sign_in(make_member(partner), partner)
        # Four now; of them one began within seven days.
        page = browser.get("/partner/dashboard?period=7d").text
        tile = page.split(">Certified people</a>")[1].split("</div>")[0]
        assert ">4<" in tile
        assert "+33%" in tile


def test_who_does_not_deal_with_money_sees_none(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    _seed(partner)
    viewer = sign_in(make_member(partner, Role.VIEWER), partner)
    labels = set(_tiles(viewer, ""))
    assert "Views" in labels
    assert not any("revenue" in label.lower() for label in labels)
    assert viewer.get("/partner/dashboard/net_revenue").status_code == 404
    assert viewer.get("/partner/dashboard/net_revenue.csv").status_code == 404


def test_tiles_of_parts_that_the_type_has_not_are_left_out(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    affiliate = make_organization("Kitewell", partner_type="affiliate")
    make_standing(affiliate)
    browser = sign_in(make_member(affiliate), affiliate)
    labels = set(_tiles(browser, ""))
    assert "Leads accepted" in labels
    assert not labels & {"Views", "Installs", "Deals won"}
    assert browser.get("/partner/dashboard/views").status_code == 404


def test_it_costs_as_many_queries_for_a_year_of_rows_as_for_none(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization("Quayside")
    browser = sign_in(make_member(partner), partner)
    empty = count_queries(lambda: browser.get("/partner/dashboard"))
    _seed(partner)
    db.session.commit()
    assert count_queries(lambda: browser.get("/partner/dashboard?period=year")) == empty <= 6


def test_nonsense_is_no_error(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    browser = sign_in(make_member(partner), partner)
    for tile in TILES:
        odd = ("page=-1", "page=99999999999", "q=%00%25_", "currency=%00", "currency=nan")
        for query in (*odd, "period=moon"):
            assert browser.get(f"/partner/dashboard/{tile.key}?{query}").status_code == 200
    assert browser.get("/partner/dashboard/moon").status_code == 404
    assert browser.get(f"/partner/dashboard/{'x' * 5000}").status_code == 404
