"""Collections, synonyms, and who is certified or verified."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.catalogue.changes import APPLY_SYNONYMS, INDEX_LISTING, INDEX_PUBLISHER
from marketplace.catalogue.curation.services import collections, standing, synonyms
from marketplace.catalogue.curation.services.collections import CollectionText
from marketplace.catalogue.models import Collection, SynonymGroup
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job
from marketplace.core.permissions import Actor
from tests.factories.acting import actor_for
from tests.factories.listings import make_listing
from tests.factories.people import make_user


@pytest.fixture
def staff(app: Flask) -> Actor:
    return actor_for(make_user())


def jobs_of(kind: str) -> int:
    return len(db.session.scalars(select(Job).where(Job.kind == kind)).all())


def names(collection: Collection) -> list[str]:
    db.session.expire(collection, ["items"])
    return [item.listing.name for item in collection.items]


def a_collection(staff: Actor, *listing_names: str) -> Collection:
    collection = collections.create_collection(staff, CollectionText("Getting started"))
    for name in listing_names:
        collections.add_item(staff, collection, make_listing(name=name))
    return collection


def test_equal_titles_get_addresses_of_their_own(staff: Actor) -> None:
    assert [a_collection(staff).slug, a_collection(staff).slug] == [
        "getting-started",
        "getting-started-2",
    ]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (CollectionText(""), "title"),
        (CollectionText("x" * 81), "title"),
        (CollectionText("Fine", "x" * 2_001), "description"),
        (CollectionText("Fine", position=-1), "position"),
        (
            CollectionText("Fine", starts_at=clock.now(), ends_at=clock.now() - timedelta(days=1)),
            "ends_at",
        ),
    ],
)
def test_a_wrong_collection_is_told_at_the_field(
    staff: Actor, given: CollectionText, field: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        collections.create_collection(staff, given)
    assert list(caught.value.fields) == [field]


def test_an_empty_collection_is_not_published(staff: Actor) -> None:
    collection = a_collection(staff)
    with pytest.raises(ConflictError):
        collections.publish_collection(staff, collection)
    collections.add_item(staff, collection, make_listing())
    collections.publish_collection(staff, collection)
    assert collection.is_published
    collections.unpublish_collection(staff, collection)
    assert not collection.is_published


@pytest.mark.parametrize(
    ("place", "order"),
    [
        (1, ["Gamma", "Alpha", "Beta"]),
        (2, ["Alpha", "Gamma", "Beta"]),
        (3, ["Alpha", "Beta", "Gamma"]),
        (50, ["Alpha", "Beta", "Gamma"]),
        (0, ["Gamma", "Alpha", "Beta"]),
    ],
)
def test_a_listing_takes_the_place_that_is_asked(
    staff: Actor, place: int, order: list[str]
) -> None:
    collection = a_collection(staff, "Alpha", "Beta", "Gamma")
    gamma = collection.items[2].listing_id
    assert collections.move_item(staff, collection, gamma, place) is True
    assert names(collection) == order


def test_taking_a_listing_out_closes_the_gap_and_adding_twice_is_once(staff: Actor) -> None:
    collection = a_collection(staff, "Alpha", "Beta", "Gamma")
    alpha = collection.items[0].listing
    assert collections.add_item(staff, collection, alpha) is False
    assert collections.remove_item(staff, collection, alpha.id) is True
    assert collections.remove_item(staff, collection, alpha.id) is False
    assert names(collection) == ["Beta", "Gamma"]
    assert [item.position for item in collection.items] == [0, 1]


def test_a_reason_to_be_in_it_is_one_line_of_200_characters(staff: Actor) -> None:
    collection = a_collection(staff, "Alpha")
    alpha = collection.items[0].listing_id
    collections.describe_item(staff, collection, alpha, "  The first\n to try ")
    assert collection.items[0].blurb == "The first to try"
    with pytest.raises(InvalidError):
        collections.describe_item(staff, collection, alpha, "x" * 201)


def test_deleting_a_collection_leaves_its_listings(staff: Actor) -> None:
    collection = a_collection(staff, "Alpha")
    listing = collection.items[0].listing
    collections.delete_collection(staff, collection)
    db.session.commit()
    assert db.session.scalars(select(Collection)).all() == []
    assert listing.name == "Alpha"


def test_a_change_of_synonyms_reaches_search(staff: Actor) -> None:
    group = synonyms.save_group(staff, None, "CRM\ncustomer relationship management")
    assert group.terms == ["crm", "customer relationship management"]
    assert jobs_of(APPLY_SYNONYMS) == 1
    with pytest.raises(InvalidError) as caught:
        synonyms.save_group(staff, None, "crm\nsales")
    assert "another group" in caught.value.fields["terms"]
    synonyms.save_group(staff, group, "crm\nsales")
    assert group.terms == ["crm", "sales"]
    synonyms.delete_group(staff, group)
    assert db.session.scalars(select(SynonymGroup)).all() == []


def test_certifying_is_a_fact_and_reaches_search_once(staff: Actor) -> None:
    listing = make_listing()
    assert standing.certify_listing(staff, listing) is True
    assert standing.certify_listing(staff, listing) is False
    assert jobs_of(INDEX_LISTING) == 1
    assert standing.uncertify_listing(staff, listing) is True
    assert listing.certified_at is None
    db.session.commit()
    own = select(Fact.kind).where(Fact.kind.startswith("listing.")).order_by(Fact.id)
    assert list(db.session.scalars(own)) == [
        "listing.certified",
        "listing.certification_withdrawn",
    ]


def test_a_draft_is_not_certified(staff: Actor) -> None:
    with pytest.raises(ConflictError):
        standing.certify_listing(staff, make_listing(published=False))


def test_verifying_a_publisher_has_it_indexed(staff: Actor) -> None:
    publisher = make_listing().publisher
    assert standing.verify_publisher(staff, publisher) is False
    assert standing.unverify_publisher(staff, publisher) is True
    assert standing.verify_publisher(staff, publisher) is True
    assert jobs_of(INDEX_PUBLISHER) == 1
