"""A listing's life over HTTP."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization

pytestmark = pytest.mark.usefixtures("app")
BASE = "/partner/listings/tides"
REASON = "The maker stopped working on it."


@pytest.fixture
def listing(app) -> Listing:
    return make_listing(make_organization("Quayside"), slug="tides")


@pytest.fixture
def editor(sign_in, listing) -> FlaskClient:
    return sign_in(make_member(listing.publisher, Role.EDITOR), listing.publisher)


def status() -> str:
    db.session.rollback()
    return str(db.session.scalar(select(Listing.status).order_by(Listing.id)))


def test_beta_and_back(editor: FlaskClient) -> None:
    for verb, expected in (("beta", "beta"), ("beta", "beta"), ("activation", "active")):
        assert editor.post(f"{BASE}/{verb}").status_code == 303
        assert status() == expected
        assert editor.get(f"{BASE}/status").status_code == 200


def test_a_deprecation_names_its_successor_to_the_public(
    editor: FlaskClient, client: FlaskClient
) -> None:
    make_listing(make_organization("Moon Works"), name="Moonline", slug="moonline")
    db.session.commit()
    answer = editor.post(f"{BASE}/deprecation", data={"reason": "no", "successor": "nowhere"})
    assert answer.status_code == 422
    assert 'id="reason-error"' in answer.text
    assert 'id="successor-error"' in answer.text
    editor.post(f"{BASE}/deprecation", data={"reason": REASON, "successor": "moonline"})
    assert status() == "deprecated"
    page = client.get("/listings/tides").text
    assert REASON in page
    assert "/listings/moonline" in page
    assert "Moonline" in editor.get(f"{BASE}/status").text


def test_a_withdrawal_is_asked_leaves_a_tombstone_and_can_be_undone(
    editor: FlaskClient, client: FlaskClient
) -> None:
    assert "Withdraw Tide Tables?" in editor.get(f"{BASE}/withdrawal").text
    refused = editor.post(f"{BASE}/withdrawal", data={"reason": "See http://evil.example"})
    assert refused.status_code == 422
    assert "Leave out links" in refused.text
    assert status() == "active"
    assert editor.post(f"{BASE}/withdrawal", data={"reason": REASON}).status_code == 303
    assert status() == "withdrawn"
    assert REASON in client.get("/listings/tides").text
    assert editor.post(f"{BASE}/beta").status_code == 409
    editor.post(f"{BASE}/restoration")
    assert status() == "active"
    assert client.get("/listings/tides").status_code == 200


def test_a_new_address_takes_over_and_the_old_one_leads_to_it(
    editor: FlaskClient, client: FlaskClient
) -> None:
    bad = editor.post(f"{BASE}/address", data={"slug": "Not/Good"})
    assert bad.status_code == 422
    assert 'id="slug-error"' in bad.text
    moved = editor.post(f"{BASE}/address", data={"slug": "tide-tables"})
    assert moved.location == "/partner/listings/tide-tables/status"
    old = client.get("/listings/tides")
    assert old.status_code == 301
    assert old.location.endswith("/listings/tide-tables")
    assert editor.get(f"{BASE}/status").status_code == 404


def test_a_get_never_changes_a_life(editor: FlaskClient) -> None:
    for verb in ("beta", "activation", "deprecation", "restoration", "address", "submission"):
        assert editor.get(f"{BASE}/{verb}").status_code == 405
    assert status() == "active"
