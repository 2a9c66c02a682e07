"""Probes, incidents, and who is told."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.jobs import Job
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role
from marketplace.installs.health import jobs as health_jobs
from marketplace.installs.health.panel import health_of, health_panel
from marketplace.installs.health.probes import Probed, Target, probe
from marketplace.installs.health.services import record_probes
from marketplace.installs.models import (
    App,
    Environment,
    HealthDay,
    HealthIncident,
    HealthState,
    InstallationState,
)
from tests.factories.answering import Answer, AnsweringServer, answering
from tests.factories.apps import make_app, make_installation
from tests.factories.listings import make_category, make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.queries import count_queries

RunJobs = Callable[[], int]
Later = Callable[..., None]


@pytest.fixture
def status() -> Iterator[AnsweringServer]:
    with answering() as server:
        yield server


@pytest.fixture
def partner(app: object) -> Organization:
    return make_organization("Quayside")


@pytest.fixture
def later() -> Iterator[Later]:
    moved = timedelta()

    def move(**by: float) -> None:
        nonlocal moved
        moved += timedelta(**by)
        clock.shift(timedelta(**by))

    yield move
    clock.shift(-moved)


def run_probes() -> None:
    db.session.commit()
    with unit_of_work():
        health_jobs.probe_apps({})
    db.session.expire_all()


def incidents() -> list[HealthIncident]:
    return list(db.session.scalars(select(HealthIncident).order_by(HealthIncident.id)))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(200), ""),
        (Answer(204), "Answered 204."),
        (Answer(301, {"Location": "/other"}), "Answered 301."),
        (Answer(503), "Answered 503."),
        (Answer(200, delay=5), "No complete answer within 3 s."),
        (Answer(raw=lambda out: out.write(b"hello\r\n")), "The answer is not HTTP."),
        (Answer(200, body=b"x" * 900_000), ""),
    ],
)
def test_only_a_200_within_three_seconds_counts(
    partner: Organization, status: AnsweringServer, answer: Answer, reason: str
) -> None:
    started = time.monotonic()
    assert probe(Target(1, status.plan("/status", answer))) == Probed(1, reason)
    assert time.monotonic() - started < 4
    assert status.to("/other") == []


def test_a_private_address_is_not_asked(partner: Organization) -> None:
    assert "public internet" in probe(Target(1, "https://10.0.0.1/")).reason


def test_probes_are_counted_by_day_and_do_not_count_as_changes(
    partner: Organization, status: AnsweringServer, later: Later
) -> None:
    fine = make_app(publisher=partner, status_url=status.url("/fine"))
    bad = make_app(publisher=partner, status_url=status.plan("/bad", Answer(500)))
    make_app(publisher=partner)
    make_app(publisher=partner, status_url=status.url("/old"), archived_at=clock.now())
    changed = fine.updated_at
    with clock.frozen(clock.now().replace(hour=23, minute=50)):
        run_probes()
        run_probes()  # not due yet
        clock.shift(timedelta(minutes=5))
        run_probes()
        clock.shift(timedelta(minutes=10))
        run_probes()
    rows = db.session.scalars(select(HealthDay).order_by(HealthDay.app_id, HealthDay.day)).all()
    assert [(row.app_id, row.answered, row.failed) for row in rows] == [
        (fine.id, 2, 0),
        (fine.id, 1, 0),
        (bad.id, 0, 2),
        (bad.id, 0, 1),
    ]
    assert status.to("/old") == []
    assert (fine.health, bad.health) == (HealthState.UP, HealthState.DOWN)
    assert fine.updated_at == changed


def test_an_incident_tells_installers_and_the_publisher_once_and_again_at_its_end(
    partner: Organization, status: AnsweringServer, later: Later, run_jobs: RunJobs
) -> None:
    owner = make_member(partner)
    make_member(partner, Role.EDITOR)
    url = status.plan("/status", Answer(200), *[Answer(503)] * 4, Answer(200))
    app_row = make_app(publisher=partner, status_url=url)
    customer, other, paused, tester = (
        make_customer("Blue Kite"),
        make_customer("Grey Gull"),
        make_customer("Paused"),
        make_customer("Sandbox"),
    )
    told = [make_member(customer), make_member(customer, Role.ADMIN)]
    make_member(customer, Role.VIEWER)
    make_member(other)
    make_member(paused)
    make_member(tester)
    installation = make_installation(app_row, customer)
    make_installation(app_row, paused, state=InstallationState.PAUSED)
    make_installation(app_row, tester, environment=Environment.TEST)
    for _probe in range(3):
        run_probes()
        run_jobs()
        later(minutes=5)
    assert incidents() == []
    assert mails() == []
    run_probes()
    run_jobs()
    (incident,) = incidents()
    assert (incident.reason, incident.ended_at) == ("Answered 503.", None)
    expected = sorted(str(person.email) for person in [owner, *told])
    assert sorted(mail["to"] for mail in mails()) == expected
    to_customer = next(mail for mail in mails() if mail["to"] == told[0].email)
    assert to_customer["subject"] == "Tide Tables is not answering"
    assert f"/organizations/{customer.slug}/apps/{installation.public_id}" in to_customer["body"]
    later(minutes=5)
    make_installation(app_row, other)  # after it began: nobody there was told
    for _probe in range(3):
        run_probes()
        run_jobs()
        later(minutes=5)
    (incident,) = incidents()
    assert incident.ended_at is not None
    assert app_row.health is HealthState.UP
    again = [mail for mail in mails() if "again" in mail["subject"]]
    assert sorted(mail["to"] for mail in again) == expected
    assert "about 15 minutes" in again[0]["body"]


def test_many_organizations_are_told_in_batches_and_each_once(
    partner: Organization, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_jobs, "ORGANIZATIONS_A_JOB", 3)
    app_row = make_app(publisher=partner, status_url="https://status.tides.example/")
    people = []
    for _number in range(8):
        customer = make_customer()
        people.append(make_member(customer))
        make_installation(app_row, customer)
    db.session.commit()
    for _probe in range(3):
        with unit_of_work():
            record_probes([Probed(app_row.id, "Answered 500.")])
    run_jobs()
    assert sorted(mail["to"] for mail in mails()) == sorted(str(p.email) for p in people)
    told = db.session.scalars(select(Job).where(Job.kind == "health.tell")).all()
    assert len(told) == 3
    assert {job.state for job in told} == {jobs.JobState.DONE}


def test_an_app_without_an_address_any_more_has_no_state_and_no_incident(
    partner: Organization, later: Later
) -> None:
    app_row = make_app(publisher=partner, status_url="https://status.tides.example/")
    db.session.commit()
    for _probe in range(3):
        with unit_of_work():
            record_probes([Probed(app_row.id, "Answered 500.")])
    db.session.refresh(app_row)
    assert app_row.health is HealthState.DOWN
    app_row.status_url = ""
    run_probes()
    assert app_row.health is HealthState.UNKNOWN
    assert incidents()[0].ended_at is not None
    with unit_of_work():  # a probe that was on its way
        record_probes([Probed(app_row.id)])
    assert app_row.health is HealthState.UNKNOWN


def test_many_slow_addresses_are_asked_at_the_same_time(
    partner: Organization, status: AnsweringServer
) -> None:
    url = status.plan("/slow", Answer(200, delay=0.5))
    rows = [make_app(publisher=partner, status_url=url) for _number in range(20)]
    started = time.monotonic()
    run_probes()
    assert time.monotonic() - started < 4
    assert {row.health for row in rows} == {HealthState.UP}


def test_the_panel_of_a_listing_costs_three_queries_and_only_probed_apps_have_one(
    partner: Organization,
) -> None:
    listing = make_listing(partner, category=make_category())
    assert health_panel(listing) == {"health": None}
    app_row = make_app(listing)
    assert health_panel(listing) == {"health": None}
    app_row.status_url = "https://status.tides.example/"
    today = clock.now().date()
    for ago in range(30):
        day = today - timedelta(days=ago)
        db.session.add(HealthDay(app_id=app_row.id, day=day, answered=280, failed=8 * (ago == 3)))
    db.session.flush()
    assert count_queries(lambda: health_panel(listing)) == 3
    health = health_of(app_row)
    assert health is not None
    assert health.uptime_text == "99.89 %"
    assert len([bar for bar in health.strip.bars if bar.kind == "up"]) == 27
    assert isinstance(db.session.get(App, app_row.id), App)
