"""103: a partner submits a proven integration; installations of its own accounts do not count."""

from collections.abc import Callable

from flask.testing import FlaskClient

from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from tests.factories.apps import make_app, make_installation, make_sandbox
from tests.factories.certification_world import make_program
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_platform

SignIn = Callable[..., FlaskClient]
ITEMS = (
    {
        "key": "installs",
        "title": "Three customers use it",
        "evidence": "automatic",
        "check": "live_installs",
        "least": 3,
    },
)


def test_103_integration(sign_in: SignIn) -> None:
    partner = make_organization("Quayside", partner_type="integration")
    owner = make_member(partner)
    listing = make_listing(partner)
    app = make_app(listing)
    program = make_program(ITEMS, title="Proven integration", partner_types=("integration",))
    desk = sign_in(make_member(make_platform(), Role.REVIEWER))
    browser = sign_in(owner, partner)

    def install(organization: Organization) -> None:
        make_installation(app, organization)
        db.session.commit()

    # Its own accounts: a second company of its owner, its sandbox, and itself.
    second = make_customer("Second company")
    make_member(second, Role.OWNER, owner)
    for own in (second, make_sandbox(partner), partner):
        install(own)
    install(make_customer("Blue Kite"))
    install(make_customer("Red Buoy"))

    begun = browser.post(
        f"/partner/certifications/new/{program.public_id}", data={"listing": str(listing.id)}
    )
    page = begun.location
    refused = browser.post(f"{page}/submission")
    assert refused.status_code == 422
    assert "2 of 3 live installations by others" in browser.get(page).get_data(as_text=True) or (
        browser.post(f"{page}/checks").status_code == 303
        and "2 of 3 live installations by others" in browser.get(page).get_data(as_text=True)
    )

    install(make_customer("Grey Heron"))
    assert browser.post(f"{page}/submission").status_code == 303
    case = page.replace("/partner/", "/staff/")
    shown = desk.get(case).get_data(as_text=True)
    assert "3 of 3 live installations by others" in shown
    assert desk.post(f"{case}/certification").status_code == 303
    assert "Proven integration" in browser.get("/partner/certifications").get_data(as_text=True)
