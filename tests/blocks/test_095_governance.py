"""95 Governance: O reviews what expires, what was overridden, and the audit chain."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact, record_fact
from marketplace.core.jobs import Job, JobState
from marketplace.identity.models import Role
from marketplace.observability.governance import checking
from marketplace.observability.governance.checking import walk
from marketplace.observability.governance.models import ChainCheck, CheckState
from marketplace.observability.governance.providers import graces
from marketplace.program.contacts.models import ContactRole
from marketplace.program.standing.models import TierOverride
from tests.conftest import SignIn
from tests.factories.contacts_world import make_assignment, make_staff
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing
from tests.factories.queries import count_queries

DAY = datetime(2026, 11, 20, 10, tzinfo=UTC)
RunJobs = Callable[[], int]


def _facts(count: int, **extra: int) -> None:
    for number in range(count):
        record_fact("listing.published", subject=("listing", number), **extra)  # type: ignore[arg-type]  # ids alone
    db.session.commit()


def _edit(fact_id: int) -> None:
    """Change a fact as somebody with the database's password could."""
    for statement in ("DROP TRIGGER fact_refuses_update",):
        db.session.execute(text(statement))
    db.session.execute(
        text("UPDATE fact SET kind = 'listing.hidden' WHERE id = :id"), {"id": fact_id}
    )
    db.session.commit()


def test_095_governance(app: Flask, sign_in: SignIn, run_jobs: RunJobs) -> None:
    with clock.frozen(DAY):
        make_policy()
        partner = make_organization("Quayside", slug="quayside")
        make_standing(partner, "gold", grace_until=DAY + timedelta(days=5), grace_tier="silver")
        manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
        db.session.add(
            TierOverride(
                public_id=new_public_id("ovr"),
                organization_id=partner.id,
                tier="gold",
                reason="Their audit is late, not they.",
                by_user_id=manager.id,
                expires_at=DAY + timedelta(days=9),
            )
        )
        db.session.flush()
        _facts(5, actor_user_id=manager.id, organization_id=partner.id)
        browser = sign_in(manager)

        # Expiries and overrides.
        page = browser.get("/staff/governance").text
        assert "Quayside loses gold" in page
        assert "Quayside: gold by override" in page
        assert "Their audit is late, not they." in page
        calendar = browser.get("/staff/governance/calendar?month=2026-11").text
        assert "Quayside loses gold" in calendar
        file = browser.get("/staff/governance/calendar.csv?month=2026-11&kind=override")
        rows = list(csv.DictReader(io.StringIO(file.data.decode("utf-8-sig"))))
        assert [row["kind"] for row in rows] == ["Tier override"]

        # The chain is whole.
        assert browser.post("/staff/governance/checks").status_code == 303
        assert "HX-Refresh" not in browser.get("/staff/governance/checks/progress").headers
        run_jobs()
        assert browser.get("/staff/governance/checks/progress").headers["HX-Refresh"] == "true"
        assert "Every fact is what was recorded" in browser.get("/staff/governance").text
        said = app.test_cli_runner().invoke(args=["facts", "verify"])
        assert said.exit_code == 0

        # Somebody edits a row: page and command both find it.
        edited = db.session.scalars(select(Fact.id).where(Fact.subject_id == "2")).one()
        _edit(edited)
        browser.post("/staff/governance/checks")
        run_jobs()
        page = browser.get("/staff/governance").text
        assert "The audit trail was changed" in page
        assert f"Fact {edited}: its content is not what was recorded." in page
        said = app.test_cli_runner().invoke(args=["facts", "verify"])
        assert said.exit_code == 1
        assert f"Fact {edited}: its content is not what was recorded." in said.output


def test_of_much_that_ends_the_soonest_is_loaded(app: Flask, sign_in: SignIn) -> None:
    with clock.frozen(DAY):
        make_policy()
        for number in range(60):
            until = DAY + timedelta(days=1, minutes=60 - number)
            partner = make_organization(f"Partner {number:02}")
            make_standing(partner, "gold", grace_until=until, grace_tier="silver")
        with app.test_request_context():
            assert len(graces(DAY, DAY + timedelta(days=9), 7)) == 7
        browser = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
        page = browser.get("/staff/governance").text
        assert "The first 50." in page
        assert "Partner 59 loses gold" in page
        assert "Partner 10 loses gold" in page
        assert "Partner 09 loses gold" not in page


def test_two_who_ask_at_once_start_one_walk(app: Flask, sign_in: SignIn, run_jobs: RunJobs) -> None:
    _facts(3)
    browser = sign_in(make_member(make_platform(), Role.ADMIN))
    for _ in range(3):
        assert browser.post("/staff/governance/checks").status_code == 303
    assert db.session.query(ChainCheck).count() == 1
    run_jobs()
    check = db.session.scalars(select(ChainCheck)).one()
    assert (check.state, check.open_slot) == (CheckState.PASSED, None)
    # A walk that is over stays as it is.
    walk({"check_id": check.id})
    assert browser.post("/staff/governance/checks").status_code == 303
    db.session.expire_all()
    assert db.session.query(ChainCheck).count() == 2


def test_a_walk_that_was_given_up_stands_in_nobodys_way(
    app: Flask, sign_in: SignIn, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    _facts(3)
    browser = sign_in(make_member(make_platform(), Role.ADMIN))
    browser.post("/staff/governance/checks")
    monkeypatch.setattr(checking, "BATCH", "many")  # the database refuses such a batch
    run_jobs()
    assert "It is tried again: " in browser.get("/staff/governance").text
    browser.post("/staff/governance/checks")
    assert db.session.query(ChainCheck).count() == 1
    monkeypatch.undo()
    db.session.execute(update(Job).values(state=JobState.DEAD))
    db.session.commit()
    browser.post("/staff/governance/checks")
    given_up = db.session.scalars(select(ChainCheck).order_by(ChainCheck.id)).first()
    assert given_up is not None
    assert (given_up.state, given_up.open_slot) == (CheckState.FAILED, None)
    page = browser.get("/staff/governance").text
    assert "It could not be finished" in page
    assert "The audit trail was changed" not in page
    run_jobs()
    assert "Every fact is what was recorded" in browser.get("/staff/governance").text


def test_facts_are_found_by_what_one_knows_of_them(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside", slug="quayside")
    owner = make_member(partner)
    staff = make_member(make_platform(), Role.PROGRAM_MANAGER)
    with clock.frozen(DAY):
        _facts(120, actor_user_id=owner.id, organization_id=partner.id)
    with clock.frozen(DAY + timedelta(days=1)):
        record_fact("lead.accepted", subject=("lead", 7), data={"offer": 3})
        db.session.commit()
    browser = sign_in(staff)

    def kinds(query: str) -> list[str]:
        file = browser.get(f"/staff/governance/facts.csv?{query}").data.decode("utf-8-sig")
        return [row["kind"] for row in csv.DictReader(io.StringIO(file))]

    assert kinds("kind=lead.") == ["lead.accepted"]
    assert kinds("subject=lead:7") == ["lead.accepted"]
    assert kinds("subject=listing:119") == ["listing.published"]
    assert len(kinds(f"actor={owner.email}")) == 120
    assert len(kinds("organization=quayside")) == 120
    assert kinds("organization=nobody") == []
    assert kinds("from=2026-11-21&to=2026-11-21") == ["lead.accepted"]
    # Pages by the last id, each fact once.
    page = browser.get("/staff/governance/facts?kind=listing.").text
    seen = page.count('scope="row"')
    while "before=" in page.split("Older")[0].rsplit("href", 1)[-1]:
        before = page.split("Older")[0].rsplit("before=", 1)[1].split("&")[0].split('"')[0]
        page = browser.get(f"/staff/governance/facts?kind=listing.&before={before}").text
        seen += page.count('scope="row"')
    assert seen == 120


def test_nonsense_is_no_error(app: Flask, sign_in: SignIn) -> None:
    browser = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    for path in (
        "facts?before=-1",
        f"facts?before={2**63}",
        f"facts?actor={2**63}",
        f"facts?actor={'9' * 5000}",
        "facts?subject=%00&kind=%00&organization=%00",
        "facts?from=0000-00-00&to=9999-12-31",
        "facts?from=x",
        "calendar?month=9999-12",
        "calendar?month=0000-00&page=-1",
        "calendar?month=%00&kind=%00",
    ):
        assert browser.get(f"/staff/governance/{path}").status_code == 200, path


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.SUPPORT, Role.FINANCE])
def test_who_does_not_run_the_program_does_not_govern(
    app: Flask, sign_in: SignIn, role: Role
) -> None:
    browser = sign_in(make_member(make_platform(), role))
    assert browser.get("/staff/governance").status_code == 403
    assert browser.post("/staff/governance/checks").status_code == 403


def test_the_page_is_bounded_and_says_how_many_more_there_are(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    platform = make_platform()
    browser = sign_in(make_member(platform, Role.PROGRAM_MANAGER))
    sponsor = make_staff(platform, "Olu Bankole", Role.OWNER)

    def add(many: int) -> None:
        for number in range(many):
            partner = make_organization(f"Partner {number}")
            assigned = make_assignment(sponsor, ContactRole.EXECUTIVE_SPONSOR, organization=partner)
            assigned.assigned_at = clock.now() - timedelta(days=100)
            db.session.add(
                TierOverride(
                    public_id=new_public_id("ovr"),
                    organization_id=partner.id,
                    tier="gold",
                    reason="Late audit",
                    expires_at=clock.now() + timedelta(days=40),
                )
            )
        db.session.commit()

    add(2)
    browser.get("/staff/governance")
    before = count_queries(lambda: browser.get("/staff/governance"))
    add(49)
    page = browser.get("/staff/governance").text
    assert page.count("Late audit") == 50
    assert "The 50 that end first of 51." in page
    assert page.count("Quarterly contact of the executive sponsor") == 50
    assert "The 50 longest overdue of 51." in page
    assert count_queries(lambda: browser.get("/staff/governance")) == before
