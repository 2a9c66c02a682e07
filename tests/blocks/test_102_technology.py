"""102: a provisional partner passes its assessment and is listed; the day after the deadline
without it, it has lapsed."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.program.standing.models import Standing, StandingState
from tests.factories.certification_world import later, make_program
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing, policy_document

SignIn = Callable[..., FlaskClient]


def _provisional(name: str) -> Organization:
    """A partner that was admitted today, for 180 days."""
    partner = make_organization(name)
    make_standing(
        partner,
        state=StandingState.PROVISIONAL,
        provisional_until=clock.now() + timedelta(days=180),
    )
    return partner


def _policy() -> None:
    document = policy_document()
    document["types"][0]["provisional_days"] = 180
    make_policy(document)


def _state(partner: Organization) -> StandingState:
    db.session.expire_all()
    return db.session.scalars(
        select(Standing.state).where(Standing.organization_id == partner.id)
    ).one()


def test_102_technology(app: Flask, sign_in: SignIn, run_jobs: Callable[[], int]) -> None:
    _policy()
    passes, idles = _provisional("Quayside"), _provisional("Driftwood")
    owner = make_member(passes)
    listing, other = make_listing(passes), make_listing(idles)
    program = make_program(
        title="Technology assessment", listing_rule="required", partner_types=("technology",)
    )
    desk = sign_in(make_member(make_platform(), Role.REVIEWER))
    browser, visitor = sign_in(owner, passes), app.test_client()
    run_jobs()
    assert visitor.get(f"/listings/{listing.slug}").status_code == 404
    shown = browser.get(f"/partner/listings/{listing.slug}").get_data(as_text=True)
    assert "It has to be certified first: Technology assessment" in shown

    begun = browser.post(
        f"/partner/certifications/new/{program.public_id}", data={"listing": str(listing.id)}
    )
    page = begun.location
    browser.post(f"{page}/items/security", data={"security-value": "In our own rooms."})
    assert browser.post(f"{page}/submission").status_code == 303
    case = page.replace("/partner/", "/staff/")
    desk.post(f"{case}/items/security/acceptance")
    # The other item is not mandatory, but half of the weights is not enough.
    assert desk.post(f"{case}/certification").status_code == 409
    desk.post(f"{case}/return", data={"reason": "Show your documents too."})
    browser.post(f"{page}/items/docs", data={"docs-value": "https://quayside.example/docs"})
    browser.post(f"{page}/submission")
    desk.post(f"{case}/items/docs/acceptance")
    assert desk.post(f"{case}/certification").status_code == 303
    run_jobs()
    assert visitor.get(f"/listings/{listing.slug}").status_code == 200
    assert visitor.get(f"/listings/{other.slug}").status_code == 404

    with later(days=179):
        jobs.sweep()
        run_jobs()
        assert _state(passes) is StandingState.ACTIVE
        assert _state(idles) is StandingState.PROVISIONAL
    with later(days=181):
        jobs.sweep()
        run_jobs()
        assert _state(passes) is StandingState.ACTIVE
        assert _state(idles) is StandingState.LAPSED
