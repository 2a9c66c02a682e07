"""14 Increase Reciprocity: P and O open one statement of what they gave each other."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest
from flask import Flask

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.program.measures import Measure, measure
from tests.conftest import SignIn
from tests.factories.exposure import make_sightings
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform

DAY = datetime(2026, 11, 20, 10, tzinfo=UTC)
LINE = re.compile(r'data-line="(\w+)">([^<]+)<')


def _give(partner: Organization) -> None:
    make_sightings(make_listing(partner), 9)
    for what, amount, currency in (
        (Measure.LEADS_ACCEPTED, 1, ""),
        (Measure.DEALS_WON, 1, ""),
        (Measure.DEALS_SOURCED, 100_000, "EUR"),
        (Measure.NET_REVENUE, 250_000, "EUR"),
        (Measure.NET_REVENUE, -50_000, "EUR"),
        (Measure.NET_REVENUE, 7_700, "USD"),
        (Measure.PARTNERS_INVITED, 1, ""),
    ):
        measure(
            partner.id,
            what,
            amount,
            key=f"{partner.id}:{what}:{amount}:{currency}",
            source=("deal", 1),
            currency=currency,
        )
    # On the last evening of October in UTC, which is November in Tokyo.
    measure(
        partner.id,
        Measure.DEALS_WON,
        key=f"{partner.id}:october",
        source=("deal", 2),
        at=datetime(2026, 10, 31, 20, tzinfo=UTC),
    )
    db.session.commit()


def test_014_increase_reciprocity(app: Flask, sign_in: SignIn) -> None:
    with clock.frozen(DAY):
        partner, rival = make_organization("Quayside", slug="quayside"), make_organization("Rivals")
        owner = make_member(partner, Role.OWNER)
        owner.timezone = "Asia/Tokyo"
        manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
        manager.timezone = "America/Los_Angeles"
        _give(partner)
        _give(rival)
        theirs, ours = sign_in(owner, partner), sign_in(manager)
        for query in ("period=month", "period=year", "period=custom&from=2026-10-31&to=2026-10-31"):
            own = theirs.get(f"/partner/reciprocity?{query}")
            staff = ours.get(f"/staff/program/reciprocity/quayside?{query}")
            assert (own.status_code, staff.status_code) == (200, 200)
            assert LINE.findall(own.text) == LINE.findall(staff.text)
            files = [
                theirs.get(f"/partner/reciprocity.csv?{query}").data,
                ours.get(f"/staff/program/reciprocity/quayside/statement.csv?{query}").data,
            ]
            assert files[0] == files[1]
        lines = dict(LINE.findall(theirs.get("/partner/reciprocity?period=month").text))
        assert lines["views"] == "9"
        assert lines["leads"] == "1"
        assert lines["deals"] == "1"
        assert lines["sourced"] == "€1,000.00"
        assert lines["referrals"] == "1"
        text = theirs.get("/partner/reciprocity.csv?period=month").data.decode("utf-8-sig")
        revenue = {
            row["currency"]: row["sum"]
            for row in csv.DictReader(io.StringIO(text))
            if row["what"] == "Net revenue"
        }
        assert revenue == {"EUR": "2000.00", "USD": "77.00"}
        pdf = theirs.get("/partner/reciprocity.pdf?period=month")
        again = ours.get("/staff/program/reciprocity/quayside/statement.pdf?period=month")
        assert pdf.data.startswith(b"%PDF")
        assert pdf.data == again.data


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.DEVELOPER])
def test_it_is_for_those_who_deal_with_money(app: Flask, sign_in: SignIn, role: Role) -> None:
    partner = make_organization("Quayside", slug="quayside")
    browser = sign_in(make_member(partner, role), partner)
    for path in ("/partner/reciprocity", "/partner/reciprocity.csv", "/partner/reciprocity.pdf"):
        assert browser.get(path).status_code == 403
    assert browser.get("/staff/program/reciprocity/quayside").status_code == 404


def test_nonsense_is_no_error(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    browser = sign_in(make_member(partner), partner)
    for query in ("period=custom&from=9999-12-31&to=9999-12-31", "period=%00", "from=x"):
        for end in ("", ".csv", ".pdf"):
            assert browser.get(f"/partner/reciprocity{end}?{query}").status_code == 200
