"""Leads in the database: duplicates, routing, races, merging, forgetting."""

from datetime import timedelta

import pytest
from flask import Flask

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from marketplace.pipeline.deals.services.registering import register_deal
from marketplace.pipeline.deals.terms import DealTerms
from marketplace.pipeline.leads.jobs import forget, pass_on
from marketplace.pipeline.leads.models import (
    Lead,
    LeadEvent,
    LeadNote,
    LeadOffer,
    LeadStage,
    LeadState,
    OfferState,
    Review,
    RoutingRule,
)
from marketplace.pipeline.leads.queries import LeadFilter, page_of_all
from marketplace.pipeline.leads.services import offering, reviewing, working
from marketplace.pipeline.leads.services.capturing import capture, register
from marketplace.program.measures import Measure, Measurement
from marketplace.program.standing.models import Standing, StandingState
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy, make_standing
from tests.factories.races import at_once


def _partner(name: str = "Quayside", tier: str = "registered") -> Organization:
    partner = make_organization(name)
    make_member(partner)
    make_standing(partner, tier)
    return partner


def _rule(**fields: object) -> RoutingRule:
    values: dict[str, object] = {
        "public_id": new_public_id("lrr"), "name": "All", "position": 1, "countries": [],
        "categories": [], "partner_types": [], "weights": {}, **fields,
    }  # fmt: skip
    rule = RoutingRule(**values)
    db.session.add(rule)
    db.session.flush()
    return rule


def _brief(email: str = "ada@bluekite.example", **fields: object) -> Lead:
    values: dict[str, object] = {
        "source": "directory", "name": "Ada Okafor", "email": email, "need": "Tide tables",
        "consent": True, **fields,
    }  # fmt: skip
    return capture(**values)  # type: ignore[arg-type]  # fields of the table above


def _counted(measure: Measure) -> dict[int, int]:
    found: dict[int, int] = {}
    for row in db.session.query(Measurement).filter_by(measure=measure.value):
        found[row.organization_id] = found.get(row.organization_id, 0) + row.amount
    return {each: amount for each, amount in found.items() if amount}


def test_without_consent_nothing_is_kept(app: Flask) -> None:
    with pytest.raises(InvalidError) as raised:
        _brief(consent=False, name="")
    assert set(raised.value.fields) == {"consent", "name"}
    assert db.session.query(Lead).count() == 0


def test_the_same_brief_twice_is_one_lead_and_one_mail(app: Flask) -> None:
    make_policy()
    _partner()
    _rule()
    assert _brief().id == _brief(email="ADA+x@bluekite.example").id
    assert _brief(need="Something else").id != _brief().id
    assert db.session.query(LeadOffer).count() == 2
    assert sum(mail["subject"] == "We have your request" for mail in mails()) == 2


def test_of_two_briefs_or_registrations_at_once_one_is_new(app: Flask) -> None:
    make_policy()
    ids = [_partner(name).id for name in ("First", "Second")]
    db.session.commit()
    values = {"name": "Ada", "email": "a@kite.example", "company": "Kite", "need": "Tides"}

    def send() -> None:
        with unit_of_work():
            _brief()

    def found(organization_id: int) -> None:
        with unit_of_work():
            organization = db.session.get_one(Organization, organization_id)
            register(values, organization=organization, by_user_id=None)

    for acts in ([send, send], [lambda each=each: found(each) for each in ids]):
        raised = at_once(app, acts)  # type: ignore[arg-type]  # lambdas with a bound value
        assert [error for error in raised if "locked" not in str(error)] == []
    db.session.rollback()
    rows = db.session.query(Lead).filter_by(email_key="a@kite.example").all()
    assert sum(row.duplicate_of_id is None for row in rows) == 1
    assert db.session.query(Lead).filter_by(email_key="ada@bluekite.example").count() == 1


def test_suspended_partners_and_those_outside_the_program_are_offered_nothing(app: Flask) -> None:
    make_policy()
    make_organization("Outside")
    gone = _partner("Gone")
    gone.suspended_at = clock.now()
    make_standing(make_organization("Left"), state="ended")
    make_standing(make_organization("Kitewell", partner_type="affiliate"))
    _rule(partner_types=["technology"])
    lead = _brief()
    assert (lead.state, lead.offers) == (LeadState.UNPLACED, [])


def test_who_has_left_the_program_gets_no_lead_by_any_way(app: Flask) -> None:
    make_policy()
    gone, other = make_organization("Gone"), _partner("Other")
    make_standing(gone, state="lapsed")
    assert _brief(partner_id=gone.id).offers == []
    lead = _brief(email="bo@birch.example", partner_id=other.id)
    with pytest.raises(ConflictError):
        reviewing.reassign(lead.id, gone, by_user_id=None)
    # Nor does it accept what it was offered before it left.
    standing = db.session.query(Standing).filter_by(organization_id=other.id).one()
    standing.state = StandingState.ENDED
    db.session.flush()
    with pytest.raises(ConflictError):
        offering.accept(lead.offers[0].id, by_user_id=None)
    pass_on({})
    assert (lead.offers[0].state, lead.state) == (OfferState.EXPIRED, LeadState.UNPLACED)
    assert "A lead was passed on" not in {mail["subject"] for mail in mails()}


def test_who_was_asked_for_comes_first_and_the_rules_after(app: Flask) -> None:
    make_policy()
    first, second = _partner("First"), _partner("Second")
    _rule()
    lead = _brief(partner_id=second.id)
    assert [offer.organization_id for offer in lead.offers] == [second.id]
    offering.decline(lead.offers[0].id, "No time", by_user_id=None)
    db.session.expire_all()
    assert [offer.organization_id for offer in lead.offers] == [second.id, first.id]
    offering.decline(lead.offers[1].id, "No time either", by_user_id=None)
    db.session.expire_all()
    assert lead.state is LeadState.UNPLACED
    assert len(lead.offers) == 2


def test_leads_go_round_by_weight_and_capacity(app: Flask) -> None:
    make_policy()
    silver, gold = _partner("Silver", "silver"), _partner("Gold", "gold")
    _rule(method="weighted", weights={"gold": 2}, capacity=4, least_tier="silver")
    got = [
        _brief(email=f"x{number}@c{number}.example").offers[0].organization_id
        for number in range(6)
    ]
    assert (got.count(gold.id), got.count(silver.id)) == (4, 2)


def test_two_who_accept_at_once_accept_once(app: Flask) -> None:
    make_policy()
    partner = _partner()
    _rule()
    offer_id = _brief().offers[0].id
    db.session.commit()

    def accept() -> None:
        with unit_of_work():
            offering.accept(offer_id, by_user_id=None)

    raised = at_once(app, [accept] * 4)
    assert [error for error in raised if "locked" not in str(error)] == []
    db.session.rollback()
    assert _counted(Measure.LEADS_ACCEPTED) == {partner.id: 1}


def test_an_offer_is_accepted_or_passed_on_but_not_both(app: Flask) -> None:
    make_policy()
    _partner("First"), _partner("Second")
    _rule()
    lead = _brief()
    offer_id, lead_id = lead.offers[0].id, lead.id
    db.session.commit()
    clock.shift(timedelta(hours=49))
    try:
        with pytest.raises(ConflictError):
            offering.accept(offer_id, by_user_id=None)
        db.session.rollback()
        pass_on({})
        pass_on({})
        db.session.commit()
    finally:
        clock.shift(-timedelta(hours=49))
    states = [
        row.state
        for row in db.session.query(LeadOffer).filter_by(lead_id=lead_id).order_by(LeadOffer.id)
    ]
    assert states == [OfferState.EXPIRED, OfferState.OPEN]


def test_a_duplicate_never_counts_until_it_is_cleared(app: Flask) -> None:
    make_policy()
    partner = _partner()
    values = {
        "name": "Ada", "email": "ada@bluekite.example", "company": "Blue Kite", "need": "Tides",
    }  # fmt: skip
    first = register(values, organization=partner, by_user_id=None)
    second = register(
        {**values, "email": "bo@bluekite.example"}, organization=partner, by_user_id=None
    )
    assert (first.duplicate_of_id, second.duplicate_of_id) == (None, first.id)
    reviewing.review(first.id, Review.QUALIFIED, by_user_id=None)
    reviewing.review(first.id, Review.QUALIFIED, by_user_id=None)
    with pytest.raises(ConflictError):
        reviewing.review(second.id, Review.QUALIFIED, by_user_id=None)
    assert _counted(Measure.LEADS_QUALIFIED) == {partner.id: 1}
    reviewing.clear_duplicate(second.id, by_user_id=None)
    reviewing.review(second.id, Review.QUALIFIED, by_user_id=None)
    assert _counted(Measure.LEADS_QUALIFIED) == {partner.id: 2}
    reviewing.merge(second.id, first.id, by_user_id=None)
    assert _counted(Measure.LEADS_QUALIFIED) == {partner.id: 1}
    with pytest.raises(ConflictError):
        reviewing.merge(first.id, second.id, by_user_id=None)
    # A rejected lead takes nobody's place.
    reviewing.review(first.id, Review.REJECTED, "Closed", by_user_id=None)
    assert _counted(Measure.LEADS_QUALIFIED) == {}


def test_a_qualified_lead_counts_for_whoever_has_it(app: Flask) -> None:
    make_policy()
    first, second = _partner("First"), _partner("Second")
    _rule()
    lead = _brief(partner_id=first.id)
    offering.accept(lead.offers[0].id, by_user_id=None)
    working.move(lead, "proposal", by_user_id=None)
    reviewing.review(lead.id, Review.QUALIFIED, by_user_id=None)
    assert _counted(Measure.LEADS_QUALIFIED) == {first.id: 1}
    reviewing.reassign(lead.id, second, by_user_id=None, directly=True)
    assert _counted(Measure.LEADS_QUALIFIED) == {second.id: 1}
    assert (lead.owner_id, lead.stage) == (second.id, LeadStage.NEW)
    with pytest.raises(ConflictError):
        reviewing.reassign(lead.id, second, by_user_id=None)


def test_a_lead_that_goes_to_another_partner_is_qualified_anew(app: Flask) -> None:
    make_policy()
    first, second = _partner("First"), _partner("Second")
    lead = _brief(partner_id=first.id)
    offering.accept(lead.offers[0].id, by_user_id=None)
    reviewing.review(lead.id, Review.QUALIFIED, by_user_id=None)
    reviewing.reassign(lead.id, second, by_user_id=None)
    assert _counted(Measure.LEADS_QUALIFIED) == {}
    db.session.expire_all()
    offering.accept(lead.offers[-1].id, by_user_id=None)
    assert lead.review is Review.PENDING
    assert page_of_all(LeadFilter(show="to_qualify"), 1).items == [lead]
    reviewing.review(lead.id, Review.QUALIFIED, by_user_id=None)
    assert _counted(Measure.LEADS_QUALIFIED) == {second.id: 1}


def test_who_agreed_to_one_partner_is_given_to_no_other(app: Flask) -> None:
    make_policy()
    first, second = _partner("First"), _partner("Second")
    values = {"name": "Ada", "email": "a@b.example", "company": "B", "need": "Tides"}
    own = register(values, organization=first, by_user_id=None)
    for partner in (second, None):
        for directly in (False, True):
            with pytest.raises(ConflictError):
                reviewing.reassign(own.id, partner, by_user_id=None, directly=directly)
    assert own.owner_id == first.id
    assert mails() == []


def test_the_customer_is_told_to_whom_staff_gave_the_request(app: Flask) -> None:
    make_policy()
    first, second = _partner("First"), _partner("Second")
    lead = _brief(partner_id=first.id)
    reviewing.reassign(lead.id, second, by_user_id=None, directly=True)
    told = [mail for mail in mails() if mail["to"] == "ada@bluekite.example"]
    assert told[-1]["subject"] == "Second will contact you"


def test_what_was_closed_by_mistake_is_opened_again(app: Flask) -> None:
    make_policy()
    first = _partner("First")
    _rule()
    known = _brief()
    mistaken = _brief(email="bo@birch.example", need="A calendar")
    reviewing.merge(mistaken.id, known.id, by_user_id=None)
    assert mistaken.state is LeadState.CLOSED
    with pytest.raises(ConflictError):
        reviewing.reopen(mistaken.id, by_user_id=None)
    reviewing.clear_duplicate(mistaken.id, by_user_id=None)
    # The only partner was asked already: staff see that nobody has it.
    assert mistaken.state is LeadState.UNPLACED
    second = _partner("Second")
    reviewing.close(mistaken.id, "Spam", by_user_id=None)
    reviewing.reopen(mistaken.id, by_user_id=None)
    db.session.expire_all()
    assert (mistaken.state, mistaken.review) == (LeadState.OFFERED, Review.PENDING)
    assert mistaken.offers[-1].organization_id == second.id
    # Who had it has it again.
    offering.accept(known.offers[0].id, by_user_id=None)
    reviewing.close(known.id, "Spam", by_user_id=None)
    reviewing.reopen(known.id, by_user_id=None)
    assert (known.state, known.owner_id) == (LeadState.ACCEPTED, first.id)
    reviewing.close(known.id, "Spam", by_user_id=None)
    reviewing.erase(known.id, by_user_id=None)
    with pytest.raises(ConflictError):
        reviewing.reopen(known.id, by_user_id=None)


def test_losing_a_lead_needs_a_reason(app: Flask) -> None:
    make_policy()
    partner = _partner()
    values = {"name": "Ada", "email": "a@b.example", "company": "B", "need": "Tides"}
    lead = register(values, organization=partner, by_user_id=None)
    with pytest.raises(InvalidError):
        working.move(lead, "lost", by_user_id=None)
    assert working.move(lead, "lost", "Too dear", by_user_id=None)
    assert not working.move(lead, "lost", "Too dear", by_user_id=None)
    assert working.move(lead, "contacted", by_user_id=None)
    assert lead.lost_reason == ""


def test_erasing_leaves_a_number_and_nothing_of_the_person(app: Flask) -> None:
    make_policy()
    partner = _partner()
    _rule()
    lead = _brief(company="Blue Kite", website="bluekite.example", phone="1234567")
    offering.accept(lead.offers[0].id, by_user_id=None)
    working.add_note(lead, "Ada likes tea", organization_id=partner.id, by_user_id=None)
    reviewing.erase(lead.id, by_user_id=None)
    reviewing.erase(lead.id, by_user_id=None)
    told = "|".join(str(getattr(lead, column.name)) for column in Lead.__table__.columns)
    assert not any(word in told for word in ("Ada", "Okafor", "luekite", "Tide", "1234567"))
    assert db.session.query(LeadNote).count() == 0
    assert lead.owner_id == partner.id
    assert _brief().duplicate_of_id is None


def test_erasing_reaches_the_deal_and_what_was_typed_as_a_reason(app: Flask) -> None:
    make_policy()
    first, second = _partner("First"), _partner("Second")
    _rule()
    lead = _brief(company="Blue Kite", website="bluekite.example", partner_id=first.id)
    offering.decline(lead.offers[0].id, "Ada owes us money", by_user_id=None)
    db.session.expire_all()
    offering.accept(lead.offers[1].id, by_user_id=None)
    deal = register_deal(
        DealTerms(
            title="Blue Kite", customer_name="Ada Okafor", customer="bluekite.example",
            amount=100, currency="EUR", product="Tides", description=lead.need,
        ),
        organization=second, by_user_id=None, lead=lead,
    )  # fmt: skip
    reviewing.close(lead.id, "Ada is no customer", by_user_id=None)
    reviewing.erase(lead.id, by_user_id=None)
    rows = [deal, lead, *lead.offers, *db.session.query(LeadEvent)]
    told = "|".join(
        str(getattr(row, column.name)) for row in rows for column in row.__table__.columns
    )
    assert not any(word in told for word in ("Ada", "Okafor", "Blue Kite", "Tide tables"))
    assert (deal.title, deal.customer_domain) == ("bluekite.example", "bluekite.example")


def test_people_are_forgotten_after_two_years_of_silence(app: Flask) -> None:
    make_policy()
    old, fresh = _brief(), _brief(email="bo@birch.example")
    old.touched_at = clock.now() - reviewing.KEEP_FOR - timedelta(days=1)
    db.session.flush()
    forget({})
    assert old.erased_at is not None
    assert fresh.erased_at is None
