"""The log of calls, and when a credential was last used."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from marketplace.api.v1.platform import pruning, recording
from marketplace.api.v1.platform.recording import Recorder
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.installs.models import (
    AccessKey,
    ApiCall,
    Installation,
    OAuthToken,
    ScopeUse,
)
from tests.factories.queries import count_queries
from tests.journeys.api.platform.conftest import Api, Partner

Client = Callable[[str | None], Api]


@pytest.fixture
def recorder(app: Flask) -> Recorder:
    found: Recorder = app.extensions["portico_recorder"]
    return found


def calls() -> list[ApiCall]:
    db.session.rollback()
    return list(db.session.scalars(select(ApiCall).order_by(ApiCall.id)))


def test_a_call_is_remembered_with_its_outcome_and_without_secrets(
    partner: Partner, api: Client, recorder: Recorder
) -> None:
    key = partner.key("partner.listings.read")
    client = api(key)
    client.get(
        "/partner/listings?limit=5&color=red&password=hunter2",
        headers={"X-Request-ID": "abcdefgh-1"},
    )
    client.get("/events")
    api("pko_wrong").get("/me")
    assert calls() == []
    assert recorder.flush() == 2
    first, second = calls()
    assert (first.method, first.status, first.problem) == ("GET", 200, "")
    assert first.path == "/api/v1/partner/listings?limit=5&color=***&password=***"
    assert (first.organization_id, first.request_id) == (partner.organization.id, "abcdefgh-1")
    assert first.credential == f"key …{key[-4:]}"
    assert (second.status, second.problem) == (403, "insufficient-scope")
    assert key not in " ".join(str(value) for value in vars(first).values())


def test_last_uses_are_kept_of_keys_tokens_installations_and_scopes(
    partner: Partner, api: Client, recorder: Recorder
) -> None:
    api(partner.key()).get("/me")
    app_client = api(partner.token())
    app_client.get("/installation")
    app_client.get("/installation/members")
    assert recorder.flush() == 3
    db.session.rollback()
    assert db.session.scalars(select(AccessKey.last_used_at)).one() is not None
    assert db.session.scalars(select(OAuthToken.last_used_at)).one() is not None
    db.session.refresh(partner.installation)
    assert partner.installation.last_used_at is not None
    uses = db.session.scalars(select(ScopeUse)).all()
    assert [use.scope for use in uses] == ["members.read"]
    before = uses[0].last_used_at
    clock.shift(timedelta(minutes=5))
    try:
        app_client.get("/installation/members")
        recorder.flush()
    finally:
        clock.shift(timedelta(minutes=-5))
    db.session.rollback()
    assert db.session.scalars(select(ScopeUse.last_used_at)).one() > before


def test_a_read_costs_no_write(partner: Partner, api: Client) -> None:
    client = api(partner.key())
    client.get("/me")
    before = db.session.scalar(text("PRAGMA data_version"))
    assert count_queries(lambda: client.get("/me")) == 1
    assert db.session.scalar(text("PRAGMA data_version")) == before


def test_what_the_database_refuses_for_now_waits(
    partner: Partner, api: Client, recorder: Recorder
) -> None:
    client = api(partner.key())
    client.get("/me")
    db.session.rollback()
    with db.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        with db.engine.connect() as other:
            other.exec_driver_sql("PRAGMA busy_timeout=1")
            other.rollback()
        assert recorder.flush() == 0
        connection.rollback()
    assert recorder.flush() == 1
    assert len(calls()) == 1


@pytest.fixture
def _few_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_WAITING", 3)


@pytest.mark.usefixtures("_few_may_wait")
def test_the_oldest_go_when_too_many_wait_and_the_log_says_so(
    partner: Partner, api: Client, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    client = api(partner.key())
    for number in range(5):
        client.get(f"/partner/listings?limit={number + 1}")
    assert recorder.flush() == 3
    assert [call.path[-7:] for call in calls()] == ["limit=3", "limit=4", "limit=5"]
    assert [record.count for record in caplog.records if "not recorded" in record.message] == [2]  # type: ignore[attr-defined]  # given as extra


def test_a_call_of_what_is_gone_does_not_hold_up_the_others(
    partner: Partner, stranger: Partner, api: Client, recorder: Recorder
) -> None:
    api(partner.token()).get("/installation")
    api(stranger.key()).get("/me")
    db.session.execute(text("PRAGMA foreign_keys=OFF"))
    db.session.execute(
        text("DELETE FROM installation WHERE id = :id"), {"id": partner.installation.id}
    )
    db.session.commit()
    db.session.execute(text("PRAGMA foreign_keys=ON"))
    assert recorder.flush() == 1
    assert [call.organization_id for call in calls()] == [stranger.organization.id]


@pytest.fixture
def running(app: Flask) -> Iterator[Recorder]:
    """A recorder that writes by itself, as in production."""
    before = app.extensions["portico_recorder"]
    found = Recorder(app)
    app.extensions["portico_recorder"] = found
    yield found
    found._stop()
    assert found._thread is not None
    found._thread.join(5)
    app.extensions["portico_recorder"] = before


def test_a_thread_writes_by_itself_within_seconds(
    partner: Partner, api: Client, running: Recorder
) -> None:
    import time

    api(partner.key()).get("/me")
    until = time.monotonic() + 10
    while not calls() and time.monotonic() < until:
        time.sleep(0.05)
    assert len(calls()) == 1


def test_a_child_of_a_fork_begins_anew(partner: Partner, api: Client, recorder: Recorder) -> None:
    api(partner.key()).get("/me")
    child = os.fork()
    if child == 0:
        os._exit(0 if not recorder._waiting and recorder._thread is None else 1)
    _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert recorder.flush() == 1


def test_calls_are_forgotten_after_30_days(
    partner: Partner, api: Client, recorder: Recorder
) -> None:
    client = api(partner.key())
    client.get("/me")
    client.get("/me")
    recorder.flush()
    old, _new = calls()
    old.created_at = clock.now() - timedelta(days=30, seconds=1)
    db.session.commit()
    jobs.enqueue(pruning.KIND, {})
    db.session.commit()
    assert jobs.run_due() == 1
    assert db.session.scalar(select(func.count()).select_from(ApiCall)) == 1
    assert db.session.scalar(select(Installation.last_used_at).limit(1)) is None
