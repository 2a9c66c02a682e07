"""An app's state in one word, the chart by day, and what a form was filled in from."""

from datetime import UTC, date, datetime

import pytest

from marketplace.catalogue.models import Listing
from marketplace.installs.developer import fingerprints
from marketplace.installs.developer.app_states import state_of
from marketplace.installs.developer.day_chart import HEIGHT, day_chart
from marketplace.installs.models import App, Environment, OAuthClient

AT = datetime(2026, 11, 23, tzinfo=UTC)


def an_app(listing: Listing | None, uris: list[str], disabled: bool = False) -> App:
    app = App(name="Tides", listing=listing, archived_at=None)
    app.clients = [
        OAuthClient(environment=Environment.TEST, redirect_uris=[]),
        OAuthClient(
            environment=Environment.LIVE,
            redirect_uris=uris,
            disabled_at=AT if disabled else None,
        ),
    ]
    return app


@pytest.mark.parametrize(
    ("listing", "uris", "disabled", "label"),
    [
        (Listing(published_at=AT), ["https://x.example/"], False, "Live"),
        (Listing(published_at=AT), [], False, "Not ready"),
        (Listing(published_at=AT), ["https://x.example/"], True, "Disabled"),
        (Listing(published_at=AT, suspended_at=AT), ["https://x.example/"], False, "Suspended"),
        (Listing(published_at=None), ["https://x.example/"], False, "Test only"),
        (None, ["https://x.example/"], False, "Test only"),
    ],
)
def test_an_app_says_in_one_word_where_it_is(
    listing: Listing | None, uris: list[str], disabled: bool, label: str
) -> None:
    assert state_of(an_app(listing, uris, disabled)).label == label


def test_an_archived_app_is_that_before_anything_else() -> None:
    app = an_app(None, [])
    app.archived_at = AT
    assert state_of(app).label == "Archived"


def test_the_chart_has_every_day_and_both_directions_on_one_scale() -> None:
    last = date(2026, 11, 23)
    chart = day_chart({last: (3, 1), date(2026, 11, 1): (1, 0), date(2026, 1, 1): (9, 9)}, last)
    assert len(chart.bars) == 28
    assert (chart.installs, chart.removals) == (4, 1)
    newest = chart.bars[-1]
    assert newest.up_height == 3 * newest.down_height
    assert newest.up_y == 0
    assert chart.axis_y + newest.down_height == HEIGHT
    assert chart.bars[0].up_height == 0


def test_a_chart_without_anything_is_empty_and_divides_by_nothing() -> None:
    chart = day_chart({}, date(2026, 11, 23))
    assert chart.is_empty
    assert chart.axis_y == HEIGHT


def test_a_fingerprint_follows_what_the_form_shows_and_nothing_else() -> None:
    app = App(name="Tides", listing_id=None, status_url="", failed_probes=0)
    before = fingerprints.of_app(app)
    app.failed_probes = 3
    assert fingerprints.of_app(app) == before
    app.status_url = "https://x.example/status"
    assert fingerprints.of_app(app) != before
    client = OAuthClient(redirect_uris=[], install_url="", configure_url="", is_confidential=True)
    seen = fingerprints.of_client(client)
    client.redirect_uris = ["https://x.example/"]
    assert fingerprints.of_client(client) != seen
