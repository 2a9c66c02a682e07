"""97: a reviewer completes a versioned checklist; missing mandatory evidence blocks, expiry
unlists."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.catalogue.models import Listing
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.measures import Measure, Measurement
from tests.factories.certification_world import later, make_certification_world
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform

SignIn = Callable[..., FlaskClient]


def _level(organization_id: int) -> int:
    return (
        db.session.scalar(
            select(func.sum(Measurement.amount)).where(
                Measurement.organization_id == organization_id,
                Measurement.measure == Measure.CERTIFIED_LISTINGS.value,
                Measurement.counts_at <= clock.now(),
            )
        )
        or 0
    )


def _write_program(desk: FlaskClient) -> str:
    """A program with two items, the first of them mandatory; the address of its page."""
    made = desk.post(
        "/staff/certifications/programs/new",
        data={
            "title": "Ready for harbor",
            "subject": "listing",
            "validity_months": "12",
            "listing_rule": "unlist",
            "people_minimum": "0",
        },
    )
    assert made.status_code == 303
    draft = desk.post(f"{made.location}/draft").location
    edition = re.search(r'name="edition"[^>]*value="(\d+)"', desk.get(draft).get_data(as_text=True))
    assert edition is not None
    saved = desk.post(
        draft,
        data={
            "edition": edition[1],
            "items-0-title": "How do you keep data safe?",
            "items-0-evidence": "text",
            "items-0-weight": "3",
            "items-0-mandatory": "y",
            "items-1-title": "Where are your documents?",
            "items-1-evidence": "link",
            "items-1-weight": "1",
            "pass_percent": "75",
        },
    )
    assert saved.status_code == 303
    assert desk.post(f"{draft}/publication").status_code == 303
    return str(made.location)


def test_097_certification(app: Flask, sign_in: SignIn, run_jobs: Callable[[], int]) -> None:
    partner = make_organization("Quayside")
    owner = make_member(partner)
    listing = make_listing(partner)
    platform = make_platform()
    manager, reviewer = (
        make_member(platform, Role.PROGRAM_MANAGER),
        make_member(platform, Role.REVIEWER),
    )
    browser, desk = sign_in(owner, partner), sign_in(reviewer)
    program = _write_program(sign_in(manager)).rsplit("/", 1)[-1]

    begun = browser.post(
        f"/partner/certifications/new/{program}", data={"listing": str(listing.id)}
    )
    assert begun.status_code == 303
    page = begun.location
    refused = browser.post(f"{page}/submission")
    assert refused.status_code == 422
    assert "This must be given" in refused.get_data(as_text=True)

    key = "how_do_you_keep_data_safe"
    given = browser.post(f"{page}/items/{key}", data={f"{key}-value": "In our own rooms."})
    assert given.status_code == 303
    assert browser.post(f"{page}/submission").status_code == 303

    case = page.replace("/partner/", "/staff/")
    assert "Ready for harbor" in desk.get("/staff/certifications").get_data(as_text=True)
    blocked = desk.post(f"{case}/certification")
    assert blocked.status_code == 409
    assert "Not accepted: How do you keep data safe?" in blocked.get_data(as_text=True)
    assert desk.post(f"{case}/items/{key}/acceptance").status_code == 303
    assert desk.post(f"{case}/certification").status_code == 303
    run_jobs()
    visitor = app.test_client()
    assert visitor.get(f"/listings/{listing.slug}").status_code == 200
    db.session.expire_all()
    assert db.session.get_one(Listing, listing.id).certified_at is not None
    assert _level(partner.id) == 1

    with later(days=370):
        jobs.sweep()
        run_jobs()
        assert _level(partner.id) == 0
        db.session.expire_all()
        assert db.session.get_one(Listing, listing.id).certified_at is None
        assert visitor.get(f"/listings/{listing.slug}").status_code == 404
        browser, desk = sign_in(owner, partner), sign_in(reviewer)
        shown = browser.get(f"/partner/listings/{listing.slug}").get_data(as_text=True)
        assert "Its certification has run out" in shown

        renewal = browser.post(f"{page}/renewal")
        assert renewal.status_code == 303
        assert "In our own rooms." in browser.get(renewal.location).get_data(as_text=True)
        assert browser.post(f"{renewal.location}/submission").status_code == 303
        case = renewal.location.replace("/partner/", "/staff/")
        desk.post(f"{case}/items/{key}/acceptance")
        assert desk.post(f"{case}/certification").status_code == 303
        run_jobs()
        assert visitor.get(f"/listings/{listing.slug}").status_code == 200


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.PROGRAM_MANAGER])
def test_who_has_a_part_in_a_partner_does_not_certify_it(sign_in: SignIn, role: Role) -> None:
    partner = make_organization("Quayside")
    both = make_member(partner, Role.VIEWER)
    make_member(make_platform(), role, both)
    values = make_certification_world(partner, both, both, make_listing(partner))
    desk = sign_in(both)
    address = f"/staff/certifications/{values['certification_id']}"
    assert desk.get(address).status_code == 404
    assert desk.post(f"{address}/certification").status_code == 404
