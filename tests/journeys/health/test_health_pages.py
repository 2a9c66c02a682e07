"""An app's health on the pages of its publisher and on its listing."""

import re
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.installs.models import App, HealthDay, HealthIncident, HealthState
from tests.factories.apps import make_app
from tests.factories.listings import make_category, make_listing
from tests.factories.people import make_member, make_organization

SignIn = Callable[..., FlaskClient]


def make_watched_app(app_row: App) -> None:
    app_row.status_url = "https://status.tides.example/"
    app_row.health, app_row.health_since = HealthState.DOWN, clock.now()
    today = clock.now().date()
    for ago in range(10):
        db.session.add(
            HealthDay(
                app_id=app_row.id,
                day=today - timedelta(days=ago),
                answered=288 - 40 * (ago == 1),
                failed=40 * (ago == 1),
            )
        )
    db.session.add(
        HealthIncident(app_id=app_row.id, started_at=clock.now(), reason="Answered 503.")
    )
    db.session.commit()


def test_the_publisher_sees_uptime_days_and_incidents(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    viewer = make_member(partner, Role.VIEWER)
    app_row = make_app(publisher=partner)
    db.session.commit()
    browser = sign_in(viewer, partner)
    where = f"/partner/apps/{app_row.public_id}/health"
    assert "No status address" in browser.get(where).get_data(as_text=True)
    make_watched_app(app_row)
    page = browser.get(where).get_data(as_text=True)
    for words in ("98.61 %", "Not answering", "Answered 503.", "It goes on", "40"):
        assert words in page
    assert 'role="img"' in page
    assert "Checks failed on 1 of 10 days." in page


def test_the_page_is_one_of_the_apps_tabs(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    browser = sign_in(make_member(partner, Role.DEVELOPER), partner)
    app_row = make_app(make_listing(partner))
    db.session.commit()
    where = f"/partner/apps/{app_row.public_id}"
    labels = ["Overview", "Live", "Test", "Installations", "Health", "Settings"]
    for path, current in (("", "Overview"), ("/live", "Live"), ("/health", "Health")):
        page = browser.get(where + path).get_data(as_text=True)
        bar = re.search(rf'<nav[^>]*aria-label="{app_row.name}".*?</nav>', page, re.S)
        assert bar is not None, path
        links = re.findall(r"<a ([^>]*)>(.*?)</a>", bar[0], re.S)
        assert [re.sub(r"<.*?>", "", text, flags=re.S).strip() for _more, text in links] == labels
        chosen = [text for more, text in links if "aria-current" in more]
        assert len(chosen) == 1
        assert current in chosen[0]
        assert f'href="{where}/health"' in bar[0]
        marked = re.search(r'<a [^>]*href="/partner/apps"[^>]*aria-current[^>]*>', page)
        assert marked is not None, path


def test_others_do_not_see_it(app: Flask, sign_in: SignIn) -> None:
    app_row = make_app(publisher=make_organization("Quayside"))
    rivals = make_organization("Rivals")
    stranger = make_member(rivals)
    db.session.commit()
    where = f"/partner/apps/{app_row.public_id}/health"
    assert sign_in(stranger, rivals).get(where).status_code == 404
    assert app.test_client().get(where).status_code == 302


def test_everybody_sees_it_on_the_listing(app: Flask, client: FlaskClient) -> None:
    listing = make_listing(make_organization("Quayside"), category=make_category())
    app_row = make_app(listing)
    db.session.commit()
    where = f"/listings/{listing.slug}"
    assert "Not answering" not in client.get(where).get_data(as_text=True)
    make_watched_app(app_row)
    page = client.get(where).get_data(as_text=True)
    assert "98.61 %" in page
    assert "Not answering" in page
    assert "css/webhooks.css" in page
    assert "status.tides.example" not in page
