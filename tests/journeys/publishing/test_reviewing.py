"""Reviewing over HTTP."""

import csv
import io
from email import message_from_bytes
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.models import Listing, Revision, RevisionState
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.journeys.publishing.browser import answers_of, hidden_value

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def listing(app) -> Listing:
    return make_listing(make_organization("=Quay,side"), slug="tides")


@pytest.fixture
def editor(sign_in, listing) -> FlaskClient:
    person = make_member(
        listing.publisher, Role.EDITOR, make_user("Mara Lind", "mara@quayside.example")
    )
    return sign_in(person, listing.publisher)


@pytest.fixture
def reviewer(sign_in, listing) -> FlaskClient:
    platform = make_platform()
    return sign_in(make_member(platform, Role.REVIEWER, make_user("Noor Haddad")), platform)


def hand_in(editor: FlaskClient, **answers: str) -> str:
    """Change the basics, submit; the path of the review."""
    url = "/partner/listings/tides/edit/basics"
    editor.post(url, data={**answers_of(editor.get(url).text), **answers})
    editor.post("/partner/listings/tides/submission")
    db.session.rollback()
    revision_id = db.session.scalar(
        select(Revision.id).where(Revision.state == RevisionState.SUBMITTED)
    )
    return f"/staff/reviews/{revision_id}"


def letters(app: Flask) -> list[tuple[str, str, str]]:
    folder: Path = app.extensions["portico_settings"].data_dir / "mail"
    found = [message_from_bytes(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]
    return [
        (str(mail["To"]), str(mail["Subject"]), str(mail.get_payload(decode=True).decode()))
        for mail in found
    ]


def test_the_difference_is_readable(editor: FlaskClient, reviewer: FlaskClient) -> None:
    page = reviewer.get(hand_in(editor, name="Tide Almanac", tags="calendar\nsea")).text
    assert (
        '<del class="diff-del"><span class="visually-hidden">removed: </span>Tables</del>' in page
    )
    assert '<ins class="diff-ins"><span class="visually-hidden">added: </span>Almanac</ins>' in page
    assert '<ins class="diff-ins">sea</ins>' in page
    assert '<del class="diff-del">weather</del>' in page
    assert "Number 1 in the queue" in page


def test_a_request_for_changes_reaches_the_editor_by_mail_and_at_the_field(
    app: Flask, editor: FlaskClient, reviewer: FlaskClient, run_jobs
) -> None:
    review = hand_in(editor, name="Tide Almanac")
    empty = reviewer.post(f"{review}/changes-request", data={"note-name": ""})
    assert empty.status_code == 422
    assert "Say what has to change" in empty.text
    assert (
        reviewer.post(
            f"{review}/changes-request",
            data={"body": "Nearly there.", "note-name": "An almanac is a book."},
        ).status_code
        == 303
    )
    run_jobs()
    ((to, subject, body),) = letters(app)
    assert to == "mara@quayside.example"
    assert subject == "Tide Tables: changes requested"
    assert "Name: An almanac is a book." in body
    assert "http://localhost/partner/listings/tides" in body
    assert "An almanac is a book." in editor.get("/partner/listings/tides").text
    assert "An almanac is a book." in editor.get("/partner/listings/tides/edit/basics").text
    assert "Noor Haddad" not in editor.get("/partner/listings/tides").text
    twice = reviewer.post(
        f"{review}/changes-request", data={"body": "Nearly there."}, follow_redirects=True
    )
    assert "It was sent back already." in twice.text


def test_an_approval_without_the_checklist_is_refused_at_the_list(
    editor: FlaskClient, reviewer: FlaskClient
) -> None:
    review = hand_in(editor, name="Tide Almanac")
    answer = reviewer.post(f"{review}/approval", data={"checklist": ["name"]})
    assert answer.status_code == 422
    assert "Look at everything on the list first; 2 left." in answer.text
    assert 'value="name" checked' in answer.text


def test_a_stale_approval_is_told(editor: FlaskClient, reviewer: FlaskClient) -> None:
    review = hand_in(editor, name="Tide Almanac")
    version = hidden_value(reviewer.get(review).text, "version")
    editor.post("/partner/listings/tides/submission/withdrawal")
    hand_in(editor, name="Something Else")
    answer = reviewer.post(
        f"{review}/approval",
        data={"checklist": ["name", "links", "data"], "version": version},
    )
    assert answer.status_code == 409
    assert db.session.scalar(select(Listing.name)) == "Tide Tables"


def test_notes_are_for_colleagues_unless_told_otherwise(
    editor: FlaskClient, reviewer: FlaskClient
) -> None:
    review = hand_in(editor, name="Tide Almanac")
    reviewer.post(f"{review}/notes", data={"body": "Smells of <b>fish</b>"})
    reviewer.post(f"{review}/notes", data={"body": "Good name", "for_partner": "y"})
    assert "Smells of &lt;b&gt;fish" in reviewer.get(review).text
    page = editor.get("/partner/listings/tides").text
    assert "Smells" not in page
    assert "Good name" in page
    assert reviewer.post(f"{review}/notes", data={"body": "x" * 4_001}).status_code == 422


@pytest.mark.parametrize("chosen", ["", "0", "x", "9" * 30, "-1"])
def test_a_review_is_given_to_reviewers_only(
    editor: FlaskClient, reviewer: FlaskClient, chosen: str
) -> None:
    review = hand_in(editor, name="Tide Almanac")
    answer = reviewer.post(f"{review}/assignment", data={"reviewer": chosen})
    assert answer.status_code == 422
    assert "Choose one of the reviewers." in answer.text


def test_a_review_is_taken_and_put_back(editor: FlaskClient, reviewer: FlaskClient) -> None:
    review = hand_in(editor, name="Tide Almanac")
    reviewer.post(f"{review}/claim")
    assert "Put it back" in reviewer.get(review).text
    assert "Tide Almanac" in reviewer.get("/staff/reviews?show=mine").text
    reviewer.post(f"{review}/release")
    assert "Tide Almanac" not in reviewer.get("/staff/reviews?show=mine").text


def test_the_page_as_proposed_is_not_for_search_engines(
    editor: FlaskClient, reviewer: FlaskClient
) -> None:
    page = reviewer.get(hand_in(editor, name="Tide Almanac") + "/preview").text
    assert "Tide Almanac" in page
    assert "noindex" in page


def test_the_history_is_a_file_that_no_spreadsheet_runs(
    editor: FlaskClient, reviewer: FlaskClient
) -> None:
    review = hand_in(editor, name="Tide Almanac")
    reviewer.post(f"{review}/approval", data={"checklist": ["name", "links", "data"]})
    answer = reviewer.get("/staff/reviews/history.csv")
    assert answer.mimetype == "text/csv"
    header, row = csv.reader(io.StringIO(answer.text))
    told = dict(zip(header, row, strict=True))
    assert told["publisher"] == "'=Quay,side"
    assert told["state"] == "published"
    assert told["reviewer"] == "Noor Haddad"
    assert told["hours waited"] == "0.0"
    assert "Tide Almanac" in reviewer.get("/staff/reviews/decided").text


def test_a_sample_is_checked_and_taken_back_over_http(
    editor: FlaskClient, reviewer: FlaskClient, client: FlaskClient, listing: Listing
) -> None:
    url = "/partner/listings/tides/edit/basics"
    answers = answers_of(editor.get(url).text)
    editor.post(url, data={**answers, "tagline": "The greatest tides that ever were"})
    editor.post("/partner/listings/tides/submission")
    revision = db.session.scalar(select(Revision).where(Revision.number == 2))
    assert revision is not None
    revision.sampled = True
    db.session.commit()
    review = f"/staff/reviews/{revision.id}"
    assert "Tide Tables" in reviewer.get("/staff/reviews?show=samples").text
    assert "greatest" in client.get("/listings/tides").text
    assert reviewer.post(f"{review}/reversion", data={"body": ""}).status_code == 422
    assert reviewer.post(f"{review}/reversion", data={"body": "Too loud"}).status_code == 303
    assert "greatest" not in client.get("/listings/tides").text
    assert "Too loud" in editor.get("/partner/listings/tides").text
    again = reviewer.post(f"{review}/reversion", data={"body": "Too loud"})
    assert again.status_code == 409
