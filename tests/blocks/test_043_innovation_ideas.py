"""43 Innovation Ideas: P claims an idea that customers voted for; a lapsed claim reopens.

And the demand chain: request, idea, proof, funding, listing, and the requesters are told.
"""

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from marketplace.catalogue.models import IntegrationRequest, Listing, RequestState
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role, User
from marketplace.pipeline.ideas.models import Idea, IdeaClaim, IdeaState
from marketplace.program.applications.models import Application, RoundKind, RoundPlace
from tests.conftest import SignIn
from tests.factories.forms import form_key_of
from tests.factories.listings import make_category, make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing
from tests.factories.rounds import Judges, make_judges, make_round
from tests.factories.selling import make_paid_order, make_plan


def run_all() -> None:
    jobs.add_due_ticks()
    while jobs.run_due():
        pass


def the_idea() -> Idea:
    db.session.expire_all()
    return db.session.scalars(select(Idea)).one()


def a_customer(name: str) -> tuple[Organization, User]:
    customer = make_customer(name)
    person = make_user(f"Kim {name}", f"kim@{name.lower()}.example")
    return customer, make_member(customer, Role.OWNER, person)


def ask_for(sign_in: SignIn, name: str, *people: tuple[Organization, User]) -> IntegrationRequest:
    """A request of the first, with votes of the others, over HTTP."""
    first, *others = people
    done = sign_in(first[1], first[0]).post("/requests", data={"name": name, "details": "Please."})
    assert done.status_code == 303
    request = db.session.scalars(
        select(IntegrationRequest).where(IntegrationRequest.name == name)
    ).one()
    for organization, person in others:
        voted = sign_in(person, organization).post(f"/requests/{request.id}/vote")
        assert voted.status_code == 303
    return request


def an_open_idea(
    sign_in: SignIn, judges: Judges, *requests: IntegrationRequest, title: str = "Tide feed"
) -> str:
    boss = sign_in(judges.manager, judges.platform)
    assert all(each.name in boss.get("/staff/ideas/new").text for each in requests)
    typed = {"title": title, "text": "Live tides.", "requests": [each.id for each in requests]}
    assert boss.post("/staff/ideas/new", data=typed).status_code == 303
    return the_idea().public_id


def test_an_idea_that_is_sent_again_is_proposed_once(app: Flask, sign_in: SignIn) -> None:
    customer, person = a_customer("Birch")
    browser = sign_in(person, customer)
    key = form_key_of(browser.get("/ideas/new").text)
    typed = {"title": "Tide feed", "text": "Live tides.", "form_key": key}
    for _ in range(3):
        assert browser.post("/ideas/new", data=typed).status_code == 303
    assert the_idea().state is IdeaState.PROPOSED
    # Another idea from the same page is another idea.
    browser.post("/ideas/new", data={**typed, "title": "Storm feed"})
    db.session.rollback()
    assert len(db.session.scalars(select(Idea)).all()) == 2


def test_043_innovation_ideas(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    judges = make_judges()
    first, second = make_organization("Quayside"), make_organization("Rivals")
    for partner in (first, second):
        make_standing(partner)
    owner = make_member(first, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    rival = make_member(second, Role.OWNER, make_user("Rhys Calloway", "rhys@rivals.example"))
    customers = [a_customer(name) for name in ("Birch", "Cedar", "Dogwood")]
    db.session.commit()
    request = ask_for(sign_in, "Tide tables", *customers)
    public_id = an_open_idea(sign_in, judges, request)
    mine, theirs = sign_in(owner, first), sign_in(rival, second)

    assert "Tide feed" in app.test_client().get("/ideas").text
    assert "3 people" in mine.get("/partner/ideas").text
    here = f"/partner/ideas/{public_id}"
    assert mine.post(f"{here}/claim").status_code == 303
    assert theirs.post(f"{here}/claim").status_code == 409
    assert theirs.post(f"{here}/watch").status_code == 303
    assert "Quayside builds it" in theirs.get(here).text
    claim = db.session.scalars(select(IdeaClaim)).one()
    # A claim is its partner's alone.
    report = {"text": "We read the feed of three harbors now."}
    step = f"/partner/ideas/claims/{claim.public_id}"
    assert theirs.post(f"{step}/report", data=report).status_code == 404
    before = claim.protected_until

    clock.shift(timedelta(days=40))
    try:
        mine = sign_in(owner, first)
        assert mine.post(f"{step}/report", data={"text": "Soon."}).status_code == 422
        assert mine.post(f"{step}/report", data=report).status_code == 303
        db.session.expire_all()
        assert claim.protected_until >= before + timedelta(days=40)
        run_all()
        assert the_idea().state is IdeaState.CLAIMED
        # Without a further report it lapses, reopens, and everybody concerned is told.
        clock.shift(timedelta(days=54))
        run_all()
        assert the_idea().state is IdeaState.CLAIMED
        assert any("ends soon" in each["subject"] for each in mails())
        clock.shift(timedelta(days=7))
        run_all()
        run_all()
        assert the_idea().state is IdeaState.OPEN
        told = {(each["to"], each["subject"]) for each in mails()}
        assert ("ada@quayside.example", "Your claim on “Tide feed” has ended") in told
        assert ("rhys@rivals.example", "“Tide feed” can be claimed") in told
        assert ("kim@cedar.example", "Tide feed: looking for a partner again") in told
        assert db.session.get_one(IntegrationRequest, request.id).state is RequestState.PLANNED
        theirs = sign_in(rival, second)
        assert theirs.post(f"{here}/claim").status_code == 303
        assert sign_in(owner, first).post(f"{here}/claim").status_code == 409
    finally:
        clock.shift(-timedelta(days=101))


def test_the_demand_chain_leads_from_a_request_to_a_listing_and_tells_the_requesters(
    app: Flask, sign_in: SignIn
) -> None:
    make_policy()
    make_category()
    judges = make_judges()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    customers = [a_customer(name) for name in ("Birch", "Cedar", "Dogwood")]
    sold = make_listing(make_organization("Elders"))
    for organization, _ in customers:
        make_paid_order(make_plan(sold), organization)
    proof = make_round(RoundKind.PROOF_OF_CONCEPT, name="Proofs", stages=[])
    money = make_round(name="Seed money", stages=[])
    db.session.commit()
    requests = [
        ask_for(sign_in, "Sea charts", *customers[:2]),
        ask_for(sign_in, "Harbor weather", customers[2], customers[0]),
    ]
    public_id = an_open_idea(sign_in, judges, *requests)
    mine = sign_in(owner, partner)
    boss = sign_in(judges.manager, judges.platform)
    assert "€" in boss.get("/staff/ideas").text
    file = boss.get("/staff/ideas?format=csv").text
    assert "revenue_in_minor_units" in file
    assert public_id in file

    here = f"/partner/ideas/{public_id}"
    page = mine.get(here).text
    assert "3 people" in page
    assert "in the last year" in page
    assert mine.post(f"{here}/claim").status_code == 303
    claim = db.session.scalars(select(IdeaClaim)).one()
    link = f"/partner/ideas/claims/{claim.public_id}/link"

    for kind, round_ in (("proof", proof), ("funding", money)):
        apply = f"/partner/rounds/{round_.public_id}/application"
        assert mine.post(apply, data={"answer_why": "For the idea."}).status_code == 303
        application = db.session.scalars(
            select(Application).where(Application.round_id == round_.id)
        ).one()
        letter = {"decision": "accept", "letter": "Go ahead.", "award": "500"}
        decide = f"/staff/applications/{application.public_id}/decision"
        assert boss.post(decide, data=letter).status_code == 303
        place = db.session.scalars(select(RoundPlace).where(RoundPlace.round_id == round_.id)).one()
        assert mine.post(link, data={"kind": kind, "target": place.public_id}).status_code == 303
    assert mine.post(link, data={"kind": "proof", "target": "plc_no"}).status_code == 422

    # A listing that became public since the claim fulfils the idea.
    listing = make_listing(partner, slug="tide-watch", name="Tide Watch", days_old=0)
    db.session.commit()
    strange = {"kind": "listing", "target": sold.slug}
    assert mine.post(link, data=strange).status_code == 422
    assert mine.post(link, data={"kind": "listing", "target": "tide-watch"}).status_code == 303
    assert mine.post(link, data={"kind": "listing", "target": "tide-watch"}).status_code == 409
    run_all()
    run_all()
    idea = the_idea()
    assert (idea.state, idea.listing_id) == (IdeaState.LISTED, listing.id)
    told = [each["to"] for each in mails() if "what you asked for is here" in each["subject"]]
    assert sorted(told) == ["kim@birch.example", "kim@cedar.example", "kim@dogwood.example"]
    states = db.session.scalars(select(IntegrationRequest.state)).all()
    assert set(states) == {RequestState.LISTED}
    chain = mine.get(here).text
    for step in ("Request", "Idea", "Claim", "Proof of concept", "Funding", "Listing"):
        assert step in chain
    assert "Seed money" in chain
    public = app.test_client().get(f"/ideas/{public_id}").text
    assert "Tide Watch" in public
    assert "Seed money" not in public
    assert db.session.scalar(select(Listing.slug).where(Listing.id == listing.id)) == "tide-watch"
