"""3 Increase Awareness: P opens the portal; benefits that it has not used are suggested."""

from flask import Flask

from marketplace.identity.models import Role
from marketplace.program.measures import Measure, measure
from tests.conftest import SignIn
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy, make_standing

BENEFITS = [
    {"key": "sandbox", "name": "Sandbox", "text": "Try without risk.", "used_by": "sandbox.made"},
    {
        "key": "leads",
        "name": "Routed leads",
        "per_year": {"silver": 12},
        "used_by": f"measure:{Measure.LEADS_ACCEPTED}",
    },
    {"key": "summit", "name": "Summit seat", "per_year": {"gold": 1}, "used_by": "seat.claimed"},
    {"key": "badge", "name": "Badge", "text": "Nothing tells that it was used."},
]


def _suggested(html: str) -> set[str]:
    if 'id="unused-benefits"' not in html:
        return set()
    part = html.split('id="unused-benefits"')[1].split("</section>")[0]
    return {item.split("</strong>")[0] for item in part.split("<strong>")[1:]}


def test_003_increase_awareness(app: Flask, sign_in: SignIn) -> None:
    make_policy(benefits=BENEFITS)
    partner, rival = make_organization("Quayside"), make_organization("Rivals")
    make_standing(partner, "silver")
    make_standing(rival, "silver")
    browser = sign_in(make_member(partner, Role.OWNER), partner)
    other = sign_in(make_member(rival, Role.OWNER), rival)
    assert _suggested(browser.get("/partner").text) == {"Sandbox", "Routed leads"}

    # It makes a sandbox, as its developers do.
    assert browser.post("/partner/sandbox/making").status_code == 303
    assert _suggested(browser.get("/partner").text) == {"Routed leads"}
    assert _suggested(other.get("/partner").text) == {"Sandbox", "Routed leads"}


def test_a_measure_says_as_well_that_something_was_used(app: Flask, sign_in: SignIn) -> None:
    make_policy(benefits=BENEFITS)
    partner = make_organization("Quayside")
    make_standing(partner, "gold")
    measure(partner.id, Measure.LEADS_ACCEPTED, key="offer:1", source=("lead", 1))
    browser = sign_in(make_member(partner), partner)
    assert _suggested(browser.get("/partner").text) == {"Sandbox", "Summit seat"}


def test_who_is_not_in_the_program_is_offered_nothing(app: Flask, sign_in: SignIn) -> None:
    make_policy(benefits=BENEFITS)
    partner = make_organization("Quayside")
    browser = sign_in(make_member(partner), partner)
    assert _suggested(browser.get("/partner").text) == set()
