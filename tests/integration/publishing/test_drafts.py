"""Saving drafts: nothing that anybody typed is lost."""

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.catalogue.models import Listing, Revision, RevisionState
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.services import drafts
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import Fact
from marketplace.identity.models import Role
from tests.factories.listings import make_category, make_listing
from tests.factories.people import make_organization
from tests.integration.publishing.desk import Desk, member

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def desk(app: Flask) -> Desk:
    partner = make_organization()
    desk = Desk(make_listing(partner), member(partner))
    db.session.commit()
    return desk


def test_the_first_save_begins_a_draft_from_what_is_public(desk: Desk) -> None:
    saved = desk.save(tagline="Another line about the tides")
    assert saved.changed == ("tagline",)
    revision = desk.open()
    assert revision.number == 2
    assert revision.base_content == desk.listing.content
    assert revision.content["tagline"] == "Another line about the tides"
    assert revision.content["description"] == desk.listing.content["description"]


def test_saving_what_is_there_changes_nothing(desk: Desk) -> None:
    assert desk.save(tagline=desk.listing.content["tagline"]).revision is None
    desk.save(tagline="Another line about the tides")
    version = desk.open().lock_version
    assert desk.save(tagline="Another line about the tides").changed == ()
    assert desk.open().lock_version == version


def test_an_incomplete_draft_keeps_what_was_typed(desk: Desk) -> None:
    typed = {"name": "x" * 10_000, "scopes": [{"scope": "a", "reason": ""}], "kind": "zeppelin"}
    desk.save(**typed)
    db.session.commit()
    assert {name: desk.open().content[name] for name in typed} == typed


def test_an_editor_of_other_fields_is_not_disturbed(desk: Desk) -> None:
    stored = drafts.working_content(desk.listing, None)
    seen = drafts.fingerprint(stored, ["tagline"])
    other = Desk(desk.listing, member(desk.listing.publisher))
    other.save(description="Somebody else wrote this in the meantime, all of it.")
    drafts.save_fields(
        desk.listing,
        {"tagline": "My own words on tides"},
        fields=["tagline"],
        seen=seen,
        actor=desk.actor,
    )
    content = desk.open().content
    assert content["tagline"] == "My own words on tides"
    assert content["description"].startswith("Somebody else")


def test_an_editor_of_the_same_field_is_told_and_nothing_is_overwritten(desk: Desk) -> None:
    stored = drafts.working_content(desk.listing, None)
    seen = drafts.fingerprint(stored, ["tagline"])
    Desk(desk.listing, member(desk.listing.publisher)).save(tagline="Their words on tides")
    with pytest.raises(drafts.EditClashError):
        drafts.save_fields(
            desk.listing,
            {"tagline": "My own words on tides"},
            fields=["tagline"],
            seen=seen,
            actor=desk.actor,
        )
    assert desk.open().content["tagline"] == "Their words on tides"


def test_two_editors_who_typed_the_same_do_not_clash(desk: Desk) -> None:
    seen = drafts.fingerprint(drafts.working_content(desk.listing, None), ["tagline"])
    Desk(desk.listing, member(desk.listing.publisher)).save(tagline="The same words on tides")
    saved = drafts.save_fields(
        desk.listing,
        {"tagline": "The same words on tides"},
        fields=["tagline"],
        seen=seen,
        actor=desk.actor,
    )
    assert saved.changed == ()


def test_of_two_first_saves_at_the_same_moment_one_is_told(desk: Desk, app: Flask) -> None:
    listing_id, actor = desk.listing.id, desk.actor
    real_next = queries.next_number
    crossed: list[bool] = []

    def next_number(wanted: int) -> int:
        number = real_next(wanted)
        if not crossed:
            crossed.append(True)
            with app.app_context():
                other = db.session.get(Listing, listing_id)
                assert other is not None
                drafts.begin_revision(other, {**other.content, "tagline": "First at it"}, actor)
                db.session.commit()
                db.session.remove()
        return number

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "next_number", next_number)
        with pytest.raises(drafts.EditClashError):
            desk.save(tagline="Second at it, sadly")
    opened = db.session.scalars(select(Revision).where(Revision.state == RevisionState.DRAFT)).all()
    assert [revision.content["tagline"] for revision in opened] == ["First at it"]


def test_a_change_that_means_the_same_on_any_content_is_tried_again(desk: Desk, app: Flask) -> None:
    desk.save(tags=["one"])
    db.session.commit()
    revision_id, actor = desk.open().id, desk.actor
    tries: list[int] = []

    def change(content: dict[str, object]) -> dict[str, object]:
        tries.append(1)
        if len(tries) == 1:
            with app.app_context():
                other = db.session.get(Revision, revision_id)
                assert other is not None
                drafts.advance(
                    other, other.lock_version, content={**other.content, "tagline": "Theirs"}
                )
                db.session.commit()
                db.session.remove()
        return {**content, "tags": ["one", "two"]}

    drafts.change_draft(desk.listing, change, actor)
    db.session.commit()
    assert desk.open().content["tags"] == ["one", "two"]
    assert desk.open().content["tagline"] == "Theirs"
    assert len(tries) == 2


def test_a_revision_that_changed_meanwhile_is_not_advanced(desk: Desk) -> None:
    desk.save(tags=["one"])
    revision = desk.open()
    before = revision.lock_version
    drafts.advance(revision, before, note_to_reviewer="first")
    with pytest.raises(ConflictError):
        drafts.advance(revision, before, note_to_reviewer="second")
    assert desk.open().note_to_reviewer == "first"


def test_a_discarded_draft_can_be_taken_up_again(desk: Desk) -> None:
    desk.save(tagline="Words that are worth keeping")
    drafts.discard(desk.listing, desk.open(), desk.actor)
    assert queries.open_revision(desk.listing.id) is None
    again = drafts.take_up_again(desk.listing, desk.actor)
    assert again.number == 3
    assert again.content["tagline"] == "Words that are worth keeping"
    with pytest.raises(ConflictError):
        drafts.take_up_again(desk.listing, desk.actor)


def test_discarding_twice_is_harmless(desk: Desk) -> None:
    desk.save(tagline="Words that are not worth it")
    revision = desk.open()
    drafts.discard(desk.listing, revision, desk.actor)
    drafts.discard(desk.listing, revision, desk.actor)
    assert [event.kind for event in revision.events] == ["discarded"]


def test_a_new_listing_is_a_draft_at_an_address_of_its_own(app: Flask) -> None:
    partner = make_organization("Quayside")
    make_category("Productivity")
    actor = member(partner, Role.OWNER)
    first, second, third = (
        drafts.create_listing(
            partner, name="Tide Tables", kind="app", category="productivity", actor=actor
        )
        for _ in range(3)
    )
    assert first.slug == "tide-tables"
    assert second.slug == f"tide-tables-{partner.slug}"
    assert third.slug == f"tide-tables-{partner.slug}-2"
    assert first.published_at is None
    assert first.content == {}
    db.session.commit()
    kinds = set(db.session.scalars(select(Fact.kind)))
    assert kinds == {"listing.created", "revision.begun"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"kind": "zeppelin"}, "kind"),
        ({"category": "nowhere"}, "categories"),
        ({"category": ""}, "categories"),
    ],
)
def test_a_new_listing_needs_three_good_answers(
    app: Flask, given: dict[str, str], field: str
) -> None:
    partner = make_organization()
    make_category("Productivity")
    answers = {"name": "Tide Tables", "kind": "app", "category": "productivity", **given}
    with pytest.raises(InvalidError) as refused:
        drafts.create_listing(partner, actor=member(partner), **answers)
    assert set(refused.value.fields) == {field}
    assert db.session.scalar(select(Listing.id)) is None


def test_every_save_is_a_fact(desk: Desk) -> None:
    desk.save(tagline="Another line about the tides")
    desk.save(tags=["sea"])
    db.session.commit()
    saved = db.session.scalars(select(Fact).where(Fact.kind == "revision.saved")).all()
    assert [fact.data["fields"] for fact in saved] == [["tagline"], ["tags"]]
    assert {fact.actor_user_id for fact in saved} == {desk.actor.user_id}
