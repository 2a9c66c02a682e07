"""Deals in the database: claims, conflicts, expiry, races, credit."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.seen import ChangedMeanwhileError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role
from marketplace.pipeline.deals.claims import Share
from marketplace.pipeline.deals.jobs import expire
from marketplace.pipeline.deals.models import (
    CreditKind,
    CreditSplit,
    Deal,
    DealClaim,
    DealStage,
    DealState,
)
from marketplace.pipeline.deals.queries import (
    DealFilter,
    Period,
    credit_totals,
    page_of_all,
)
from marketplace.pipeline.deals.seen import seen_of
from marketplace.pipeline.deals.services import registering, splitting, working
from marketplace.pipeline.deals.services.registering import (
    RegisteredAlreadyError,
    register_deal,
)
from marketplace.pipeline.deals.terms import DealTerms
from marketplace.program.measures import Measurement
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.races import at_once

S, A = CreditKind.SOURCED, CreditKind.ASSISTED


@contextmanager
def moved(by: timedelta) -> Iterator[None]:
    """Later, for as long as the block lasts."""
    clock.shift(by)
    try:
        yield
    finally:
        clock.shift(-by)


def _terms(**fields: object) -> DealTerms:
    values: dict[str, object] = {
        "title": "Harbor office", "customer_name": "Blue Kite", "customer": "bluekite.example",
        "amount": 100_000, "currency": "EUR", "product": "Tide Tables", **fields,
    }  # fmt: skip
    return DealTerms(**values)  # type: ignore[arg-type]  # fields of the table above


def _register(partner: Organization, **fields: object) -> Deal:
    return register_deal(_terms(**fields), organization=partner, by_user_id=None)


def _won(partner: Organization, amount: int = 100_000) -> Deal:
    deal = _register(partner, amount=amount)
    registering.approve(deal.id, by_user_id=None)
    working.move(deal.id, working.Move("won"), by_user_id=None)
    return deal


def test_whoever_registers_first_has_the_customer(app: Flask) -> None:
    first, second = make_organization("First"), make_organization("Second")
    deal = _register(first)
    rival = _register(second, customer="https://WWW.bluekite.example/x", product="tide tables")
    assert (deal.state, rival.state) == (DealState.SUBMITTED, DealState.CONFLICT)
    assert _register(second, product="Another").state is DealState.SUBMITTED
    assert _register(first) is deal  # a second click
    with pytest.raises(RegisteredAlreadyError) as again:
        _register(first, title="Once more")
    assert again.value.deal is deal
    with pytest.raises(ConflictError):
        registering.approve(rival.id, by_user_id=None)
    registering.approve(deal.id, by_user_id=None)
    claim = db.session.query(DealClaim).filter_by(deal_id=deal.id).one()
    assert claim.protected_until == deal.decided_at + timedelta(days=90)


def test_of_two_registrations_at_once_one_wins(app: Flask) -> None:
    partners = [make_organization(f"Partner {number}") for number in range(3)]
    db.session.commit()
    ids = [partner.id for partner in partners]

    def register(organization_id: int) -> None:
        with unit_of_work():
            _register(db.session.get_one(Organization, organization_id))

    raised = at_once(app, [lambda each=each: register(each) for each in ids])
    assert [error for error in raised if "locked" not in str(error)] == []
    db.session.rollback()
    states = [deal.state for deal in db.session.query(Deal)]
    assert states.count(DealState.SUBMITTED) == 1
    assert len(states) + len(raised) == 3
    assert db.session.query(DealClaim).count() == 1


@pytest.mark.parametrize(
    ("customer", "words"),
    [("co.uk", "Many have a domain"), ("www.first.example", "This is your own domain")],
)
def test_some_domains_are_no_customer(app: Flask, customer: str, words: str) -> None:
    partner = make_organization("First")
    partner.website = "https://first.example/about"
    with pytest.raises(InvalidError) as refused:
        _register(partner, customer=customer)
    assert refused.value.fields["customer"].startswith(words)


def test_a_listing_is_the_same_by_its_name(app: Flask) -> None:
    first, second = make_organization("First"), make_organization("Second")
    listing = make_listing(first, name="Tide Tables")
    deal = _register(first, product="tide tables")
    assert (deal.listing_id, deal.product) == (listing.id, "")
    rival = _register(second, listing_id=listing.id, product="")
    assert rival.state is DealState.CONFLICT


def test_a_second_click_is_no_conflict_with_oneself(app: Flask) -> None:
    partner = make_organization("First")
    db.session.commit()
    partner_id = partner.id

    def register() -> None:
        with unit_of_work():
            _register(db.session.get_one(Organization, partner_id))

    raised = at_once(app, [register] * 3)
    assert {type(error) for error in raised} <= {ConflictError, OperationalError}
    db.session.rollback()
    assert [deal.state for deal in db.session.query(Deal)] == [DealState.SUBMITTED]


def test_a_tier_may_protect_longer(app: Flask) -> None:
    document = policy_document()
    document["entitlements"].append(
        {"key": "deal_protection_days", "name": "Protection", "kind": "limit"}
    )
    document["tiers"][2]["entitlements"]["deal_protection_days"] = 180
    make_policy(document)
    gold, plain = make_organization("Gold"), make_organization("Plain")
    make_standing(gold, "gold")
    make_standing(plain)
    assert registering.protected_days(gold.id) == 180
    assert registering.protected_days(plain.id) == 90


def test_a_tier_may_protect_nothing(app: Flask) -> None:
    document = policy_document()
    document["entitlements"].append(
        {"key": "deal_protection_days", "name": "Protection", "kind": "limit"}
    )
    document["tiers"][0]["entitlements"] = {"deal_protection_days": 0}
    document["tiers"][1]["entitlements"]["deal_protection_days"] = 60
    make_policy(document)
    silver, plain = make_organization("Silver"), make_organization("Plain")
    make_standing(silver, "silver")
    standing = make_standing(plain)
    assert registering.protected_days(silver.id) == 60
    assert registering.protected_days(plain.id) == 0
    with pytest.raises(ConflictError):
        _register(plain)
    standing.tier = "silver"
    deal = _register(plain)
    standing.tier = "registered"
    db.session.flush()
    with pytest.raises(ConflictError):
        registering.approve(deal.id, by_user_id=None)
    registering.refuse(deal.id, "Your tier protects none", by_user_id=None)


def test_what_nobody_decides_ends_and_lets_go_of_the_customer(app: Flask) -> None:
    manager = make_member(
        make_platform(), Role.PROGRAM_MANAGER, user=make_user("Daniel", "daniel@harbor.example")
    )
    first, second = make_organization("First"), make_organization("Second")
    make_member(first, user=make_user("Ada", "ada@first.example"))
    deal = _register(first)
    lost = _register(first, product="Another")
    working.move(lost.id, working.Move("lost", reason="Too dear"), by_user_id=None)
    rival = _register(second)
    assert deal.decide_by == deal.submitted_at + timedelta(days=14)

    def told(address: str | None) -> list[str]:
        return [each["subject"] for each in mails() if each["to"] == address]

    with moved(timedelta(days=10)):
        expire({})
        assert told(manager.email) == []
    with moved(timedelta(days=12)):
        expire({})
        expire({})
        assert told(manager.email) == ["Deals that wait for a decision"]
    with moved(timedelta(days=14, minutes=1)):
        # Whether or not the job has run, the customer is free.
        late = _register(make_organization("Third"))
        assert (deal.state, late.state) == (DealState.EXPIRED, DealState.SUBMITTED)
        expire({})
        assert rival.state is DealState.EXPIRED
        assert (lost.state, lost.stage) == (DealState.SUBMITTED, DealStage.LOST)
        assert told("ada@first.example") == ["Nobody decided about your deal in time"]
        assert _register(first).state is DealState.CONFLICT


def test_the_policy_says_until_when_staff_decide(app: Flask) -> None:
    document = policy_document()
    document["entitlements"].append(
        {"key": "deal_decision_days", "name": "Decision", "kind": "limit"}
    )
    document["tiers"][2]["entitlements"]["deal_decision_days"] = 5
    make_policy(document)
    gold, plain = make_organization("Gold"), make_organization("Plain")
    make_standing(gold, "gold")
    make_standing(plain)
    assert registering.decision_days(gold.id) == 5
    assert registering.decision_days(plain.id) == 14


@pytest.mark.parametrize(
    ("zone", "hour", "day", "fits"),
    [
        # Where the partner is it is tomorrow already, or still yesterday.
        ("Pacific/Auckland", 20, 1, True),
        ("Pacific/Auckland", 2, 1, False),
        ("America/Los_Angeles", 2, 0, False),
        ("America/Los_Angeles", 2, -1, True),
        ("UTC", 20, 1, False),
    ],
)
def test_a_deal_is_won_on_a_day_where_the_partner_is(
    app: Flask, zone: str, hour: int, day: int, fits: bool
) -> None:
    at = datetime(2026, 11, 20, hour, tzinfo=UTC)
    with clock.frozen(at - timedelta(days=4)):
        deal = _register(make_organization("First"))
        registering.approve(deal.id, by_user_id=None)
    won_on = at.date() + timedelta(days=day)
    with clock.frozen(at):
        wanted = working.Move("won", won_on=won_on, timezone=zone)
        if not fits:
            with pytest.raises(InvalidError):
                working.move(deal.id, wanted, by_user_id=None)
            return
        working.move(deal.id, wanted, by_user_id=None)
    assert deal.won_at is not None
    assert deal.won_at <= at
    assert deal.won_at.astimezone(clock.zone_of(zone)).date() == won_on


def test_after_the_protection_the_customer_is_free_again(app: Flask) -> None:
    first, second = make_organization("First"), make_organization("Second")
    deal = _register(first)
    registering.approve(deal.id, by_user_id=None)
    with pytest.raises(InvalidError):
        registering.extend(deal.id, " ", by_user_id=None)
    registering.extend(deal.id, "They decide in spring", by_user_id=None)
    with pytest.raises(ConflictError):
        registering.extend(deal.id, "And again", by_user_id=None)
    clock.shift(timedelta(days=119))
    try:
        expire({})
        assert deal.state is DealState.APPROVED
        clock.shift(timedelta(days=2))
        # Whether or not the job has run: the next registration finds it free.
        late = _register(second)
        assert (deal.state, late.state) == (DealState.EXPIRED, DealState.SUBMITTED)
        registering.approve(late.id, by_user_id=None)
        clock.shift(timedelta(days=91))
        expire({})
        assert late.state is DealState.EXPIRED
        assert _register(first).state is DealState.SUBMITTED
        clock.shift(-timedelta(days=93))
    finally:
        clock.shift(-timedelta(days=119))


def test_staff_decide_a_conflict_for_either(app: Flask) -> None:
    first, second = make_organization("First"), make_organization("Second")
    deal, rival = _register(first), _register(second)
    with pytest.raises(InvalidError):
        registering.give_to(rival.id, "", by_user_id=None)
    registering.give_to(rival.id, "The customer named another partner", by_user_id=None)
    assert (deal.state, rival.state) == (DealState.REFUSED, DealState.APPROVED)
    assert rival.decision_reason == ""
    live = db.session.query(DealClaim).filter(DealClaim.released_at.is_(None)).one()
    assert live.deal_id == rival.id


def test_of_two_decisions_at_once_one_is_made(app: Flask) -> None:
    first, second = make_organization("First"), make_organization("Second")
    deal_id, rival_id = _register(first).id, _register(second).id
    seen = seen_of(db.session.get_one(Deal, rival_id))
    db.session.commit()

    def award() -> None:
        with unit_of_work():
            registering.give_to(rival_id, "They asked first", by_user_id=None, seen=seen)

    def refuse() -> None:
        with unit_of_work():
            registering.refuse(rival_id, "No", by_user_id=None, seen=seen)

    raised = at_once(app, [award, refuse])
    assert [type(each) for each in raised] in ([ChangedMeanwhileError], [OperationalError])
    db.session.rollback()
    states = [db.session.get_one(Deal, each).state for each in (deal_id, rival_id)]
    assert states in (
        [DealState.REFUSED, DealState.APPROVED],
        [DealState.SUBMITTED, DealState.REFUSED],
    )


def test_a_lost_or_withdrawn_deal_lets_go_of_the_customer(app: Flask) -> None:
    first, second = make_organization("First"), make_organization("Second")
    deal = _register(first)
    with pytest.raises(InvalidError):
        working.move(deal.id, working.Move("lost"), by_user_id=None)
    working.move(deal.id, working.Move("lost", reason="Too dear"), by_user_id=None)
    rival = _register(second)
    assert rival.state is DealState.SUBMITTED
    registering.withdraw(rival.id, by_user_id=None)
    assert _register(first).state is DealState.SUBMITTED
    with pytest.raises(ConflictError):
        working.move(rival.id, working.Move("proposal"), by_user_id=None)


def test_a_lost_deal_is_not_decided_any_more(app: Flask) -> None:
    first, second = make_organization("First"), make_organization("Second")
    deal = _register(first)
    working.move(deal.id, working.Move("lost", reason="Too dear"), by_user_id=None)
    for show in ("to_decide", "conflicts", "protected"):
        assert page_of_all(DealFilter(show=show), 1).items == []
    assert page_of_all(DealFilter(show="closed"), 1).items == [deal]
    for decide in (
        lambda: registering.approve(deal.id, by_user_id=None),
        lambda: registering.refuse(deal.id, "No", by_user_id=None),
    ):
        with pytest.raises(ConflictError):
            decide()
    assert _register(second).state is DealState.SUBMITTED


def test_a_won_customer_can_be_registered_again_once_its_protection_is_over(app: Flask) -> None:
    partner = make_organization("First")
    _won(partner)
    with pytest.raises(ConflictError):
        _register(partner)
    clock.shift(timedelta(days=91))
    try:
        assert _register(partner).state is DealState.SUBMITTED
    finally:
        clock.shift(-timedelta(days=91))


def test_a_deal_is_won_and_taken_back_only_while_it_is_protected(app: Flask) -> None:
    first, second = make_organization("First"), make_organization("Second")
    deal = _won(first)
    working.move(deal.id, working.Move("negotiation"), by_user_id=None)
    working.move(deal.id, working.Move("won"), by_user_id=None)
    clock.shift(timedelta(days=91))
    try:
        expire({})
        with pytest.raises(ConflictError):
            working.move(deal.id, working.Move("negotiation"), by_user_id=None)
        assert (deal.state, deal.stage) == (DealState.APPROVED, DealStage.WON)
        rival = _register(second)
        registering.approve(rival.id, by_user_id=None)
        # Until the job has run, too.
        clock.shift(timedelta(days=91))
        with pytest.raises(ConflictError):
            working.move(rival.id, working.Move("won"), by_user_id=None)
        assert working.move(deal.id, working.Move("lost", reason="A mistake"), by_user_id=None)
        clock.shift(-timedelta(days=91))
    finally:
        clock.shift(-timedelta(days=91))


def test_credit_sums_to_the_deal_and_changes_by_the_difference(app: Flask) -> None:
    partners = [make_organization(f"Partner {number}") for number in range(3)]
    one, two, three = (partner.id for partner in partners)
    deal = _won(partners[0], amount=100)
    thirds = [Share(one, S, 3_333), Share(two, A, 3_333), Share(three, A, 3_334)]
    split = splitting.split_credit(deal.id, thirds, "", seen_version=0, by_user_id=None)
    assert [credit.amount for credit in split.credits] == [33, 33, 34]
    totals = credit_totals(Period(clock.now().year))
    assert sum(row.total for row in totals) == 100
    with pytest.raises(InvalidError):
        splitting.split_credit(deal.id, thirds[:1], "Why", seen_version=1, by_user_id=None)
    with pytest.raises(ConflictError):
        splitting.split_credit(deal.id, thirds, "Why", seen_version=0, by_user_id=None)
    with pytest.raises(ConflictError):
        working.move(deal.id, working.Move("proposal"), by_user_id=None)
    splitting.split_credit(
        deal.id, [Share(two, S, 10_000)], "Two did it", seen_version=1, by_user_id=None
    )
    totals = credit_totals(Period(clock.now().year))
    assert [(row.organization_id, row.sourced, row.assisted) for row in totals] == [(two, 100, 0)]
    # Taken back altogether, nothing is left counted.
    splitting.split_credit(deal.id, [], "It was not paid", seen_version=2, by_user_id=None)
    sums: dict[tuple[int, str], int] = {}
    for row in db.session.query(Measurement):
        key = (row.organization_id, row.measure)
        sums[key] = sums.get(key, 0) + row.amount
    assert set(sums.values()) == {0}


def test_two_who_split_at_once_split_once(app: Flask) -> None:
    partner = make_organization("First")
    deal = _won(partner)
    deal_id, own = deal.id, partner.id
    db.session.commit()

    def split() -> None:
        with unit_of_work():
            splitting.split_credit(
                deal_id, [Share(own, S, 10_000)], "", seen_version=0, by_user_id=None
            )

    raised = at_once(app, [split] * 3)
    assert all(isinstance(error, ConflictError) or "locked" in str(error) for error in raised), (
        raised
    )
    db.session.rollback()
    assert db.session.query(CreditSplit).count() == 1
    assert db.session.get_one(Deal, deal_id).stage is DealStage.WON


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"customer": "gmail.com"}, "customer"),
        ({"customer": "nothing"}, "customer"),
        ({"amount": None}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": 2**63}, "amount"),
        ({"currency": "XXX"}, "currency"),
        ({"product": ""}, "product"),
        ({"title": "x" * 121}, "title"),
        ({"description": "x" * 4_001}, "description"),
    ],
)
def test_what_cannot_be_registered_says_why(
    app: Flask, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidError) as raised:
        _register(make_organization("First"), **changes)
    assert set(raised.value.fields) == {field}
