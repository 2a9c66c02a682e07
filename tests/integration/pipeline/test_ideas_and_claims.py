"""Ideas in the database: the demand behind them, claims at once, and telling who asked, once."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.models import Order
from marketplace.catalogue.events import listing_decided
from marketplace.catalogue.models import Listing, RequestState, RequestVote
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, User
from marketplace.pipeline.ideas.demand import demand_of
from marketplace.pipeline.ideas.models import ClaimState, Idea, IdeaClaim, IdeaState, LinkKind
from marketplace.pipeline.ideas.queries import page_of_free_requests
from marketplace.pipeline.ideas.services import claiming, fulfilling, writing
from tests.factories.ideas import make_idea, make_request
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
    make_user,
)
from tests.factories.program import make_policy
from tests.factories.races import at_once
from tests.factories.rounds import actor_of
from tests.factories.selling import make_paid_order, make_plan


def a_customer(name: str) -> tuple[Organization, User]:
    organization = make_customer(name)
    return organization, make_member(
        organization, user=make_user(f"Kim {name}", f"kim@{name.lower()}.example")
    )


def a_partner(name: str) -> tuple[Organization, User]:
    organization = make_organization(name)
    return organization, make_member(
        organization, user=make_user(f"Ada {name}", f"ada@{name.lower()}.example")
    )


def test_the_demand_is_people_organizations_and_what_those_paid_in_a_year(app: Flask) -> None:
    make_policy()
    birch, cedar = a_customer("Birch"), a_customer("Cedar")
    sold = make_listing(make_organization("Elders"))
    for organization, _ in (birch, cedar):
        make_paid_order(make_plan(sold), organization)
    orders = db.session.scalars(select(Order).order_by(Order.id)).all()
    paid = [order.subtotal - order.discount_total for order in orders]
    idea = make_idea(make_request("Sea charts", birch, cedar), make_request("Weather", birch))
    found = demand_of([idea.id])[idea.id]
    assert (found.voters, found.organizations) == (2, 2)
    assert found.revenue == sum(paid)
    # Two customers: a partner is not told, it would know what one of them spends.
    assert not found.may_be_told
    orders[0].refunded_total = orders[0].total
    orders[1].paid_at = clock.now() - timedelta(days=366)
    db.session.flush()
    assert demand_of([idea.id])[idea.id].revenue == 0


def test_partners_learn_a_range_of_what_foreign_customers_spend(app: Flask) -> None:
    make_policy()
    customers = [a_customer(name) for name in ("Birch", "Cedar", "Dogwood")]
    quayside, ada = a_partner("Quayside")
    idle = a_customer("Elm")
    sold = make_listing(make_organization("Elders"))
    for organization, _ in customers[:2]:
        make_paid_order(make_plan(sold), organization)
    idea = make_idea(make_request("Sea charts", *customers[:2], (quayside, ada), idle))
    # Four organizations, but two that pay.
    assert not demand_of([idea.id], for_partner=quayside.id)[idea.id].may_be_told
    make_paid_order(make_plan(sold), customers[2][0])
    idea = make_idea(make_request("Weather", *customers))
    found = demand_of([idea.id], for_partner=quayside.id)[idea.id]
    assert found.may_be_told
    low, high = found.told_range
    assert low <= found.revenue < high
    # A customer for which one of its own people works does not count.
    make_member(customers[0][0], user=ada)
    assert not demand_of([idea.id], for_partner=quayside.id)[idea.id].may_be_told


def test_whoever_votes_for_nobody_counts_for_the_customer_that_they_work_for(app: Flask) -> None:
    make_policy()
    organization, person = a_customer("Birch")
    make_paid_order(make_plan(make_listing(make_organization("Elders"))), organization)
    request = make_request("Sea charts")
    db.session.add(RequestVote(request_id=request.id, user_id=person.id))
    db.session.flush()
    idea = make_idea(request)
    found = demand_of([idea.id])[idea.id]
    assert (found.voters, found.organizations) == (1, 1)
    assert found.revenue > 0


def test_what_has_no_rate_is_left_out_and_said(app: Flask) -> None:
    make_policy(rates={"USD": 500_000})
    birch = a_customer("Birch")
    make_paid_order(make_plan(make_listing(make_organization("Elders"))), birch[0])
    order = db.session.scalars(select(Order)).one()
    idea = make_idea(make_request("Sea charts", birch))
    order.currency = "USD"
    db.session.flush()
    net = order.subtotal - order.discount_total
    assert demand_of([idea.id])[idea.id].revenue == (net + 1) // 2
    order.currency = "SEK"
    db.session.flush()
    found = demand_of([idea.id])[idea.id]
    assert (found.revenue, found.left_out) == (0, ("SEK",))


def test_a_request_stands_behind_one_idea(app: Flask) -> None:
    request = make_request("Sea charts", a_customer("Birch"))
    make_idea(request)
    assert request.state is RequestState.PLANNED
    with pytest.raises(InvalidError):
        make_idea(request)


def test_two_partners_who_claim_at_once_get_one_claim(app: Flask) -> None:
    idea = make_idea(make_request("Sea charts", a_customer("Birch")))
    partners = [a_partner("Quayside"), a_partner("Rivals")]
    actors = [actor_of(person, organization) for organization, person in partners]
    db.session.commit()
    idea_id = idea.id

    def claim(number: int) -> None:
        with unit_of_work():
            claiming.claim(db.session.get_one(Idea, idea_id), actor=actors[number])

    raised = at_once(app, [lambda: claim(0), lambda: claim(1)])
    assert len(raised) == 1
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(IdeaClaim)) == 1


def test_a_partner_builds_so_many_ideas_at_once_and_no_more(app: Flask) -> None:
    organization, person = a_partner("Quayside")
    actor = actor_of(person, organization)
    platform = make_platform()
    staff = actor_of(make_member(platform), platform)
    claims = [
        claiming.claim(writing.make_of_requests(f"Idea {number}", "", [], actor=staff), actor=actor)
        for number in range(claiming.MOST_CLAIMS)
    ]
    another = writing.make_of_requests("One more", "", [], actor=staff)
    with pytest.raises(ConflictError):
        claiming.claim(another, actor=actor)
    claiming.release(claims[0], actor=actor)
    assert claiming.claim(another, actor=actor).state is ClaimState.ACTIVE


def test_a_draft_fulfils_its_idea_when_it_is_published_and_everybody_is_told_once(
    app: Flask,
) -> None:
    birch, cedar = a_customer("Birch"), a_customer("Cedar")
    request = make_request("Sea charts", birch, cedar)
    idea = make_idea(request)
    organization, person = a_partner("Quayside")
    actor = actor_of(person, organization)
    writing.vote(idea, actor=actor_of(birch[1], birch[0]))
    claim = claiming.claim(idea, actor=actor)
    draft = Listing(
        slug="tide-watch", publisher_id=organization.id, name="Tide Watch", kind="app", content={}
    )
    db.session.add(draft)
    db.session.flush()
    fulfilling.link(claim, LinkKind.LISTING, "tide-watch", actor=actor)
    assert idea.state is IdeaState.CLAIMED
    assert request.state is RequestState.BUILDING
    # Sent back: nothing is told.
    listing_decided(draft, approved=False)
    assert idea.state is IdeaState.CLAIMED
    make_listing(organization, slug="other")
    draft.published_at = clock.now()
    db.session.flush()
    for _ in range(2):
        listing_decided(draft, approved=True)
    db.session.commit()
    while jobs.run_due():
        pass
    db.session.expire_all()
    assert idea.state is IdeaState.LISTED
    assert request.listing_id == draft.id
    assert claim.state is ClaimState.FULFILLED
    told = sorted(each["to"] for each in mails() if "is here" in each["subject"])
    assert told == ["kim@birch.example", "kim@cedar.example"]
    assert fulfilling.tell_listed(idea.id) == 0


def test_anothers_listing_fulfils_nothing(app: Flask) -> None:
    idea = make_idea(make_request("Sea charts", a_customer("Birch")))
    organization, person = a_partner("Quayside")
    claiming.claim(idea, actor=actor_of(person, organization))
    foreign = make_listing(make_organization("Rivals"))
    assert not fulfilling.fulfil(idea.id, foreign)
    assert idea.state is IdeaState.CLAIMED


def test_a_lapse_tells_everybody_concerned_once(app: Flask) -> None:
    birch = a_customer("Birch")
    idea = make_idea(make_request("Sea charts", birch))
    organization, person = a_partner("Quayside")
    rivals, rival = a_partner("Rivals")
    claim = claiming.claim(idea, actor=actor_of(person, organization))
    claiming.watch(idea, actor=actor_of(rival, rivals))
    assert not claiming.lapse(claim.id)
    with clock.frozen(claim.protected_until + timedelta(seconds=1)):
        assert claiming.lapse(claim.id)
        assert not claiming.lapse(claim.id)
    told = sorted(each["to"] for each in mails())
    assert told == ["ada@quayside.example", "ada@rivals.example", "kim@birch.example"]
    assert idea.state is IdeaState.OPEN


def test_a_proposal_is_seen_by_nobody_before_the_staff_looked(app: Flask) -> None:
    customer, person = a_customer("Birch")
    actor = actor_of(person, customer)
    for title in ("", "ab", "x" * 121):
        with pytest.raises(InvalidError):
            writing.propose(title, "", actor=actor)
    idea = writing.propose("Tide feed", "Please.", actor=actor)
    assert not writing.is_shown(idea)
    with pytest.raises(ConflictError):
        writing.vote(idea, actor=actor)
    writing.publish(idea, actor=actor)
    assert writing.vote(idea, actor=actor)
    assert not writing.vote(idea, actor=actor)
    assert idea.vote_count == 1
    with pytest.raises(InvalidError):
        writing.decline(idea, "", actor=actor)
    writing.decline(idea, "It is there already.", actor=actor)
    with pytest.raises(ConflictError):
        writing.vote(idea, actor=actor)


def test_a_declined_idea_sets_its_requests_free_and_its_proposer_is_told_why(app: Flask) -> None:
    customer, person = a_customer("Birch")
    platform = make_platform()
    staff = actor_of(make_member(platform), platform)
    request = make_request("Sea charts", (customer, person))
    idea = make_idea(request)
    assert request.state is RequestState.PLANNED
    writing.decline(idea, "Too narrow.", actor=staff)
    assert request.state is RequestState.OPEN
    assert page_of_free_requests("", 1).items == [request]
    assert make_idea(request).state is IdeaState.OPEN
    for decide, said in (
        (lambda idea: writing.publish(idea, actor=staff), "is shown"),
        (lambda idea: writing.decline(idea, "Somebody does it.", actor=staff), "was declined"),
    ):
        decide(writing.propose("Tide feed", "Please.", actor=actor_of(person, customer)))
        told = [each for each in mails() if each["to"] == "kim@birch.example"]
        assert said in told[-1]["subject"]
    assert "Somebody does it." in told[-1]["body"]


def test_a_listing_from_before_the_claim_waits_for_staff_who_can_undo_it(app: Flask) -> None:
    birch = a_customer("Birch")
    request = make_request("Sea charts", birch)
    idea = make_idea(request)
    organization, person = a_partner("Quayside")
    platform = make_platform()
    staff = actor_of(make_member(platform), platform)
    old = make_listing(organization, slug="old")
    old.published_at = clock.now() - timedelta(days=400)
    claim = claiming.claim(idea, actor=actor_of(person, organization))
    fulfilling.link(claim, LinkKind.LISTING, "old", actor=actor_of(person, organization))
    # An update of it is no news either.
    listing_decided(old, approved=True)
    assert idea.state is IdeaState.CLAIMED
    assert fulfilling.waiting_listing(idea) is old
    fulfilling.confirm(idea, actor=staff)
    assert (idea.state, request.state) == (IdeaState.LISTED, RequestState.LISTED)
    fulfilling.take_back(idea, actor=staff)
    assert (idea.state, idea.listing_id, idea.told_at) == (IdeaState.OPEN, None, None)
    assert (request.state, request.listing_id) == (RequestState.PLANNED, None)
    # Another one fulfils it, and everybody is told of that.
    rivals, rival = a_partner("Rivals")
    again = claiming.claim(idea, actor=actor_of(rival, rivals))
    new = make_listing(rivals, slug="new")
    new.published_at = clock.now() + timedelta(seconds=1)
    fulfilling.link(again, LinkKind.LISTING, "new", actor=actor_of(rival, rivals))
    assert (idea.state, idea.listing_id) == (IdeaState.LISTED, new.id)
