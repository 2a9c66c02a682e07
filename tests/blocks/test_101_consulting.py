"""101: a consulting partner publishes services and receives briefs; when one of its two
certificates lapses, its services are hidden."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import jobs
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.certification_world import later, make_certified, make_program
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing, policy_document

SignIn = Callable[..., FlaskClient]


def _policy() -> None:
    document = policy_document()
    document["types"].append({"key": "consulting", "name": "Consulting"})
    make_policy(document)


def test_101_consulting(app: Flask, sign_in: SignIn, run_jobs: Callable[[], int]) -> None:
    _policy()
    partner = make_organization("Quayside Advice", partner_type="consulting")
    make_standing(partner)
    owner, colleague = make_member(partner), make_member(partner, Role.EDITOR)
    service = make_listing(partner, name="Harbor advice", kind="service")
    manager = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    made = manager.post(
        "/staff/certifications/programs/new",
        data={
            "title": "Services",
            "subject": "listing",
            "validity_months": "12",
            "partner_types": "consulting",
            "listing_kinds": "service",
            "listing_rule": "badge",
            "people_minimum": "2",
        },
    )
    assert made.status_code == 303
    run_jobs()
    visitor = app.test_client()
    assert visitor.get(f"/listings/{service.slug}").status_code == 404

    people = make_program(title="Certified consultant", subject="person")
    make_certified(people, partner, person=owner)
    db.session.commit()
    with later(days=100):
        make_certified(people, partner, person=colleague)
        db.session.commit()
        run_jobs()
        found = visitor.get(f"/listings/{service.slug}")
        assert found.status_code == 200
        brief = visitor.get(f"/briefs/new?listing={service.slug}")
        assert brief.status_code == 200
        assert "Harbor advice" in brief.get_data(as_text=True)
        sent = visitor.post(
            f"/briefs/new?listing={service.slug}",
            data={
                "listing": service.slug,
                "name": "Rosa Lind",
                "email": "rosa@customer.example",
                "company": "Customer",
                "country": "DE",
                "need": "We need advice about our berths for twelve ships.",
                "consent": "y",
            },
        )
        assert sent.status_code == 303, sent.get_data(as_text=True)[-4000:]

    with later(days=366):
        jobs.sweep()
        run_jobs()
        assert visitor.get(f"/listings/{service.slug}").status_code == 404
        assert "Harbor advice" not in visitor.get("/listings").get_data(as_text=True)
        shown = sign_in(owner, partner).get(f"/partner/listings/{service.slug}")
        assert "2 certified people; you have 1" in shown.get_data(as_text=True)
