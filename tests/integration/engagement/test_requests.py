"""Requested integrations and their votes."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.catalogue.engagement.services import requests
from marketplace.catalogue.models import IntegrationRequest, RequestState, RequestVote
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.acting import actor_for
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_user
from tests.factories.races import at_once


def somebody() -> Actor:
    return actor_for(make_user())


def test_a_request_begins_with_its_authors_vote(app: Flask) -> None:
    made, is_new = requests.create_request(somebody(), "HubSpot", "Contacts, both ways")
    assert is_new
    assert (made.vote_count, made.state) == (1, RequestState.OPEN)


def test_asking_for_the_same_again_votes_for_it(app: Flask) -> None:
    first, _new = requests.create_request(somebody(), "HubSpot", "Contacts")
    second, is_new = requests.create_request(somebody(), "hub-spot integration", "Deals")
    assert not is_new
    assert second.id == first.id
    assert (second.vote_count, second.details) == (2, "Contacts")


def test_a_double_click_is_one_vote_and_taking_it_back_counts_down(app: Flask) -> None:
    made, _new = requests.create_request(somebody(), "HubSpot", "")
    actor = somebody()
    assert requests.vote(actor, made) is True
    assert requests.vote(actor, made) is False
    assert made.vote_count == 2
    assert requests.unvote(actor, made) is True
    assert requests.unvote(actor, made) is False
    assert made.vote_count == 1


@pytest.mark.parametrize(
    ("name", "details", "field"),
    [("", "", "name"), ("?!", "", "name"), ("x" * 81, "", "name"), ("A", "x" * 2_001, "details")],
)
def test_a_wrong_request_is_told_at_the_field(
    app: Flask, name: str, details: str, field: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        requests.create_request(somebody(), name, details)
    assert list(caught.value.fields) == [field]


def test_listed_needs_a_public_listing_and_mails_everybody_who_voted_once(
    app: Flask, run_jobs: Callable[[], int]
) -> None:
    author, voter, staff = somebody(), somebody(), somebody()
    made, _new = requests.create_request(author, "Tides", "")
    requests.vote(voter, made)
    draft, listing = make_listing(published=False), make_listing()
    for slug in ("", "nothing-here", draft.slug):
        with pytest.raises(InvalidError) as caught:
            requests.change_state(staff, made, "listed", "", slug)
        assert "listing" in caught.value.fields
    address = f"http://localhost/listings/{listing.slug}?utm=1#reviews"
    requests.change_state(staff, made, "listed", "Built by Quayside.", address)
    db.session.commit()
    run_jobs()
    requests.change_state(staff, made, "open", "", "")
    requests.change_state(staff, made, "listed", "", listing.slug)
    db.session.commit()
    run_jobs()
    assert sorted(mail["to"] for mail in mails()) == sorted([author.email, voter.email])
    assert "Built by Quayside." in mails()[0]["body"]


@pytest.mark.parametrize("state", ["listed", "declined"])
def test_voting_is_over_once_it_is_listed_or_declined(app: Flask, state: str) -> None:
    made, _new = requests.create_request(somebody(), "Tides", "")
    requests.change_state(somebody(), made, state, "", make_listing().slug)
    with pytest.raises(ConflictError):
        requests.vote(somebody(), made)
    again, is_new = requests.create_request(somebody(), "tides", "")
    assert (again.id, is_new, again.vote_count) == (made.id, False, 1)


def test_removing_a_request_takes_its_votes(app: Flask) -> None:
    made, _new = requests.create_request(somebody(), "Buy our watches", "")
    requests.remove_request(somebody(), made)
    assert db.session.scalar(select(func.count()).select_from(RequestVote)) == 0
    assert db.session.scalar(select(func.count()).select_from(IntegrationRequest)) == 0


def test_votes_and_equal_requests_at_once_are_counted_exactly(app: Flask) -> None:
    people = [somebody() for _ in range(5)]
    db.session.commit()

    def ask(actor: Actor) -> None:
        with unit_of_work():
            requests.create_request(actor, "HubSpot", "")

    assert at_once(app, [(lambda a=actor: ask(a)) for actor in people + people]) == []
    rows = db.session.scalars(select(IntegrationRequest)).all()
    assert [row.vote_count for row in rows] == [5]
