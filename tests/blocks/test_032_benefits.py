"""Row 32, Benefits: a partner claims a benefit, the operator marks it as fulfilled."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.benefits.models import BenefitClaim, ClaimState
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing

SignIn = Callable[..., FlaskClient]
BENEFITS = [
    {"key": "voucher", "name": "Exam voucher", "per_year": {"silver": 1, "gold": 5}},
    {"key": "webinar", "name": "Joint webinar", "per_year": {"gold": 1}},
]


def test_032_benefits(app: Flask, sign_in: SignIn, run_jobs: Callable[[], int]) -> None:
    make_policy(benefits=BENEFITS)
    partner = make_organization()
    make_standing(partner, "gold")
    owner = make_member(partner)
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
    client = sign_in(owner, partner)
    assert "5 of 5 left" in client.get("/partner/benefits").text
    for _ in range(5):
        response = client.post("/partner/benefits/voucher/claim", data={"note": "For Ada"})
        assert response.status_code == 303
    assert "0 of 5 left" in client.get("/partner/benefits").text
    sixth = client.post("/partner/benefits/voucher/claim")
    assert sixth.status_code == 409
    assert "All 5 of this year are claimed" in sixth.text

    staff = sign_in(manager)
    queue = staff.get("/staff/benefits").text
    assert "Exam voucher" in queue
    assert "For Ada" in queue
    db.session.rollback()
    claim = db.session.scalars(select(BenefitClaim).order_by(BenefitClaim.id)).first()
    assert claim is not None
    url = f"/staff/benefits/claims/{claim.public_id}"
    assert "For Ada" in staff.get(url).text
    done = staff.post(url, data={"outcome": "fulfil", "answer": "Code ABC"})
    assert done.status_code == 303
    page = client.get("/partner/benefits").text
    assert "Fulfilled" in page
    assert "Code ABC" in page
    run_jobs()
    told = [each["body"] for each in mails() if each["to"] == owner.email]
    assert "Code ABC" in told[-1]


def test_what_is_refused_or_withdrawn_does_not_count(app: Flask, sign_in: SignIn) -> None:
    make_policy(benefits=BENEFITS)
    partner = make_organization()
    make_standing(partner, "silver")
    client = sign_in(make_member(partner), partner)
    staff = sign_in(make_member(make_platform(), Role.SUPPORT))
    claim_url = "/partner/benefits/voucher/claim"
    assert client.post(claim_url).status_code == 303
    assert client.post(claim_url).status_code == 409
    db.session.rollback()
    claim = db.session.scalars(select(BenefitClaim)).one()
    url = f"/staff/benefits/claims/{claim.public_id}"
    assert staff.post(url, data={"outcome": "refuse"}).status_code == 422
    assert staff.post(url, data={"outcome": "maybe"}).status_code == 422
    assert staff.post(url, data={"outcome": "refuse", "answer": "Sold out"}).status_code == 303
    assert client.post(claim_url).status_code == 303
    db.session.rollback()
    newest = db.session.scalars(
        select(BenefitClaim).where(BenefitClaim.state == ClaimState.CLAIMED)
    ).one()
    withdrawn = client.post(f"/partner/benefits/claims/{newest.public_id}/withdraw")
    assert withdrawn.status_code == 303
    assert client.post(claim_url).status_code == 303


def test_a_new_year_in_utc_counts_anew(app: Flask, sign_in: SignIn) -> None:
    make_policy(benefits=BENEFITS, effective_at=datetime(2025, 1, 1, tzinfo=UTC))
    partner = make_organization()
    make_standing(partner, "silver")
    owner = make_member(partner)
    with clock.frozen(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)):
        client = sign_in(owner, partner)
        assert client.post("/partner/benefits/voucher/claim").status_code == 303
        assert client.post("/partner/benefits/voucher/claim").status_code == 409
    with clock.frozen(datetime(2027, 1, 1, 0, 0, tzinfo=UTC)):
        assert client.post("/partner/benefits/voucher/claim").status_code == 303


def test_bad_input_is_refused_in_words(app: Flask, sign_in: SignIn) -> None:
    make_policy(benefits=BENEFITS)
    partner = make_organization()
    make_standing(partner, "gold")
    client = sign_in(make_member(partner), partner)
    url = "/partner/benefits/voucher/claim"
    long = client.post(url, data={"note": "x" * 10_000})
    assert long.status_code == 422
    assert "At most 1,000 characters" in long.text
    assert client.post(url, data={"note": "a\x00b"}).status_code == 422
    assert client.post("/partner/benefits/moon/claim").status_code == 404
    assert client.post(f"/partner/benefits/{'x' * 500}/claim").status_code == 404
    assert client.get("/partner/benefits?page=-1").status_code == 200
    assert "claim,benefit" in client.get("/partner/benefits/claims.csv").text


def test_who_is_at_no_tier_has_nothing_to_claim(app: Flask, sign_in: SignIn) -> None:
    make_policy(benefits=BENEFITS)
    partner = make_organization()
    client = sign_in(make_member(partner), partner)
    assert "Not in the program yet" in client.get("/partner/benefits").text
    assert client.post("/partner/benefits/voucher/claim").status_code == 409
    viewer = sign_in(make_member(partner, Role.VIEWER), partner)
    assert viewer.post("/partner/benefits/voucher/claim").status_code in (403, 404)


def test_staff_find_claims_and_download_them(app: Flask, sign_in: SignIn) -> None:
    make_policy(benefits=BENEFITS)
    partner = make_organization("=cmd Quay")
    make_standing(partner, "gold")
    sign_in(make_member(partner), partner).post("/partner/benefits/webinar/claim")
    staff = sign_in(make_member(make_platform(), Role.OWNER))
    assert "=cmd Quay" in staff.get("/staff/benefits?q=CMD").text
    assert "No claims like that" in staff.get("/staff/benefits?q=nobody").text
    assert "No claims like that" in staff.get("/staff/benefits?state=refused&benefit=webinar").text
    for query in ("?page=-1", "?state=x", "?benefit=%00", "?q=%00%25_"):
        assert staff.get(f"/staff/benefits{query}").status_code == 200
    table = staff.get("/staff/benefits/claims.csv?state=all").text
    assert "Joint webinar" in table
    assert ",'=cmd Quay" in table
