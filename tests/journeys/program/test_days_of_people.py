"""Days that people type are days where they are."""

import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.accreditation.courses.models import TrainingSession
from marketplace.accreditation.courses.services import training
from marketplace.accreditation.managed_services.models import ServiceEvidence
from marketplace.accreditation.managed_services.services import accept, save_service
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.pipeline.campaigns.models import CampaignExpense
from marketplace.program.measures import Measurement
from tests.factories.campaigns import make_campaign
from tests.factories.courses import make_course, pass_course
from tests.factories.people import make_member, make_organization, make_user

PDF = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << >>\n%%EOF\n"


@pytest.fixture(params=["Pacific/Auckland", "America/Los_Angeles"])
def zone(app: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """A zone at an hour at which its day is another one than UTC's."""
    hour = 20 if request.param == "Pacific/Auckland" else 3
    with clock.frozen(clock.now().replace(hour=hour, minute=0)):
        yield request.param


@pytest.fixture
def partner(app: Any) -> Organization:
    return make_organization("Quayside")


@pytest.fixture
def owner(zone: str, partner: Organization) -> User:
    person = make_user("Ada")
    person.timezone = zone
    return make_member(partner, user=person)


def _day_of(page: str, name: str) -> str:
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert tag is not None
    found = re.search(r'value="([^"]*)"', tag[0])
    assert found is not None
    return found[1]


def _count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def _here(zone: str) -> date:
    here = clock.today_in(zone)
    assert here != clock.now().date()
    return here


def test_an_expense_is_of_a_day_here(
    zone: str, partner: Organization, owner: User, sign_in: Any
) -> None:
    campaign = make_campaign(partner)
    db.session.commit()
    browser, here = sign_in(owner, partner), _here(zone)
    page = f"/partner/campaigns/{campaign.public_id}"
    assert _day_of(browser.get(page).text, "spent_on") == str(here)
    data = {"amount": "10", "what": "Posters", "form_id": "one"}
    tomorrow = str(here + timedelta(days=1))
    late = browser.post(f"{page}/expenses", data={**data, "spent_on": tomorrow})
    assert late.status_code == 422
    made = browser.post(f"{page}/expenses", data={**data, "spent_on": str(here)})
    assert made.status_code == 303
    assert _count(CampaignExpense) == 1


def test_a_training_was_held_on_a_day_here(
    zone: str, partner: Organization, owner: User, sign_in: Any
) -> None:
    with clock.frozen(clock.now() - timedelta(days=3)):
        pass_course(make_course(is_trainer=True), owner, partner)
    trainer = training.register_trainer(partner.id, owner.id, by_user_id=None)
    db.session.commit()
    browser, here = sign_in(owner, partner), _here(zone)
    page = "/partner/courses/sessions/new"
    assert _day_of(browser.get(page).text, "held_on") == str(here)
    data = {"trainer": trainer.public_id, "title": "First steps", "people": "3", "nonce": "one"}
    tomorrow = str(here + timedelta(days=1))
    assert browser.post(page, data={**data, "held_on": tomorrow}).status_code == 422
    assert browser.post(page, data={**data, "held_on": str(here)}).status_code == 303
    assert _count(TrainingSession) == 1
    # It counts at once, also where the day began before it did in UTC.
    counted = db.session.scalars(
        select(Measurement.counts_at).where(Measurement.measure == "training_sessions")
    ).one()
    assert counted <= clock.now()


def test_evidence_is_of_a_day_here(
    zone: str, partner: Organization, owner: User, sign_in: Any
) -> None:
    service = save_service(
        partner,
        None,
        title="Night watch",
        description="We watch it.",
        hours="Every day",
        response_minutes=30,
        availability_bps=9_950,
        by_user_id=owner.id,
    )
    page = f"/partner/managed-services/{service.public_id}"
    db.session.commit()
    browser, here = sign_in(owner, partner), _here(zone)

    def hand_in(day: date) -> int:
        sent = browser.post(
            f"{page}/evidence",
            data={"kind": "audit", "dated_on": str(day), "file": (io.BytesIO(PDF), "a.pdf")},
        )
        return int(sent.status_code)

    assert hand_in(here + timedelta(days=1)) == 422
    assert hand_in(here) == 303
    assert _count(ServiceEvidence) == 1
    accept(db.session.scalars(select(ServiceEvidence)).one(), by_user_id=None)
    counted = db.session.scalars(
        select(Measurement.counts_at).where(Measurement.measure == "evidence")
    ).one()
    assert counted <= clock.now()
    db.session.commit()
    assert browser.get(page).status_code == 200
