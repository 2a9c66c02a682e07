"""Status, address and versions."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.catalogue.models import ListingStatus, ListingVersion, SlugRedirect
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.services import life
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job
from tests.factories.listings import make_listing
from tests.factories.people import make_organization
from tests.integration.publishing.desk import Desk, member

pytestmark = pytest.mark.usefixtures("app")
REASON = "The maker stopped working on it."


@pytest.fixture
def desk(app: Flask) -> Desk:
    partner = make_organization()
    desk = Desk(make_listing(partner, slug="tides"), member(partner))
    db.session.commit()
    return desk


def facts() -> list[str]:
    db.session.commit()
    return list(db.session.scalars(select(Fact.kind).order_by(Fact.id)))


def test_a_listing_goes_through_its_life_with_a_fact_for_each_step(desk: Desk) -> None:
    listing, actor = desk.listing, desk.actor
    life.mark_beta(listing, actor)
    assert listing.status is ListingStatus.BETA
    life.mark_active(listing, actor)
    life.mark_active(listing, actor)
    life.deprecate(listing, reason=REASON, successor_slug="", actor=actor)
    assert (listing.status, listing.status_reason) == (ListingStatus.DEPRECATED, REASON)
    life.withdraw(listing, reason=REASON, actor=actor)
    assert not listing.is_findable
    assert listing.is_public
    life.restore(listing, actor)
    life.restore(listing, actor)
    assert (listing.status, listing.status_reason) == (ListingStatus.ACTIVE, "")
    assert facts() == [
        "listing.marked_beta",
        "listing.marked_active",
        "listing.deprecated",
        "listing.withdrawn",
        "listing.restored",
    ]
    assert db.session.scalar(select(Job.kind)) == "search.index_listing"


def test_a_successor_may_be_another_publishers_public_listing(desk: Desk) -> None:
    other = make_listing(make_organization("Other"), slug="bells")
    life.deprecate(
        desk.listing,
        reason=REASON,
        successor_slug="http://localhost/listings/bells/",
        actor=desk.actor,
    )
    assert desk.listing.successor is other


def test_a_successor_must_be_public_another_and_lead_nowhere_back(desk: Desk) -> None:
    listing, actor = desk.listing, desk.actor
    bells = make_listing(make_organization("Other"), slug="bells")
    hidden = make_listing(make_organization("Hidden"), slug="hidden", published=False)
    assert hidden.published_at is None
    bells.successor_id = listing.id
    db.session.flush()
    for slug in ("nowhere", "hidden", "tides", "bells", "' OR 1=1"):
        with pytest.raises(InvalidError) as refused:
            life.deprecate(listing, reason=REASON, successor_slug=slug, actor=actor)
        assert set(refused.value.fields) == {"successor"}, slug
    assert listing.status is ListingStatus.ACTIVE


@pytest.mark.parametrize(
    "reason", ["", "short", "x" * 501, "See https://evil.example now", "Write to a@evil.example"]
)
def test_a_reason_is_words_without_links(desk: Desk, reason: str) -> None:
    for verb in (
        lambda: life.withdraw(desk.listing, reason=reason, actor=desk.actor),
        lambda: life.deprecate(desk.listing, reason=reason, successor_slug="", actor=desk.actor),
    ):
        with pytest.raises(InvalidError) as refused:
            verb()
        assert set(refused.value.fields) == {"reason"}


def test_what_is_not_public_has_no_life_yet(desk: Desk) -> None:
    draft = make_listing(desk.listing.publisher, published=False)
    for verb in (life.mark_beta, life.mark_active, life.restore):
        with pytest.raises(ConflictError):
            verb(draft, desk.actor)


def test_what_is_withdrawn_must_be_restored_first(desk: Desk) -> None:
    life.withdraw(desk.listing, reason=REASON, actor=desk.actor)
    with pytest.raises(ConflictError, match="Restore it first"):
        life.mark_beta(desk.listing, desk.actor)
    with pytest.raises(ConflictError, match="Restore it first"):
        life.deprecate(desk.listing, reason=REASON, successor_slug="", actor=desk.actor)


def test_an_old_address_leads_to_the_listing_for_ever(desk: Desk) -> None:
    life.rename_address(desk.listing, "Tides-Of-Today", desk.actor)
    life.rename_address(desk.listing, "tides-now", desk.actor)
    assert desk.listing.slug == "tides-now"
    assert {row.slug for row in queries.old_addresses(desk.listing.id)} == {
        "tides",
        "tides-of-today",
    }
    life.rename_address(desk.listing, "tides", desk.actor)
    assert {row.slug for row in queries.old_addresses(desk.listing.id)} == {
        "tides-of-today",
        "tides-now",
    }


def test_an_address_is_never_given_to_another_listing(desk: Desk) -> None:
    life.rename_address(desk.listing, "tides-now", desk.actor)
    partner = make_organization("Other")
    other, actor = make_listing(partner, slug="bells", name="Tides"), member(partner)
    for slug in ("tides", "tides-now"):
        with pytest.raises(InvalidError) as refused:
            life.rename_address(other, slug, actor)
        assert set(refused.value.fields) == {"slug"}
    assert queries.slug_is_taken("tides")


@pytest.mark.parametrize("slug", ["", "a", "new", "x" * 81, "../etc", "tide tables", "tidés"])
def test_a_malformed_address_is_refused(desk: Desk, slug: str) -> None:
    with pytest.raises(InvalidError):
        life.rename_address(desk.listing, slug, desk.actor)
    assert desk.listing.slug == "tides"


def test_an_address_that_looks_like_anothers_name_is_refused(desk: Desk) -> None:
    make_listing(make_organization("Moon Works"), name="Moonline")
    with pytest.raises(InvalidError, match="Moonline"):
        life.rename_address(desk.listing, "m00nline", desk.actor)


def test_the_address_of_a_draft_leaves_no_redirect(desk: Desk) -> None:
    draft = make_listing(desk.listing.publisher, published=False, slug="draft-one")
    life.rename_address(draft, "draft-two", desk.actor)
    assert db.session.get(SlugRedirect, "draft-one") is None


def test_a_version_is_added_once(desk: Desk) -> None:
    today = clock.now().date()
    life.add_version(
        desk.listing, version="v1.4", released_on=today, changelog="New\r\n", actor=desk.actor
    )
    assert [(row.version, row.changelog) for row in queries.versions(desk.listing.id)] == [
        ("1.4", "New")
    ]
    with pytest.raises(InvalidError, match=r"1\.4 is there already"):
        life.add_version(
            desk.listing, version="1.4.0", released_on=today, changelog="", actor=desk.actor
        )
    assert facts() == ["listing.version_added"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"changelog": "[new](https://evil.example)"}, "changelog"),
        ({"version": "one"}, "version"),
        ({"version": ""}, "version"),
        ({"released_on": None}, "released_on"),
        ({"released_on": (clock.now() + timedelta(days=2)).date()}, "released_on"),
        ({"changelog": "x" * 10_001}, "changelog"),
    ],
)
def test_a_version_has_rules(desk: Desk, given: dict[str, object], field: str) -> None:
    answers = {"version": "1.0", "released_on": clock.now().date(), "changelog": "", **given}
    with pytest.raises(InvalidError) as refused:
        life.add_version(desk.listing, actor=desk.actor, **answers)  # type: ignore[arg-type]  # a table
    assert set(refused.value.fields) == {field}


def released(desk: Desk, changelog: str = "New") -> ListingVersion:
    return life.add_version(
        desk.listing,
        version="1.4",
        released_on=clock.now().date(),
        changelog=changelog,
        actor=desk.actor,
    )


def test_a_corrected_version_has_to_be_checked_again(desk: Desk) -> None:
    version = released(desk)
    assert version.checked_at is None
    version.checked_at, version.checked_by_id = clock.now(), desk.actor.user_id
    db.session.commit()
    day = clock.now().date() - timedelta(days=3)
    answers = {"released_on": day, "changelog": "Newer\r\n", "actor": desk.actor}
    assert life.correct_version(version, **answers)  # type: ignore[arg-type]  # a table
    assert not life.correct_version(version, **answers)  # type: ignore[arg-type]  # a table
    db.session.commit()
    assert (version.released_on, version.changelog) == (day, "Newer")
    assert (version.checked_at, version.checked_by_id) == (None, None)
    assert version.changed_at > version.created_at
    assert facts() == ["listing.version_added", "listing.version_corrected"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"changelog": "[new](https://evil.example)"}, "changelog"),
        ({"changelog": "x" * 10_001}, "changelog"),
        ({"released_on": None}, "released_on"),
        ({"released_on": (clock.now() + timedelta(days=2)).date()}, "released_on"),
    ],
)
def test_a_correction_has_the_rules_of_a_version(
    desk: Desk, given: dict[str, object], field: str
) -> None:
    answers = {"released_on": clock.now().date(), "changelog": "", **given}
    with pytest.raises(InvalidError) as refused:
        life.correct_version(released(desk), actor=desk.actor, **answers)  # type: ignore[arg-type]  # a table
    assert set(refused.value.fields) == {field}


def test_the_day_of_an_imported_version_is_corrected_beside_its_links(desk: Desk) -> None:
    version = released(desk)
    version.changelog = "See https://elsewhere.example/notes"
    day = clock.now().date() - timedelta(days=1)
    text = version.changelog
    assert life.correct_version(version, released_on=day, changelog=text, actor=desk.actor)


def test_a_version_is_removed_once(desk: Desk) -> None:
    version = released(desk)
    db.session.commit()
    assert life.remove_version(version, desk.actor)
    assert not life.remove_version(version, desk.actor)
    assert queries.versions(desk.listing.id) == []
    assert desk.listing.versions == []
    with pytest.raises(ConflictError, match="removed meanwhile"):
        life.correct_version(
            version, released_on=clock.now().date(), changelog="Again", actor=desk.actor
        )
    assert facts() == ["listing.version_added", "listing.version_removed"]
