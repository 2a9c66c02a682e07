"""Categories: made, ordered, merged, deleted."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.changes import INDEX_LISTINGS
from marketplace.catalogue.content import ListingContent
from marketplace.catalogue.curation.queries.categories import ordered_categories
from marketplace.catalogue.curation.services import categories as services
from marketplace.catalogue.models import Category, Listing, Revision
from marketplace.catalogue.publication import apply_content
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.jobs import Job
from marketplace.core.permissions import Actor
from tests.factories.acting import actor_for
from tests.factories.listings import make_category, make_listing
from tests.factories.people import make_user


@pytest.fixture
def staff(app: Flask) -> Actor:
    return actor_for(make_user())


def indexed() -> list[int]:
    jobs = db.session.scalars(select(Job).where(Job.kind == INDEX_LISTINGS))
    return [listing_id for job in jobs for listing_id in job.payload["listing_ids"]]


def test_a_category_gets_its_address_of_its_name_and_the_last_place(staff: Actor) -> None:
    first = services.create_category(staff, "Billing & Tax", "Money in and out", "wallet")
    second = services.create_category(staff, "Support", "", "headphones")
    assert first.slug == "billing-and-tax"
    assert second.position == first.position + 1


@pytest.mark.parametrize(
    ("name", "description", "icon", "field"),
    [
        ("", "", "box", "name"),
        ("x" * 61, "", "box", "name"),
        ("productivity", "", "box", "name"),
        ("Fine", "x" * 201, "box", "description"),
        ("Fine", "", "no-such-icon", "icon"),
    ],
)
def test_a_wrong_category_is_told_at_the_field(
    staff: Actor, name: str, description: str, icon: str, field: str
) -> None:
    make_category("Productivity")
    with pytest.raises(InvalidError) as caught:
        services.create_category(staff, name, description, icon)
    assert list(caught.value.fields) == [field]


def test_renaming_has_its_listings_indexed_and_keeps_the_address(staff: Actor) -> None:
    listing = make_listing()
    category = db.session.scalars(select(Category)).one()
    services.change_category(staff, category, category.name, "New words", "box")
    assert indexed() == []
    services.change_category(staff, category, "Getting things done", "", "box")
    assert indexed() == [listing.id]
    assert category.slug == "productivity"


@pytest.mark.parametrize(
    ("place", "order"),
    [
        (1, ["C", "A", "B"]),
        (2, ["A", "C", "B"]),
        (3, ["A", "B", "C"]),
        (99, ["A", "B", "C"]),
        (-5, ["C", "A", "B"]),
    ],
)
def test_a_category_takes_the_place_that_is_asked(
    staff: Actor, place: int, order: list[str]
) -> None:
    made = [make_category(name, position=number) for number, name in enumerate("ABC")]
    services.move_category(staff, made[2], place)
    assert [category.name for category in ordered_categories()] == order
    assert [category.position for category in ordered_categories()] == [0, 1, 2]


def test_only_an_unused_category_is_deleted(staff: Actor) -> None:
    make_listing()
    used = db.session.scalars(select(Category)).one()
    with pytest.raises(ConflictError):
        services.delete_category(staff, used)
    services.delete_category(staff, make_category("Empty"))
    assert db.session.scalars(select(Category)).all() == [used]


def test_a_category_that_only_a_draft_names_is_not_deleted(staff: Actor) -> None:
    make_listing(published=False)
    with pytest.raises(ConflictError):
        services.delete_category(staff, db.session.scalars(select(Category)).one())


def test_merging_moves_listings_drafts_and_words_and_loses_no_order(staff: Actor) -> None:
    for name in ("Old", "New", "Other"):
        make_category(name)
    only_old = make_listing(categories=["old"])
    both = make_listing(categories=["other", "new", "old"])
    old_first = make_listing(categories=["old", "other", "new"])
    draft = make_listing(published=False, categories=["old"])
    elsewhere = make_listing(categories=["other"])
    old, new = (
        db.session.scalars(select(Category).where(Category.slug == slug)).one()
        for slug in ("old", "new")
    )
    assert services.merge_category(staff, old, new) == 3
    db.session.commit()
    db.session.expire_all()

    def slugs(listing: Listing) -> list[str]:
        return [link.category.slug for link in listing.category_links]

    assert slugs(only_old) == ["new"]
    assert slugs(both) == ["other", "new"]
    assert slugs(old_first) == ["new", "other"]
    assert slugs(elsewhere) == ["other"]
    assert [link.position for link in old_first.category_links] == [0, 1]
    for listing in (only_old, both, old_first):
        assert listing.content["categories"] == slugs(listing)
    revision = db.session.scalars(select(Revision).where(Revision.listing_id == draft.id)).one()
    assert revision.content["categories"] == ["new"]
    assert sorted(indexed()) == sorted([only_old.id, both.id, old_first.id])
    # What is published can still be published again.
    apply_content(only_old, ListingContent.model_validate(only_old.content))
    assert slugs(only_old) == ["new"]


def test_the_address_of_a_merged_category_leads_to_the_last_that_took_it(
    staff: Actor, client: FlaskClient
) -> None:
    first, second, last = (make_category(name) for name in ("First", "Second", "Last"))
    services.merge_category(staff, first, second)
    services.merge_category(staff, second, last)
    db.session.commit()
    for slug in ("first", "second"):
        answer = client.get(f"/categories/{slug}")
        assert (answer.status_code, answer.location) == (301, "/categories/last")
    assert services.create_category(staff, "First", "", "box").slug != "first"
    services.delete_category(staff, last)
    db.session.commit()
    assert client.get("/categories/first").status_code == 404


def test_a_category_is_not_merged_into_itself(staff: Actor) -> None:
    category = make_category("Old")
    with pytest.raises(InvalidError):
        services.merge_category(staff, category, category)
