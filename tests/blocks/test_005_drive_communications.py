"""5 Drive Communications: O sees reply times, and partners that went quiet."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job
from marketplace.identity.models import Organization, Role
from marketplace.observability.cockpit.models import PartnerMessage
from marketplace.program.measures import Measure, measure
from marketplace.program.standing.joining import record_move
from marketplace.program.standing.models import MoveKind
from tests.conftest import SignIn
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing
from tests.factories.queries import count_queries

DAY = datetime(2026, 11, 20, 10, tzinfo=UTC)


def _partner(name: str, *, silent: timedelta | None, **fields: str) -> Organization:
    partner = make_organization(name, slug=name.lower(), **fields)
    make_standing(partner, "silver", joined_at=DAY - timedelta(days=200))
    if silent is not None:
        measure(
            partner.id,
            Measure.ACTIVITY,
            key=f"{partner.id}:day",
            source=("portal_day", "x"),
            at=DAY - silent,
        )
    return partner


def test_005_drive_communications(app: Flask, sign_in: SignIn, run_jobs: Callable[[], int]) -> None:
    with clock.frozen(DAY):
        make_policy()
        quiet = _partner("Quayside", silent=timedelta(days=30))
        _partner("Meridian", silent=timedelta(days=29, hours=23))
        _partner("Never", silent=None)
        for number, minutes in enumerate((30, 90, 61)):
            measure(
                quiet.id,
                Measure.RESPONSE_MINUTES,
                minutes,
                key=f"{quiet.id}:{number}",
                source=("review", number),
                at=DAY - timedelta(days=60 + number),
            )
        owner = make_member(quiet, Role.OWNER)
        make_member(quiet, Role.VIEWER)
        browser = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))

        page = browser.get("/staff/program/quiet").text
        assert "Quayside" in page
        assert "Never" in page
        assert "Meridian" not in page
        assert "1 h" in page  # the mean of 30, 90 and 61 minutes is 60.33
        assert "3 answers" in page
        home = browser.get("/staff/program").text
        assert "Quayside" in home.split("Quiet partners", 1)[1].split("Movers")[0]
        assert "Meridian" in browser.get("/staff/program/quiet?show=all").text

        # O writes to it; a second click sends nothing more.
        form = browser.get("/staff/program/quiet/quayside/message").text
        assert owner.name in form
        key = re.search(r'name="form_key"[^>]*value="([^"]+)"', form)
        assert key is not None
        data = {"subject": "How are you?", "body": "We miss you.", "form_key": f"{key[1]}\0"}
        for _click in range(2):
            sent = browser.post("/staff/program/quiet/quayside/message", data=data)
            assert sent.status_code == 303
        # PostgreSQL keeps no NUL.
        assert [each.form_key for each in db.session.query(PartnerMessage)] == [key[1]]
        mails = db.session.query(Job).filter(Job.kind == "mail.send").all()
        assert [mail.payload["to"] for mail in mails] == [owner.email]
        assert "We miss you." in mails[0].payload["body"]

        # Somebody of the partner comes back: the list is without it.
        sign_in(owner, quiet).get("/partner")
        measure(quiet.id, Measure.ACTIVITY, key=f"{quiet.id}:now", source=("portal_day", "y"))
        db.session.commit()
        browser.get("/staff")  # what was sent is told once
        assert "Quayside" not in browser.get("/staff/program/quiet").text


def test_every_number_of_the_cockpit_leads_to_its_rows(app: Flask, sign_in: SignIn) -> None:
    with clock.frozen(DAY):
        live = make_policy(
            goals=[{"key": "deals", "name": "Deals", "measure": "deals_won", "target": 10}]
        )
        german = [_partner(f"German{n}", silent=None, country="DE") for n in range(3)]
        _partner("French", silent=None, country="FR", partner_type="reseller")
        standing = make_standing(
            make_organization("Grace", country="DE"),
            "gold",
            grace_until=DAY + timedelta(days=3),
            grace_tier="silver",
        )
        record_move(
            standing, MoveKind.GRACE_BEGAN, from_tier="gold", to_tier="gold", policy_id=live.id
        )
        measure(german[0].id, Measure.DEALS_WON, 4, key="d", source=("deal", 1))
        browser = sign_in(make_member(make_platform(), Role.SUPPORT))
        home = browser.get("/staff/program").text
        assert "4 of 10" in home

        def total(query: str) -> str:
            page = browser.get(f"/staff/program/partners?{query}").text
            return page.split('id="partner-total">')[1].split(" ")[0]

        for href, number in re.findall(r'<td class="heat-\d">\s*<a href="([^"]+)">(\d+)', home):
            assert total(href.split("?")[1].replace("&amp;", "&")) == number
        assert total("country=DE&type=technology") == "4"
        assert total("state=grace") == "1"
        assert total("tier=silver") == "4"
        assert "Grace began" in browser.get("/staff/program/moves").text
        assert browser.get("/staff/program/partners.csv?country=DE").status_code == 200
        assert browser.get("/staff/program/quiet.csv?show=all").status_code == 200


def test_it_costs_as_many_queries_for_many_partners_as_for_one(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    _partner("First", silent=None)
    browser = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    browser.get("/staff/program")
    few = count_queries(lambda: browser.get("/staff/program"))
    for number in range(6):
        _partner(f"More{number}", silent=timedelta(days=number * 20), country="DE")
    db.session.commit()
    assert count_queries(lambda: browser.get("/staff/program")) == few <= 60


def test_a_message_without_words_is_sent_back(app: Flask, sign_in: SignIn) -> None:
    partner = _partner("Quayside", silent=None)
    make_member(partner, Role.OWNER)
    browser = sign_in(make_member(make_platform(), Role.SUPPORT))
    path = "/staff/program/quiet/quayside/message"
    for data in (
        {},
        {"subject": "x" * 10_000, "body": "Kept"},
        {"subject": "\0", "body": "\0"},
        {"subject": "Hello", "body": "y" * 10_000},
    ):
        answer = browser.post(path, data=data)
        assert answer.status_code == 422
    assert "Kept" in browser.post(path, data={"subject": "", "body": "Kept"}).text
    assert db.session.query(PartnerMessage).count() == 0
    assert browser.get("/staff/program/quiet/nobody/message").status_code == 404


@pytest.mark.parametrize("path", ["", "/quiet", "/partners", "/moves", "/quiet.csv"])
def test_the_cockpit_is_for_the_staff(app: Flask, sign_in: SignIn, path: str) -> None:
    customer = make_customer()
    browser = sign_in(make_member(customer))
    assert browser.get(f"/staff/program{path}").status_code == 403
    staff = sign_in(make_member(make_platform(), Role.FINANCE))
    for query in ("", "?page=-1&sort=x&show=%00&country=%00&type=%00&tier=%00&state=%00"):
        assert staff.get(f"/staff/program{path}{query}").status_code == 200
