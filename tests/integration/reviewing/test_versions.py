"""What reviewers do with new versions."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.catalogue.models import ListingVersion
from marketplace.catalogue.publishing.services import life
from marketplace.catalogue.reviewing import queries, services
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job
from marketplace.core.permissions import Actor
from marketplace.identity.models import Role
from tests.factories.listings import make_listing
from tests.factories.people import make_organization, make_platform, make_user
from tests.integration.publishing.desk import Desk, actor_for, member

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def desk(app: Flask) -> Desk:
    partner = make_organization()
    return Desk(make_listing(partner), member(partner, name="Mara Lind"))


@pytest.fixture
def reviewer(app: Flask) -> Actor:
    return member(make_platform(), Role.REVIEWER, "Noor Haddad")


@pytest.fixture
def version(desk: Desk) -> ListingVersion:
    row = life.add_version(
        desk.listing,
        version="1.4",
        released_on=clock.now().date(),
        changelog="New",
        actor=desk.actor,
    )
    db.session.commit()
    return row


def waiting() -> list[str]:
    found = [row.version for row in db.session.scalars(queries.new_versions())]
    assert queries.new_version_count() == len(found)
    return found


def facts() -> list[str]:
    db.session.commit()
    return list(db.session.scalars(select(Fact.kind).order_by(Fact.id)))


def stamp(version: ListingVersion) -> str:
    return version.changed_at.isoformat()


def test_a_version_is_checked_once(version: ListingVersion, reviewer: Actor) -> None:
    assert waiting() == ["1.4"]
    assert services.check_version(version, seen=stamp(version), actor=reviewer)
    assert not services.check_version(version, seen=stamp(version), actor=reviewer)
    assert version.checked_by_id == reviewer.user_id
    assert waiting() == []
    assert facts() == ["listing.version_added", "listing.version_checked"]


def test_a_correction_brings_a_version_back_and_voids_what_was_seen(
    desk: Desk, version: ListingVersion, reviewer: Actor
) -> None:
    seen = stamp(version)
    services.check_version(version, seen=seen, actor=reviewer)
    life.correct_version(
        version, released_on=version.released_on, changelog="Other", actor=desk.actor
    )
    assert waiting() == ["1.4"]
    with pytest.raises(ConflictError, match="corrected"):
        services.check_version(version, seen=seen, actor=reviewer)
    with pytest.raises(InvalidError, match="corrected"):
        services.remove_version(version, "Wrong.", seen=seen, actor=reviewer)


def test_after_thirty_days_a_version_waits_no_longer(desk: Desk, version: ListingVersion) -> None:
    old = clock.now() - queries.VERSION_WINDOW - timedelta(minutes=1)
    version.changed_at = version.created_at = old
    desk.listing.published_at = old
    db.session.flush()
    assert waiting() == []
    desk.listing.published_at = clock.now()
    db.session.flush()
    assert waiting() == ["1.4"]


def test_a_removal_tells_the_editors_why_and_is_done_once(
    version: ListingVersion, reviewer: Actor
) -> None:
    with pytest.raises(InvalidError):
        services.remove_version(version, " ", seen=stamp(version), actor=reviewer)
    assert services.remove_version(version, "Spam.", seen=stamp(version), actor=reviewer)
    assert not services.remove_version(version, "Spam.", seen=stamp(version), actor=reviewer)
    assert waiting() == []
    assert facts() == ["listing.version_added", "listing.version_removed"]
    data = db.session.scalar(select(Fact.data).order_by(Fact.id.desc()))
    assert data == {"version": "1.4", "by": "staff", "reason": "Spam."}
    assert len(db.session.scalars(select(Job.id).where(Job.kind == "mail.send")).all()) == 1


def test_nobody_decides_on_a_version_of_their_own(desk: Desk, version: ListingVersion) -> None:
    place = make_platform()
    both = actor_for(
        make_user("Ivo Brand"), (place, Role.REVIEWER), (desk.listing.publisher, Role.VIEWER)
    )
    with pytest.raises(ForbiddenError):
        services.check_version(version, seen=stamp(version), actor=both)
    with pytest.raises(ForbiddenError):
        services.remove_version(version, "Mine.", seen=stamp(version), actor=both)
