"""Editing over HTTP: what is wrong is told at its field, what was typed is kept."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.models import Listing, Revision, RevisionState
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization
from tests.journeys.publishing.browser import answers_of

pytestmark = pytest.mark.usefixtures("app")
Answers = dict[str, Any]


@pytest.fixture
def listing(app) -> Listing:
    return make_listing(make_organization("Quayside"), slug="tides")


@pytest.fixture
def editor(sign_in, listing) -> FlaskClient:
    return sign_in(make_member(listing.publisher, Role.EDITOR), listing.publisher)


@pytest.fixture
def colleague(sign_in, listing) -> FlaskClient:
    return sign_in(make_member(listing.publisher, Role.OWNER), listing.publisher)


def form(browser: FlaskClient, section: str, **answers: Any) -> Answers:
    page = browser.get(f"/partner/listings/tides/edit/{section}")
    return {**answers_of(page.text), **answers}


def draft() -> dict[str, Any]:
    db.session.rollback()
    return db.session.scalar(select(Revision.content).where(Revision.state == RevisionState.DRAFT))


@pytest.mark.parametrize(
    ("section", "answers", "message"),
    [
        ("basics", {"name": "x" * 10_000}, "Use at most 60 characters; this has 10,000."),
        ("basics", {"kind": "zeppelin"}, "Choose one of the options."),
        ("basics", {"main_category": "nowhere"}, "Choose a category from the list."),
        ("basics", {"brand_color": "url(x)"}, "Enter a colour as #"),
        ("basics", {"tags": "\n".join("abcdefghijklm")}, "Use at most 12 entries; there are 13."),
        ("description", {"description": "Short"}, "Use at least 40 characters."),
        ("description", {"description": "x" * 20_001}, "this has 20,001."),
        ("links", {"website_url": "javascript:alert(1)"}, "Enter a full web address"),
        ("links", {"support_email": "<script>"}, "Enter an e-mail address"),
        ("links", {"video_url": "https://evil.example/"}, "YouTube, Vimeo or Loom"),
        ("access", {"scopes-0-reason": ""}, "This is needed."),
        ("access", {"auth_kinds": "telepathy"}, "Choose one of the options."),
        ("data", {"data_shared-0-direction": "up"}, "Choose one of the options."),
        ("operations", {"action_count": "lots"}, "Enter a whole number."),
        ("operations", {"actions-0-description": "x" * 301}, "this has 301."),
        ("pricing", {"pricing-summary": "x" * 161}, "this has 161."),
        ("pricing", {"pricing-model": "barter"}, "Choose one of the options."),
        ("security", {"security-retention": "x" * 501}, "this has 501."),
        ("security", {"compliance": "iso1"}, "Choose one of the options."),
        ("regions", {"other_languages": "elvish!"}, "Enter language codes"),
        ("regions", {"regions": "moon"}, "Choose one of the options."),
    ],
)
def test_what_is_wrong_is_told_and_kept(
    editor: FlaskClient, section: str, answers: Answers, message: str
) -> None:
    answer = editor.post(
        f"/partner/listings/tides/edit/{section}", data=form(editor, section, **answers)
    )
    assert answer.status_code == 422
    assert message in answer.text
    assert "What you typed is saved in the draft" in answer.text
    ((name, value),) = answers.items()
    again = answers_of(editor.get(f"/partner/listings/tides/edit/{section}").text)
    if name not in {"kind", "main_category", "auth_kinds", "compliance", "regions"} and not (
        name.endswith(("direction", "model"))
    ):
        assert again[name] == [value]
    assert draft() is not None


def test_hostile_words_are_shown_as_words(editor: FlaskClient) -> None:
    words = '<script>alert(1)</script> "><img src=x onerror=alert(2)> [x](javascript:alert(3)) '
    editor.post(
        "/partner/listings/tides/edit/description",
        data=form(editor, "description", description=words * 2),
    )
    editor.post(
        "/partner/listings/tides/edit/basics", data=form(editor, "basics", tagline=words[:60])
    )
    for path in ("", "/edit/description", "/edit/basics", "/preview", "/changes"):
        text = editor.get(f"/partner/listings/tides{path}").text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert 'href="javascript' not in text, path


def test_rows_are_added_and_removed_without_javascript(editor: FlaskClient) -> None:
    url = "/partner/listings/tides/edit/access"
    added = editor.post(url, data=form(editor, "access", add_row="scopes"))
    assert added.status_code == 200
    rows = answers_of(added.text)
    assert rows["scopes-0-scope"] == ["events.write"]
    assert rows["scopes-1-scope"] == [""]
    rows |= {"scopes-1-scope": ["mail.send"], "scopes-1-reason": ["To warn of storms"]}
    removed = editor.post(url, data={**rows, "remove_row": "scopes-0"})
    rows = answers_of(removed.text)
    assert rows["scopes-0-scope"] == ["mail.send"]
    assert "scopes-1-scope" not in rows
    assert draft() is None
    assert editor.post(url, data=rows).status_code == 303
    assert draft()["scopes"] == [{"scope": "mail.send", "reason": "To warn of storms"}]


@pytest.mark.parametrize(
    "row", ["nothing", "scopes-99", "scopes-", "-1", "seen-0", "scopes-0-scope", ""]
)
def test_a_row_that_is_not_there_is_not_removed(editor: FlaskClient, row: str) -> None:
    url = "/partner/listings/tides/edit/access"
    for button in ("remove_row", "add_row"):
        answer = editor.post(url, data=form(editor, "access", **{button: row}))
        assert answer.status_code in {200, 303}
        assert answers_of(editor.get(url).text)["scopes-0-scope"] == ["events.write"]


def test_the_second_of_two_editors_sees_both_texts_and_keeps_either(
    editor: FlaskClient, colleague: FlaskClient
) -> None:
    url = "/partner/listings/tides/edit/basics"
    mine = form(editor, "basics", tagline="My line about the tides", tags="mine\nsecond")
    theirs = form(colleague, "basics", tagline="Their line about tides", tags="theirs")
    assert colleague.post(url, data=theirs).status_code == 303
    clash = editor.post(url, data=mine)
    assert clash.status_code == 409
    assert "Somebody else saved this too" in clash.text
    for words in ("Their", "My", "theirs", "mine"):
        assert words in clash.text
    assert draft()["tagline"] == "Their line about tides"
    answers = answers_of(clash.text)
    assert answers["tagline"] == ["My line about the tides"]
    answers |= {"keep-tags": ["theirs"], "keep-tagline": ["mine"]}
    assert editor.post(f"{url}/resolution", data=answers).status_code == 303
    assert draft()["tagline"] == "My line about the tides"
    assert draft()["tags"] == ["theirs"]


def test_a_third_editor_during_the_choice_is_told_as_well(
    editor: FlaskClient, colleague: FlaskClient
) -> None:
    url = "/partner/listings/tides/edit/basics"
    mine = form(editor, "basics", tagline="My line about the tides")
    colleague.post(url, data=form(colleague, "basics", tagline="Their line about tides"))
    answers = answers_of(editor.post(url, data=mine).text)
    colleague.post(url, data=form(colleague, "basics", tagline="Their third line on tides"))
    again = editor.post(f"{url}/resolution", data={**answers, "keep-tagline": "mine"})
    assert again.status_code == 409
    assert "third" in again.text
    assert answers_of(again.text)["tagline"] == ["My line about the tides"]


def test_editors_of_different_sections_do_not_meet(
    editor: FlaskClient, colleague: FlaskClient
) -> None:
    mine = form(editor, "basics", tagline="My line about the tides")
    theirs = form(colleague, "setup", setup_guide="Their guide to the tides")
    assert colleague.post("/partner/listings/tides/edit/setup", data=theirs).status_code == 303
    assert editor.post("/partner/listings/tides/edit/basics", data=mine).status_code == 303
    assert draft()["setup_guide"] == "Their guide to the tides"
    assert draft()["tagline"] == "My line about the tides"


def test_autosave_saves_and_hands_back_what_the_next_save_needs(editor: FlaskClient) -> None:
    url = "/partner/listings/tides/edit/basics/autosave"
    answers = form(editor, "basics", tagline="First autosaved line")
    first = editor.post(url, data=answers)
    assert first.status_code == 200
    state = json.loads(first.text)
    assert state["saved_at"]
    assert state["problems"] == {}
    answers |= {"tagline": "x", "seen": state["seen"], "version": state["version"]}
    second = editor.post(url, data=answers)
    assert second.status_code == 200
    assert json.loads(second.text)["problems"] == {"tagline": "Use at least 10 characters."}
    assert draft()["tagline"] == "x"


def test_autosave_tells_of_a_conflict_and_overwrites_nothing(
    editor: FlaskClient, colleague: FlaskClient
) -> None:
    answers = form(editor, "basics", tagline="My line about the tides")
    theirs = form(colleague, "basics", tagline="Their line about tides")
    colleague.post("/partner/listings/tides/edit/basics", data=theirs)
    answer = editor.post("/partner/listings/tides/edit/basics/autosave", data=answers)
    assert answer.status_code == 409
    assert "Somebody else changed this section" in json.loads(answer.text)["message"]
    assert draft()["tagline"] == "Their line about tides"


def test_in_review_a_save_is_refused_with_the_typed_text_still_there(
    editor: FlaskClient, colleague: FlaskClient
) -> None:
    answers = form(editor, "basics", name="Tide Almanac Nine")
    colleague.post("/partner/listings/tides/edit/basics", data=form(colleague, "basics", name="A1"))
    colleague.post("/partner/listings/tides/submission")
    for path in ("", "/autosave"):
        answer = editor.post(f"/partner/listings/tides/edit/basics{path}", data=answers)
        assert answer.status_code == 409
        assert "Withdraw the submission" in answer.text
    page = editor.post("/partner/listings/tides/edit/basics", data=answers)
    assert "Tide Almanac Nine" in page.text
    back = editor.post("/partner/listings/tides/submission/withdrawal")
    assert back.status_code == 303
    assert editor.post(
        "/partner/listings/tides/edit/basics", data=form(editor, "basics", name="Tide Nine")
    ).location.endswith("/edit/basics")


def test_save_and_continue_walks_through_all_sections(editor: FlaskClient) -> None:
    url, seen = "/partner/listings/tides/edit/basics", []
    while "/edit/" in url:
        seen.append(url.rpartition("/")[2])
        answers = answers_of(editor.get(url).text)
        url = editor.post(url, data={**answers, "next": "1"}).location
    assert len(seen) == len(set(seen)) == 11
    assert url == "/partner/listings/tides"


def test_an_incomplete_draft_is_not_submitted_and_links_to_each_field(
    editor: FlaskClient,
) -> None:
    editor.post(
        "/partner/listings/tides/edit/basics",
        data=form(editor, "basics", tagline="", name="x" * 61),
    )
    answer = editor.post("/partner/listings/tides/submission")
    assert answer.status_code == 422
    assert 'href="/partner/listings/tides/edit/basics#tagline"' in answer.text
    assert 'href="/partner/listings/tides/edit/basics#name"' in answer.text


def test_the_preview_shows_the_draft_and_is_kept_from_search_engines(
    editor: FlaskClient, client: FlaskClient
) -> None:
    editor.post(
        "/partner/listings/tides/edit/basics",
        data=form(editor, "basics", tagline="Not public, not for a while"),
    )
    page = editor.get("/partner/listings/tides/preview").text
    assert "Not public, not for a while" in page
    assert 'name="robots" content="noindex' in page
    assert "Not public" not in client.get("/listings/tides").text


def test_a_discarded_draft_comes_back(editor: FlaskClient) -> None:
    editor.post(
        "/partner/listings/tides/edit/basics",
        data=form(editor, "basics", tagline="Words that are worth keeping"),
    )
    editor.post("/partner/listings/tides/draft/discard")
    editor.post("/partner/listings/tides/draft/discard")
    assert draft() is None
    page = editor.get("/partner/listings/tides").text
    assert "Take the discarded draft up again" in page
    editor.post("/partner/listings/tides/draft/return")
    assert draft()["tagline"] == "Words that are worth keeping"


def test_a_section_that_does_not_exist_is_not_found(editor: FlaskClient) -> None:
    assert editor.get("/partner/listings/tides/edit/nonsense").status_code == 404
    assert editor.post("/partner/listings/tides/edit/nonsense").status_code == 404


def test_drift_is_told_and_settled_field_by_field(editor: FlaskClient, listing: Listing) -> None:
    from marketplace.catalogue.content import ListingContent
    from marketplace.catalogue.publication import apply_content

    editor.post(
        "/partner/listings/tides/edit/basics",
        data=form(editor, "basics", tagline="My line about the tides", tags="mine"),
    )
    stored = db.session.get(Listing, listing.id)
    assert stored is not None
    imported = {**stored.content, "tagline": "Imported line on tides", "tags": ["imported"]}
    apply_content(stored, ListingContent.model_validate(imported))
    db.session.commit()
    assert editor.post("/partner/listings/tides/submission").status_code == 409
    assert "changed since this draft began" in editor.get("/partner/listings/tides").text
    page = editor.get("/partner/listings/tides/changes").text
    assert "Imported" in page
    answers = {"keep-tags": "published", "keep-tagline": "draft"}
    assert editor.post("/partner/listings/tides/draft/rebase", data=answers).status_code == 303
    assert draft()["tags"] == ["imported"]
    assert draft()["tagline"] == "My line about the tides"
    assert editor.post("/partner/listings/tides/submission").status_code == 303
