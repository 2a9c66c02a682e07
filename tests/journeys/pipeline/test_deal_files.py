"""Deals in files, and as the staff sees all of them."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.pipeline.deals.importing import MAX_ROWS
from marketplace.pipeline.deals.models import Deal, DealImport, DealStage, DealState
from marketplace.pipeline.deals.services.files import forget_files
from marketplace.pipeline.deals.services.registering import register_deal
from marketplace.pipeline.deals.terms import DealTerms
from tests.conftest import SignIn
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing
from tests.factories.queries import count_queries

HEAD = "Deal;Company;Website;Product;Amount;Currency;Close on;Notes\r\n"


@pytest.fixture
def partner(app: Flask) -> Organization:
    """A partner of the program."""
    make_policy()
    organization = make_organization("Quayside", slug="quayside")
    make_standing(organization)
    return organization


@pytest.fixture
def p(partner: Organization, sign_in: SignIn) -> FlaskClient:
    """Its owner's browser."""
    return sign_in(make_member(partner), partner)


@pytest.fixture
def staff(partner: Organization, sign_in: SignIn) -> FlaskClient:
    """A program manager's browser."""
    return sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))


def sent(text: str, name: str = "deals.csv") -> dict[str, Any]:
    return {"file": (io.BytesIO(text.encode()), name)}


def make_deal(organization: Organization, number: int, **fields: Any) -> Deal:
    terms = DealTerms(
        title=f"Deal {number}", customer_name=f"Customer {number}",
        customer=f"customer{number}.example", amount=100_000, currency="EUR", product="Tides",
    )  # fmt: skip
    deal = register_deal(terms, organization=organization, by_user_id=None)
    for name, value in fields.items():
        setattr(deal, name, value)
    db.session.flush()
    return deal


def test_a_file_is_looked_at_before_it_registers(
    partner: Organization, p: FlaskClient, sign_in: SignIn
) -> None:
    listing = make_listing(partner, name="Tide Tables")
    rival = make_organization("Rivals")
    make_standing(rival)
    make_deal(rival, 3)
    db.session.commit()
    text = HEAD + (
        "Office;Blue Kite;https://www.bluekite.example/x;tide tables;1200.50;eur;2027-03-31;'=1+1\n"
        "Twice;Blue Kite;bluekite.example;Tide Tables;1;EUR;;\n"
        "Rivals;Customer 3;customer3.example;Tides;100;EUR;;\n"
        "Wrong;;gmail.com;;many;XXX;soon;\n"
        "Colleague;Birch;birch.example;Calendars;99;EUR;;\n"
    )
    assert "/partner/deals/import" in p.get("/partner/deals").text
    read = p.post("/partner/deals/import", data=sent(text))
    assert read.status_code == 303
    page = p.get(read.location).text
    assert "3 rows can be registered, 2 have errors" in page
    for message in (
        "The same customer and product stand in line 2.",
        "This is a mail provider&#39;s domain.",
        "Choose a listing, or name the product.",
        "Choose a currency.",
        "Write the day like 2027-03-31.",
        "Enter the customer&#39;s name.",
    ):
        assert message in page, message
    assert db.session.query(Deal).count() == 1
    assert sign_in(make_member(rival), rival).get(read.location).status_code == 404

    # A colleague registers one of the rows meanwhile.
    colleague = make_deal(partner, 9)
    colleague.customer_domain = "birch.example"
    taken = {"title": "Mine", "customer_name": "Birch", "customer": "birch.example",
             "product": "Calendars", "currency": "EUR", "amount": "99"}  # fmt: skip
    db.session.commit()
    assert p.post("/partner/deals/register", data=taken).status_code == 303
    done = p.post(read.location, follow_redirects=True).text
    assert "Registered 2 deals, 1 of them in conflict: staff decide." in done
    assert "You have registered this customer for this product already." in done
    assert "0 rows can be registered, 3 have errors" in done
    made = {deal.title: deal for deal in db.session.query(Deal) if deal.title in text}
    assert (made["Office"].listing_id, made["Office"].amount) == (listing.id, 120_050)
    assert str(made["Office"].close_on) == "2027-03-31"
    assert made["Office"].description == "=1+1"
    assert made["Rivals"].state is DealState.CONFLICT
    # What is left has no good row; it is forgotten by hand, or after a day.
    assert p.post(read.location).location.endswith("/partner/deals/import")
    assert p.post(f"{read.location}/discard").status_code == 303
    assert p.get(read.location).status_code == 404


def test_a_file_without_refused_rows_is_gone_once_it_is_confirmed(p: FlaskClient) -> None:
    read = p.post("/partner/deals/import", data=sent(HEAD + "A;B;b.example;C;1;EUR\n"))
    assert p.post(read.location).location.endswith("/partner/deals")
    assert p.post(read.location).status_code == 404
    assert db.session.query(DealImport).count() == 0
    p.post("/partner/deals/import", data=sent(HEAD + "A;B;d.example;C;1;EUR\n"))
    with clock.frozen(clock.now() + timedelta(days=2)):
        forget_files({})
    assert db.session.query(DealImport).count() == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The file is empty."),
        ("Deal;Company\nA;B\n", "Missing: domain."),
        (HEAD, "no rows below"),
        (HEAD + "A;B;b.example;C;1;EUR\n" * (MAX_ROWS + 1), "At most 200 rows"),
        (HEAD + "\x00", "This is no text file."),
    ],
)
def test_a_file_that_cannot_be_read_says_why(p: FlaskClient, text: str, message: str) -> None:
    refused = p.post("/partner/deals/import", data=sent(text))
    assert refused.status_code == 422
    assert message in refused.text
    assert p.post("/partner/deals/import").status_code == 422


def test_whoever_may_not_register_deals_imports_none(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    organization = make_organization("Outside")
    viewer = sign_in(make_member(organization, Role.VIEWER), organization)
    assert viewer.get("/partner/deals/import").status_code in (403, 404)


def test_staff_has_all_deals_as_a_file_and_a_board(
    partner: Organization, staff: FlaskClient
) -> None:
    other = make_organization("Kitewell")
    make_standing(other)
    make_deal(partner, 1, stage=DealStage.PROPOSAL)
    make_deal(other, 2, title="=HYPERLINK()")
    make_deal(other, 3, state=DealState.REFUSED, decision_reason="No.")
    db.session.commit()
    board = staff.get("/staff/deals?view=board").text
    proposal = board.split('id="stage-proposal"')[1].split("</section>")[0]
    assert "Deal 1" in proposal
    assert "Quayside" in proposal
    assert "Deal 3" not in board
    assert "Deal 1" not in staff.get("/staff/deals?view=board&q=customer2").text
    queries = count_queries(lambda: staff.get("/staff/deals?view=board"))
    for number in range(4, 8):
        make_deal(other, number)
    db.session.commit()
    staff.get("/staff/deals?view=board")
    assert count_queries(lambda: staff.get("/staff/deals?view=board")) == queries

    def file_of(query: str) -> list[dict[str, str]]:
        answer = staff.get(f"/staff/deals/deals.csv?{query}")
        return list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))

    rows = {row["domain"]: row for row in file_of("show=all")}
    assert len(rows) == 7
    assert rows["customer1.example"]["partner"] == "Quayside"
    assert rows["customer1.example"]["stage"] == "proposal"
    assert rows["customer2.example"]["title"].startswith("'=")
    assert [row["decision_reason"] for row in file_of("show=closed")] == ["No."]
    assert [row["domain"] for row in file_of("show=all&q=customer2")] == ["customer2.example"]
    assert len(file_of("show=nonsense")) == 6  # what is to decide


def test_only_who_decides_about_deals_gets_the_file(
    partner: Organization, p: FlaskClient, sign_in: SignIn
) -> None:
    assert p.get("/staff/deals/deals.csv").status_code in (403, 404)
    reviewer = sign_in(make_member(make_platform(), Role.REVIEWER))
    assert reviewer.get("/staff/deals/deals.csv").status_code == 403
