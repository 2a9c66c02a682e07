"""The staff's home and the jobs that need a person."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job, JobState
from marketplace.identity.models import Role
from tests.factories.people import make_member, make_organization, make_platform

SignIn = Callable[..., FlaskClient]


def a_dead_job() -> Job:
    at = clock.now()
    job = Job(
        kind="mail.send",
        payload={"to": "ada@people.example"},
        state=JobState.DEAD,
        run_at=at,
        attempts=12,
        last_error="SMTPRecipientsRefused: ada@people.example password=hunter2",
        created_at=at,
        finished_at=at,
    )
    db.session.add(job)
    db.session.commit()
    return job


def test_the_home_tells_what_waits_and_how_the_parts_do(app: Flask, sign_in: SignIn) -> None:
    platform = make_platform()
    client = sign_in(make_member(platform, Role.ADMIN), platform)
    assert "Nothing waits" in client.get("/staff").text
    a_dead_job()
    page = client.get("/staff").text
    assert "1 job has failed for good" in page
    assert "Search (" in page


def test_a_dead_job_is_shown_without_secrets_and_runs_again(app: Flask, sign_in: SignIn) -> None:
    job = a_dead_job()
    platform = make_platform()
    client = sign_in(make_member(platform, Role.SUPPORT), platform)
    page = client.get("/staff/jobs").text
    assert "SMTPRecipientsRefused: [address] password=[hidden]" in page
    assert "ada@people.example" not in page
    assert "hunter2" not in page
    for _ in range(2):
        assert client.post(f"/staff/jobs/{job.id}/retry").status_code == 303
    db.session.expire_all()
    assert (job.state, job.attempts) == (JobState.READY, 0)
    assert list(db.session.scalars(select(Fact.kind))) == ["job.retried"]


def test_only_support_and_admins_retry(app: Flask, sign_in: SignIn) -> None:
    job = a_dead_job()
    platform, partner = make_platform(), make_organization()
    for organization, role in ((platform, Role.REVIEWER), (partner, Role.OWNER)):
        client = sign_in(make_member(organization, role), organization)
        assert client.post(f"/staff/jobs/{job.id}/retry").status_code == 404
        assert client.get("/staff/jobs").status_code == 403
    db.session.expire_all()
    assert job.state is JobState.DEAD


def test_the_menu_holds_what_the_role_may_see(app: Flask, sign_in: SignIn) -> None:
    platform = make_platform()
    finance = sign_in(make_member(platform, Role.FINANCE), platform).get("/staff").text
    admin = sign_in(make_member(platform, Role.ADMIN), platform).get("/staff").text
    assert 'href="/staff/jobs"' not in finance
    for path in ("/staff/jobs", "/staff/flags", "/staff/abuse", "/staff/synonyms"):
        assert f'href="{path}"' in admin
