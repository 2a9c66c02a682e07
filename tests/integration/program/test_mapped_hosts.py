"""Mapped hosts: asked for, proven, given a face, and each name once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.identity.models import Organization
from marketplace.program.hosts import proving
from marketplace.program.hosts.live import live_host
from marketplace.program.hosts.models import HostState, MappedHost
from marketplace.program.hosts.proving import NoAnswerError, look_later, look_up_txt_with
from marketplace.program.hosts.services import mapping
from tests.factories.people import make_organization
from tests.factories.races import at_once


@pytest.fixture(autouse=True)
def lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the application has connected is put back afterwards.
    monkeypatch.setattr(proving, "_lookups", list(proving._lookups))


def partner() -> Organization:
    return make_organization(partner_type="white_label")


def test_a_name_belongs_to_who_asked_first(app: Flask) -> None:
    ids = [partner().id, partner().id]
    db.session.commit()

    def ask(organization_id: int) -> None:
        organization = db.session.get_one(Organization, organization_id)
        mapping.request_host(organization, "apps.kite.example", by_user_id=None)
        db.session.commit()

    raised = at_once(app, [lambda: ask(ids[0]), lambda: ask(ids[1])])
    assert len(raised) == 1
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(MappedHost)) == 1


def test_a_partner_has_at_most_five(app: Flask) -> None:
    organization = partner()
    for number in range(mapping.MOST_OF_A_PARTNER):
        mapping.request_host(organization, f"h{number}.kite.example", by_user_id=None)
    with pytest.raises(ConflictError, match="At most 5"):
        mapping.request_host(organization, "more.kite.example", by_user_id=None)


@pytest.mark.parametrize(
    ("texts", "state", "words"),
    [
        (["the challenge"], HostState.ACTIVE, "Found the record"),
        (["something else", " the challenge "], HostState.ACTIVE, "Found the record"),
        (["something else"], HostState.PENDING, "says something else"),
        ([], HostState.PENDING, "There is no TXT record"),
        (None, HostState.PENDING, "did not answer"),
    ],
)
def test_a_record_proves_a_host(
    app: Flask,
    run_jobs: Callable[[], int],
    texts: list[str] | None,
    state: HostState,
    words: str,
) -> None:
    row = mapping.request_host(partner(), "apps.kite.example", by_user_id=None)
    row.challenge = "the challenge"

    def lookup(name: str) -> list[str]:
        assert name == "_host-challenge.apps.kite.example"
        if texts is None:
            raise NoAnswerError
        return texts

    look_up_txt_with(lookup)
    look_later(row)
    look_later(row)
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    assert row.state is state
    assert words in row.check_result
    assert (live_host("apps.kite.example") is not None) is (state is HostState.ACTIVE)


def test_what_is_paused_does_not_answer_and_is_not_proven_again(
    app: Flask, run_jobs: Callable[[], int]
) -> None:
    row = mapping.request_host(partner(), "apps.kite.example", by_user_id=None)
    assert mapping.activate(row, proven_by="staff", by_user_id=None)
    assert not mapping.activate(row, proven_by="staff", by_user_id=None)
    assert mapping.pause(row, by_user_id=None)
    look_up_txt_with(lambda _name: [row.challenge])
    look_later(row)
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    assert row.state is HostState.PAUSED
    assert live_host("apps.kite.example") is None


def test_a_removed_host_can_be_had_by_another(app: Flask) -> None:
    row = mapping.request_host(partner(), "apps.kite.example", by_user_id=None)
    mapping.remove(row, by_user_id=None)
    assert mapping.request_host(partner(), "apps.kite.example", by_user_id=None).id


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "http://localhost"])
def test_the_sites_own_host_is_not_mapped(app: Flask, host: str) -> None:
    with pytest.raises(InvalidError):
        mapping.map_program_host(host, by_user_id=None)


def test_a_partner_does_not_undo_a_pause(app: Flask) -> None:
    row = mapping.request_host(partner(), "apps.kite.example", by_user_id=None)
    mapping.activate(row, proven_by="dns", by_user_id=None)
    mapping.pause(row, by_user_id=None)
    with pytest.raises(ConflictError):
        mapping.withdraw(row, by_user_id=None)
    assert row.state is HostState.PAUSED


def test_who_lost_the_right_proves_nothing(app: Flask, run_jobs: Callable[[], int]) -> None:
    organization = partner()
    row = mapping.request_host(organization, "apps.kite.example", by_user_id=None)
    organization.partner_type = "technology"
    look_up_txt_with(lambda _name: [row.challenge])
    look_later(row)
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    assert (row.state, "no longer" in row.check_result) == (HostState.PENDING, True)


def test_a_request_that_nobody_proves_gives_way_after_two_weeks(app: Flask) -> None:
    squatter, owner = partner(), partner()
    mapping.request_host(squatter, "apps.kite.example", by_user_id=None)
    with pytest.raises(InvalidError):
        mapping.request_host(owner, "apps.kite.example", by_user_id=None)
    clock.shift(timedelta(days=15))
    try:
        row = mapping.request_host(owner, "apps.kite.example", by_user_id=None)
    finally:
        clock.shift(-timedelta(days=15))
    assert row.organization_id == owner.id
