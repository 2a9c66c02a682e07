"""1 Increase Exposure: O sets a views goal; P sees the views that each placement earned."""

from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.observability.analytics.jobs import close_days
from marketplace.observability.analytics.models import Sighting, VisitorSalt
from marketplace.observability.analytics.recorder import recorder
from tests.conftest import SignIn
from tests.factories.exposure import FIREFOX, count_visits, visit
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.program import make_policy

DAY = datetime(2026, 11, 20, 10, tzinfo=UTC)
GOAL = {"key": "exposure", "name": "Exposure", "measure": "views", "target": 12}


def test_001_increase_exposure(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    with clock.frozen(DAY):
        make_policy(goals=[GOAL])
        partner = make_organization("Quayside", slug="quayside")
        owner = make_member(partner, Role.OWNER)
        manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
        make_listing(partner, slug="tides")
        browser = sign_in(owner, partner)
        staff = sign_in(manager)
        customers = make_customer()
        reader = sign_in(make_member(customers), customers)

        # Three sessions: two strangers, and somebody who is signed in, one of them twice.
        visit(client, "/listings/tides", 1, came_from="/search?q=tide")
        visit(client, "/listings/tides", 1, came_from="/categories/productivity")
        visit(client, "/listings/tides", 2, came_from="/")
        visit(reader, "/listings/tides", 3)
        # Bots, the publisher's people and the staff.
        visit(client, "/listings/tides", 4, agent="Googlebot/2.1 (+http://www.google.com/bot.html)")
        visit(client, "/listings/tides", 5, agent="curl/8.9")
        visit(client, "/listings/tides", 6, agent=FIREFOX.replace("Firefox", "HeadlessChrome"))
        visit(browser, "/listings/tides", 7)
        visit(staff, "/listings/tides", 8)
        visit(client, "/", 9)
        count_visits()

        page = browser.get("/partner/analytics?period=7d")
        assert page.status_code == 200
        table = _table(page.text)
        assert table["Search"] == "1"
        assert table["Home page"] == "1"
        assert table["From elsewhere"] == "1"
        assert table["Category pages"] == "0"

    with clock.frozen(DAY + timedelta(days=1)):
        close_days({})
        close_days({})
        db.session.commit()
        assert "3 of 12" in browser.get("/partner/analytics").text
        assert "3 of 12" in staff.get("/staff/analytics").text
        # Nothing by which a visitor could be known again is left.
        assert db.session.query(Sighting).count() == 0
        assert db.session.query(VisitorSalt).count() == 0


def test_a_visitor_of_two_days_counts_on_both(
    app: Flask, client: FlaskClient, sign_in: SignIn
) -> None:
    partner = make_organization("Quayside")
    owner = make_member(partner)
    make_listing(partner, slug="tides")
    db.session.commit()
    for days in (0, 1):
        with clock.frozen(DAY + timedelta(days=days)):
            visit(client, "/listings/tides", 1)
            assert count_visits() == 1
            visit(client, "/listings/tides", 1)
            assert count_visits() == 0
    with clock.frozen(DAY + timedelta(days=1)):
        page = sign_in(owner, partner).get("/partner/analytics")
        assert _table(page.text)["From elsewhere"] == "2"


def test_a_page_tells_what_it_shows_without_asking_the_database(
    app: Flask, client: FlaskClient
) -> None:
    make_listing(make_organization("Quayside"), slug="tides")
    db.session.commit()
    visit(client, "/", 1)
    assert recorder().flush() == 1
    visit(client, "/", 1)
    assert recorder().flush() == 0


def _table(html: str) -> dict[str, str]:
    """The views by the name of the placement."""
    found = {}
    for row in html.split("<tr>"):
        if 'data-label="Placement"' in row:
            name = row.split('data-label="Placement">')[1].split("<")[0]
            found[name] = row.split('data-label="Views" class="numeric">')[1].split("<")[0]
    return found
