"""92 Activity Reports: O schedules a monthly report; whoever gets it gets a snapshot."""

import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job
from marketplace.identity.models import Organization, Role
from marketplace.observability.reports.jobs import look
from marketplace.observability.reports.models import ActivityReport, ReportScope
from marketplace.observability.reports.snapshot import digest_of
from marketplace.program.measures import Measure, Measurement, measure
from tests.conftest import SignIn
from tests.factories.exposure import make_sightings
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing

OCTOBER = datetime(2026, 10, 15, 12, tzinfo=UTC)
RunJobs = Callable[[], int]


def _seed(partner: Organization) -> None:
    """A month of facts, and some at its edges in UTC."""
    for number, (at, amount) in enumerate(
        (
            (datetime(2026, 10, 1, 0, 0, tzinfo=UTC), 10_000),
            (datetime(2026, 10, 25, 2, 30, tzinfo=UTC), 20_000),  # clocks go back in Europe
            (datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), 30_000),
            (datetime(2026, 11, 1, 0, 0, tzinfo=UTC), 700_000),
            (datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC), 5_000),
        )
    ):
        measure(
            partner.id,
            Measure.NET_REVENUE,
            amount,
            key=f"{partner.id}:{number}",
            source=("order", number),
            at=at,
            currency="EUR",
        )
    measure(partner.id, Measure.LEADS_ACCEPTED, key=f"{partner.id}", source=("lead", 1), at=OCTOBER)
    make_sightings(make_listing(partner), 6, at=OCTOBER)
    db.session.commit()


def _mails() -> list[dict[str, str]]:
    rows = db.session.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))
    return [dict(row.payload) for row in rows if row.payload]


def test_092_activity_reports(app: Flask, sign_in: SignIn, run_jobs: RunJobs) -> None:
    with clock.frozen(OCTOBER):
        make_policy()
        partner, rival = make_organization("Quayside"), make_organization("Rivals")
        for each in (partner, rival):
            make_standing(each, "silver")
            _seed(each)
        owner = make_member(partner, Role.OWNER)
        make_member(partner, Role.EDITOR)
        platform = make_platform()
        manager = make_member(platform, Role.PROGRAM_MANAGER)
        finance = make_member(platform, Role.FINANCE)
        browser = sign_in(manager)
        for scope in ("partner", "program"):
            saved = browser.post(
                f"/staff/reports/schedules/{scope}",
                data={"is_on": "y", "day": "2", "staff": [str(finance.id)]},
            )
            assert saved.status_code == 303
    # Not due yet: the 2nd at 06:00 UTC.
    with clock.frozen(datetime(2026, 11, 2, 5, 59, tzinfo=UTC)):
        look({})
        db.session.commit()
        assert db.session.scalar(select(func.count()).select_from(ActivityReport)) == 0
    with clock.frozen(datetime(2026, 11, 2, 6, 0, tzinfo=UTC)):
        for _scheduler in range(2):
            look({})
            db.session.commit()
        for job in db.session.scalars(select(Job).where(Job.kind == "reports.make")):
            assert job.run_at <= clock.now()
        mails_before = len(_mails())
        _run_makers(run_jobs)
        look({})
        db.session.commit()
        run_jobs()
        reports = db.session.scalars(select(ActivityReport).order_by(ActivityReport.id)).all()
        assert len(reports) == 3  # two partners and the program, once
        own = next(each for each in reports if each.organization_id == partner.id)
        assert own.month == "2026-10"
        assert mails_before == 0

        # Its totals are the facts of the month, in UTC.
        figures = {(each["key"], each["currency"]): each for each in own.data["figures"]}
        total = db.session.scalar(
            select(func.sum(Measurement.amount)).where(
                Measurement.organization_id == partner.id,
                Measurement.measure == Measure.NET_REVENUE.value,
                Measurement.counts_at >= datetime(2026, 10, 1, tzinfo=UTC),
                Measurement.counts_at < datetime(2026, 11, 1, tzinfo=UTC),
            )
        )
        assert figures["net_revenue", "EUR"]["value"] == total == 60_000
        assert figures["net_revenue", "EUR"]["before"] == 5_000
        assert figures["views", ""]["value"] == 6
        assert figures["leads", ""]["value"] == 1

        # P reads it, as page and PDF; nobody else does.
        theirs = sign_in(owner, partner)
        assert "2026-10" in theirs.get("/partner/reports").text
        page = theirs.get(f"/partner/reports/{own.public_id}").text
        assert "€600.00" in page
        pdf = theirs.get(f"/partner/reports/{own.public_id}.pdf").data
        text = "".join(each.extract_text() for each in PdfReader(io.BytesIO(pdf)).pages)
        assert "€600.00" in text
        others = sign_in(make_member(rival, Role.OWNER), rival)
        for end in ("", ".pdf", ".csv"):
            assert others.get(f"/partner/reports/{own.public_id}{end}").status_code == 404

        # Later facts of that month do not alter it.
        measure(
            partner.id,
            Measure.NET_REVENUE,
            999_900,
            key="late",
            source=("order", 9),
            at=OCTOBER,
            currency="EUR",
        )
        db.session.commit()
        assert theirs.get(f"/partner/reports/{own.public_id}").text.count("€600.00") > 0
        assert theirs.get(f"/partner/reports/{own.public_id}.pdf").data == pdf
        assert digest_of(own.data) == own.digest
        # A new one made by hand says what is known now, beside the old one.
        made = browser.post(
            "/staff/reports",
            data={"scope": "partner", "partner": "Quayside", "month": "2026-10", "form_key": "a\0"},
        )
        assert made.status_code == 303
        twice = browser.post(
            "/staff/reports",
            data={"scope": "partner", "partner": "Quayside", "month": "2026-10", "form_key": "a"},
        )
        assert twice.status_code == 303
        assert "€10,599.00" in browser.get(made.location).text
        assert db.session.scalar(select(func.count()).select_from(ActivityReport)) == 4


def _run_makers(run_jobs: RunJobs) -> None:
    """Run the makers, and see whom they write to before the mail is sent."""
    from marketplace.core.jobs import run_job

    ids = db.session.scalars(select(Job.id).where(Job.kind == "reports.make")).all()
    db.session.rollback()
    assert all(run_job(each) for each in ids)
    by_subject: dict[str, list[str]] = {}
    for mail in _mails():
        by_subject.setdefault(mail["subject"], []).append(mail["to"])
        assert "days in UTC" in mail["body"]
        assert ".pdf" in mail["body"]
    assert len(by_subject["Quayside in 2026-10"]) == 2  # its owner, and the named staff
    assert len(by_subject["Rivals in 2026-10"]) == 1
    run_jobs()


def test_a_report_cannot_be_changed(app: Flask) -> None:
    from sqlalchemy import text

    report = ActivityReport(
        public_id="rep_1",
        scope=ReportScope.PROGRAM,
        month="2026-10",
        data={"of": "Harbor", "figures": []},
        digest="x",
        cause="now:1",
    )
    db.session.add(report)
    db.session.commit()
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text("UPDATE activity_report SET digest = 'y'"))
    db.session.rollback()


def test_who_switches_it_on_late_sends_nothing_of_the_past(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    make_standing(make_organization("Quayside"))
    browser = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    with clock.frozen(datetime(2026, 11, 20, tzinfo=UTC)):
        browser.post("/staff/reports/schedules/partner", data={"is_on": "y", "day": "1"})
        look({})
        db.session.commit()
    waiting = select(func.count()).select_from(Job).where(Job.kind == "reports.make")
    assert db.session.scalar(waiting) == 0
    with clock.frozen(datetime(2026, 12, 1, 7, tzinfo=UTC)):
        look({})
        db.session.commit()
    assert db.session.scalar(waiting) == 1


def test_what_cannot_be_is_refused_with_what_was_typed(app: Flask, sign_in: SignIn) -> None:
    browser = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    for data in (
        {"is_on": "y", "day": "0"},
        {"is_on": "y", "day": str(2**63)},
        {"is_on": "y", "day": "x"},
        {"day": "1", "staff": ["99999999"]},
        {"day": "1", "staff": ["x"]},
        {"day": "1", "staff": [str(2**70)]},
    ):
        assert browser.post("/staff/reports/schedules/partner", data=data).status_code == 422, data
    assert browser.post("/staff/reports/schedules/moon", data={}).status_code == 404
    for data in (
        {},
        {"scope": "moon", "month": "2026-10"},
        {"scope": "partner", "partner": "Nobody \0", "month": "2026-10"},
        {"scope": "program", "month": "2999-01"},
        {"scope": "program", "month": "\0"},
        {"scope": "program", "month": "9" * 10_000},
    ):
        assert browser.post("/staff/reports", data=data).status_code == 422, data
    kept = browser.post(
        "/staff/reports", data={"scope": "partner", "partner": "Nobody", "month": "x"}
    )
    assert 'value="Nobody"' in kept.text
    for query in ("page=-1", "scope=moon&month=%00&q=%00", f"q={'x' * 9000}"):
        assert browser.get(f"/staff/reports?{query}").status_code == 200
    assert browser.get("/staff/reports/nothing").status_code == 404
