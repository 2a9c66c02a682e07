"""What a form sends again is made once: a page that is loaded anew, a click on a slow line."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.accreditation.courses.models import Course
from marketplace.accreditation.managed_services.models import ManagedService
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.pipeline.account_checks.models import WorkspaceNote
from marketplace.pipeline.account_checks.services import agreeing
from marketplace.pipeline.campaigns.models import Campaign
from marketplace.pipeline.deals.models import Deal
from marketplace.pipeline.ideas.models import Idea
from marketplace.pipeline.leads.models import LeadNote, LeadTask, RoutingRule
from marketplace.pipeline.leads.services.capturing import register
from marketplace.program.applications.models import Milestone, ProgramRound, RoundKind, RoundPlace
from marketplace.program.applications.services import deciding
from marketplace.program.benefits.models import BenefitClaim
from marketplace.program.contacts.models import ContactMessage, ContactRequest
from tests.factories.forms import form_key_of
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing
from tests.factories.rounds import actor_of, make_application, make_judges, make_round

BENEFITS = [{"key": "voucher", "name": "Voucher", "per_year": {"registered": 5}}]
DAY = date(2030, 1, 1)


class Scene:
    """A partner of the program with its owner, and a program manager."""

    def __init__(self) -> None:
        make_policy(benefits=BENEFITS)
        self.judges = make_judges()
        self.partner: Organization = make_organization("Quayside")
        make_standing(self.partner)
        self.owner: User = make_member(self.partner, user=make_user("Ada", "ada@quayside.example"))


@pytest.fixture
def scene(app: Any) -> Scene:
    return Scene()


def _count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def _send(browser: Any, form: str, data: dict[str, Any], to: str = "") -> None:
    """Send what the form on a page sends, three times."""
    key = form_key_of(browser.get(form).text)
    for _ in range(3):
        sent = browser.post(to or form.partition("?")[0], data={**data, "form_key": key})
        assert sent.status_code == 303, sent.text


def test_a_benefit_is_claimed_once(scene: Scene, sign_in: Any) -> None:
    browser = sign_in(scene.owner, scene.partner)
    _send(browser, "/partner/benefits", {"note": "In May"}, "/partner/benefits/voucher/claim")
    assert _count(BenefitClaim) == 1
    # Whoever loads the page anew claims another one.
    _send(browser, "/partner/benefits", {"note": "In May"}, "/partner/benefits/voucher/claim")
    assert _count(BenefitClaim) == 2


def test_a_campaign_is_asked_for_once(scene: Scene, sign_in: Any) -> None:
    day = clock.now().date() + timedelta(days=9)
    data = {
        "title": "Spring", "goal": "Ten leads.", "headline": "Set sail", "pitch": "With us.",
        "starts_on": str(day), "ends_on": str(day), "currency": "EUR",
        "partner_share": "100", "asked_share": "0",
    }  # fmt: skip
    _send(sign_in(scene.owner, scene.partner), "/partner/campaigns/new", data)
    assert _count(Campaign) == 1


def test_a_meeting_is_asked_for_once_and_an_answer_said_once(scene: Scene, sign_in: Any) -> None:
    browser = sign_in(scene.owner, scene.partner)
    at = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT10:00")
    data = {"subject": "Plans", "body": "Let us talk.", "minutes": "30", "first": at}
    _send(browser, "/partner/contacts/partner_manager/meeting", data)
    assert _count(ContactRequest) == 1
    told = len(mails())
    asked = db.session.scalars(select(ContactRequest)).one()
    page = f"/partner/contacts/requests/{asked.public_id}"
    _send(browser, page, {"body": "And the budget."}, f"{page}/reply")
    words = [row.body for row in db.session.scalars(select(ContactMessage))]
    assert words.count("And the budget.") == 1
    assert len(mails()) == told + 1


def test_a_visitor_writes_once(scene: Scene, client: Any) -> None:
    data = {
        "where": "c:DK", "name": "Bo", "email": "bo@birch.example", "subject": "Hello",
        "body": "Who are you?",
    }  # fmt: skip
    _send(client, "/contact?where=c:DK", data)
    assert _count(ContactRequest) == 1


def test_notes_and_tasks_of_a_lead_are_written_once(scene: Scene, sign_in: Any) -> None:
    lead = register(
        {"name": "Bo", "email": "bo@birch.example", "company": "Birch", "need": "Tides."},
        organization=scene.partner,
        by_user_id=scene.owner.id,
    )
    page = f"/partner/leads/{lead.public_id}"
    db.session.commit()
    browser = sign_in(scene.owner, scene.partner)
    _send(browser, page, {"body": "Likes tea."}, f"{page}/notes")
    _send(browser, page, {"title": "Call"}, f"{page}/tasks")
    assert (_count(LeadNote), _count(LeadTask)) == (1, 1)


def test_a_workspace_and_a_managed_service_take_it_once(scene: Scene, sign_in: Any) -> None:
    other = make_organization("Kitewell")
    make_standing(other)
    check = agreeing.invite(other, scene.partner, "names", "", by_user_id=None)
    agreeing.accept(check.id, by_user_id=None)
    page = f"/partner/account-checks/{check.public_id}/workspace"
    db.session.commit()
    browser = sign_in(scene.owner, scene.partner)
    _send(browser, page, {"body": "Shall we call?"})
    assert _count(WorkspaceNote) == 1
    service = {
        "title": "Night watch", "description": "We watch it.", "hours": "Every day",
        "response_minutes": "30", "availability": "99.5",
    }  # fmt: skip
    _send(browser, "/partner/managed-services/new", service)
    assert _count(ManagedService) == 1


def test_a_second_click_on_register_leads_to_the_deal(scene: Scene, sign_in: Any) -> None:
    browser = sign_in(scene.owner, scene.partner)
    data = {
        "title": "Office", "customer_name": "Blue Kite", "customer": "bluekite.example",
        "product": "Tides", "currency": "EUR", "amount": "1000",
    }  # fmt: skip
    places = {browser.post("/partner/deals/register", data=data).location for _ in range(3)}
    assert _count(Deal) == 1
    deal = db.session.scalars(select(Deal)).one()
    assert places == {f"/partner/deals/{deal.public_id}"}
    other = browser.post("/partner/deals/register", data={**data, "title": "Again"})
    assert other.status_code == 422
    assert f'href="/partner/deals/{deal.public_id}"' in other.text


@pytest.mark.parametrize(
    ("path", "data", "model"),
    [
        ("/staff/courses/new", {"title": "Tides"}, Course),
        ("/staff/ideas/new", {"title": "Sea charts", "text": "Many ask for them."}, Idea),
        ("/staff/leads/rules/new", {"name": "All", "method": "round_robin"}, RoutingRule),
        (
            "/staff/rounds/new?kind=grant",
            {
                "kind": "grant", "name": "Field data", "opens_on": str(DAY),
                "closes_on": str(DAY), "budget": "5000", "currency": "EUR",
            },
            ProgramRound,
        ),
    ],
)  # fmt: skip
def test_staff_draft_once(
    scene: Scene, sign_in: Any, path: str, data: dict[str, Any], model: Any
) -> None:
    _send(sign_in(scene.judges.manager), path, data)
    assert _count(model) == 1


def test_a_milestone_is_set_once(scene: Scene, sign_in: Any) -> None:
    round_ = make_round(RoundKind.GRANT, stages=[])
    application = make_application(round_, scene.partner, scene.owner)
    actor = actor_of(scene.judges.manager, scene.judges.platform, "program_manager")
    deciding.accept(application, "Yes.", actor=actor, award=60_000)
    place = db.session.scalars(select(RoundPlace)).one()
    page = f"/staff/rounds/places/{place.public_id}"
    db.session.commit()
    browser = sign_in(scene.judges.manager)
    _send(browser, page, {"title": "Beta", "amount": "300"}, f"{page}/milestones")
    assert _count(Milestone) == 1
