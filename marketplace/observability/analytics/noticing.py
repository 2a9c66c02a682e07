"""The catalogue's pages tell what they show; here it is decided whether that counts."""

from flask import has_request_context, request

from marketplace.catalogue.exposure import Placement
from marketplace.core import clock
from marketplace.core.permissions import current_actor
from marketplace.observability.analytics.models import ExposureKind
from marketplace.observability.analytics.recorder import recorder
from marketplace.observability.analytics.storing import Seen
from marketplace.observability.analytics.visits import Browser, is_machine, placement_of


def notice_shown(placement: Placement, listings: tuple[tuple[int, int], ...]) -> None:
    """Listings are on a page: pairs of a listing's id and its publisher's."""
    browser = _browser()
    if browser is None:
        return
    at, own = clock.now(), _own_organizations()
    recorder().add(
        Seen(at, ExposureKind.IMPRESSION, placement, listing_id, publisher_id, browser)
        for listing_id, publisher_id in listings
        if publisher_id not in own
    )


def notice_opened(listing_id: int, publisher_id: int) -> None:
    """A listing's own page is opened."""
    browser = _browser()
    if browser is None or publisher_id in _own_organizations():
        return
    placement = placement_of(request.referrer or "", request.host)
    recorder().add(
        [Seen(clock.now(), ExposureKind.VIEW, placement, listing_id, publisher_id, browser)]
    )


def _browser() -> Browser | None:
    """Who looks; None for machines, and for staff, who look at everything."""
    if not has_request_context() or request.method != "GET":
        return None
    headers = request.headers
    purpose = f"{headers.get('Purpose', '')} {headers.get('Sec-Purpose', '')}"
    agent = request.user_agent.string
    if is_machine(agent, headers.get("Accept", ""), purpose):
        return None
    actor = current_actor()
    if actor.is_staff:
        return None
    session = str(actor.session_id) if actor.session_id is not None else ""
    return Browser(request.remote_addr or "", agent[:300], session)


def _own_organizations() -> set[int]:
    return {membership.organization_id for membership in current_actor().organizations}
