"""The staff learn that work of the program came in: menu, home, cockpit, evidence."""

import re

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.observability.waiting import WORK
from marketplace.program.applications.models import Milestone, MilestoneState
from tests.conftest import SignIn
from tests.factories.people import make_member, make_platform
from tests.factories.queries import count_queries
from tests.factories.waiting_work import make_waiting_work


@pytest.fixture
def manager(app: Flask, sign_in: SignIn) -> FlaskClient:
    return sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))


def counts_of(page: str) -> dict[str, int]:
    """The counts beside the entries of the side menu, by address."""
    menu = page.split('class="side-nav"')[1].split("</nav>")[0]
    found = {}
    for href, rest in re.findall(r'<a class="side-link" href="([^"]+)"(.*?)</a>', menu, re.S):
        number = re.search(r'class="count-badge[^"]*"[^>]*>\s*([\d,]+)', rest)
        found[href] = int(number[1]) if number else 0
    return found


def test_menu_home_and_cockpit_show_what_waits(manager: FlaskClient) -> None:
    assert counts_of(manager.get("/staff").text)["/staff/rounds"] == 0
    make_waiting_work()
    db.session.commit()
    home = manager.get("/staff").text
    cockpit = manager.get("/staff/program").text
    expected: dict[str, int] = {}
    with manager.application.test_request_context():
        for work in WORK:
            expected[url_for(work.menu)] = expected.get(url_for(work.menu), 0) + 1
            href = url_for(work.endpoint, **dict(work.args)).replace("&", "&amp;")
            for page in (home, cockpit):
                row = next(each for each in page.split("<tr")[1:] if f">{work.label}</a>" in each)
                assert f'href="{href}"' in row
                assert ">1</td>" in row
                assert "<time" in row
                assert manager.get(href.replace("&amp;", "&")).status_code == 200
    counts = counts_of(home)
    assert {href: counts[href] for href in expected} == expected


def test_a_staff_page_asks_as_much_with_work_as_without(manager: FlaskClient) -> None:
    def ask() -> int:
        return count_queries(lambda: manager.get("/staff/hosts"))

    ask()
    before = ask()
    make_waiting_work()
    db.session.commit()
    ask()
    assert ask() == before


def test_evidence_of_all_rounds_is_listed_once(manager: FlaskClient, sign_in: SignIn) -> None:
    partner = make_waiting_work()
    db.session.commit()
    page = manager.get("/staff/rounds/evidence").text
    row = next(each for each in page.split("<tr")[1:] if "Beta" in each)
    assert partner.name in row
    assert "Autumn round" in row
    address = re.search(r'href="(/staff/rounds/places/[^"]+)"', row)
    assert address is not None
    assert manager.get(address[1]).status_code == 200
    support = sign_in(make_member(make_platform(), Role.SUPPORT))
    assert support.get("/staff/rounds/evidence").status_code == 403
    db.session.query(Milestone).update({"state": MilestoneState.ACCEPTED})
    db.session.commit()
    assert "Nothing waits" in manager.get("/staff/rounds/evidence").text
