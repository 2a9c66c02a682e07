"""45 Proof of Concept (POC) Program: three approvals in order; met criteria promote it."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.applications.models import (
    Application,
    Milestone,
    PlaceState,
    RoundKind,
    RoundPlace,
)
from tests.conftest import SignIn
from tests.factories.listings import make_category
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing
from tests.factories.rounds import make_judges, make_round, seen_on


def test_045_proof_of_concept_poc_program(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    make_category()
    judges = make_judges()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    round_ = make_round(
        RoundKind.PROOF_OF_CONCEPT,
        name="Proofs",
        form=[{"key": "product", "label": "What is it called?"}],
    )
    db.session.commit()
    mine = sign_in(owner, partner)
    technical = sign_in(judges.reviewer, judges.platform)
    business = sign_in(judges.manager, judges.platform)
    finance = sign_in(judges.finance, judges.platform)
    apply = f"/partner/rounds/{round_.public_id}/application"
    assert mine.post(apply, data={"answer_product": "Tide Watch"}).status_code == 303
    application = db.session.scalars(select(Application)).one()
    address = f"/staff/applications/{application.public_id}"
    letter = {"decision": "accept", "letter": "Go ahead, {name}."}

    def advance(browser: FlaskClient, to: str) -> int:
        return browser.post(f"{address}/advance", data={"to": to}).status_code

    # Technical, then business, then finance: none is skipped, and each by its own people.
    assert advance(technical, "finance") == 409
    assert technical.post(f"{address}/decision", data=letter).status_code == 409
    assert advance(finance, "business") == 403
    assert advance(technical, "business") == 303
    assert advance(technical, "finance") == 403
    assert business.post(f"{address}/decision", data=letter).status_code == 409
    assert advance(business, "finance") == 303
    assert business.post(f"{address}/decision", data=letter).status_code == 403
    assert finance.post(f"{address}/decision", data=letter).status_code == 303

    place = db.session.scalars(select(RoundPlace)).one()
    here = f"/partner/rounds/places/{place.public_id}"
    desk = f"/staff/rounds/places/{place.public_id}"
    vague = mine.post(f"{here}/criteria", data={"title": "It is fast", "target": ""})
    assert vague.status_code == 422
    for title, target in (("Orders synced", "1,000 in a day"), ("Errors", "under 0.1%")):
        done = mine.post(f"{here}/criteria", data={"title": title, "target": target})
        assert done.status_code == 303
    criteria = db.session.scalars(select(Milestone).order_by(Milestone.position)).all()
    assert db.session.scalar(select(Listing)) is None
    for criterion in criteria:
        step = f"/staff/rounds/milestones/{criterion.public_id}/acceptance"
        assert technical.post(step, data={}).status_code == 409
        shown = mine.post(
            f"/partner/rounds/milestones/{criterion.public_id}/evidence",
            data={"evidence": "The log of a day.", "url": "https://quayside.example/log"},
        )
        assert shown.status_code == 303
        seen = seen_on(technical.get(desk).text, step)
        unclear = technical.post(step, data={"return": "1", **seen})
        assert unclear.status_code == 422
        assert technical.post(step, data={"note": "Seen.", **seen}).status_code == 303

    # All are met: the proof is promoted to a draft of a listing.
    db.session.expire_all()
    place = db.session.scalars(select(RoundPlace)).one()
    listing = db.session.scalars(select(Listing)).one()
    assert place.state is PlaceState.COMPLETED
    assert place.outcome == listing.slug
    assert listing.slug in mine.get(here).text
