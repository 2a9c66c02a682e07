"""Visitors of listings, for tests."""

from datetime import datetime

from flask.testing import FlaskClient

from marketplace.catalogue.exposure import Placement
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.observability.analytics.models import ExposureKind
from marketplace.observability.analytics.recorder import recorder
from marketplace.observability.analytics.storing import Seen
from marketplace.observability.analytics.visits import Browser

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def visit(
    client: FlaskClient, path: str, number: int = 1, *, agent: str = FIREFOX, came_from: str = ""
) -> None:
    """Open a page as visitor `number`, from an address of their own."""
    headers = {"User-Agent": agent, "Accept": "text/html,*/*;q=0.8"}
    if came_from:
        headers["Referer"] = f"http://localhost{came_from}"
    address = {"REMOTE_ADDR": f"198.51.{number // 250}.{number % 250 + 1}"}
    assert client.get(path, headers=headers, environ_base=address).status_code == 200


def count_visits() -> int:
    """Count what the pages have told so far; how many sightings were new."""
    db.session.commit()
    return recorder().flush()


def make_sightings(
    listing: Listing,
    count: int,
    *,
    kind: ExposureKind = ExposureKind.VIEW,
    placement: Placement = Placement.SEARCH,
    at: datetime | None = None,
) -> None:
    """As many visitors saw a listing, as the recorder counts them."""
    recorder().add(
        Seen(
            at or clock.now(),
            kind,
            placement,
            listing.id,
            listing.publisher_id,
            Browser(f"192.0.2.{number}", f"{FIREFOX} {number}"),
        )
        for number in range(count)
    )
    count_visits()
