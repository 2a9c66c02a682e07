"""Proving a second factor at the provider, over HTTP."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.demo.oidc_provider import Grant, Provider
from marketplace.identity.models import User, UserSession
from marketplace.identity.second_factor import KEPT_AS
from tests.journeys.identity.conftest import ADA, BEN, Journey, RunningProvider, start, use


def noted() -> list[float]:
    db.session.expire_all()
    rows = db.session.scalars(select(UserSession).where(UserSession.revoked_at.is_(None)))
    return [row.data[KEPT_AS] for row in rows if KEPT_AS in row.data]


def test_signing_in_with_one_factor_notes_none(acme: RunningProvider, journey: Journey) -> None:
    journey.sign_in(ADA)
    assert noted() == []


def test_the_provider_is_asked_to_sign_the_person_in_anew_and_its_word_is_noted(
    acme: RunningProvider, journey: Journey
) -> None:
    journey.sign_in(ADA)
    page = journey.client.get("/auth/confirm?next=/account/sessions")
    assert "Confirm with Acme" in page.text
    asked = journey.begin(confirm="1", next="/account/sessions")
    query = parse_qs(urlsplit(asked).query)
    assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
    back = journey.client.get(journey.choose(asked, ADA))
    assert back.location == "/account/sessions"
    assert len(noted()) == 1
    kinds = set(db.session.scalars(select(Fact.kind)))
    assert "session.second_factor_proven" in kinds
    # The same browser is still signed in, by the same session.
    assert journey.client.get("/account").status_code == 200


def test_another_person_at_the_provider_proves_nothing_and_gets_no_account(
    acme: RunningProvider, journey: Journey
) -> None:
    journey.sign_in(ADA)
    back = journey.client.get(journey.choose(journey.begin(confirm="1"), BEN))
    assert back.status_code == 403
    assert noted() == []
    assert db.session.scalars(select(User.name)).all() == [ADA.name]


class Forgetful(Provider):
    """Signs in from memory, and says so."""

    def claims(self, grant: Grant) -> dict[str, Any]:
        return {**super().claims(grant), "auth_time": int(clock.now().timestamp()) - 3_600}


class Silent(Provider):
    """Tells nothing of how the person signed in."""

    def claims(self, grant: Grant) -> dict[str, Any]:
        found = super().claims(grant)
        return {key: value for key, value in found.items() if key not in {"amr", "auth_time"}}


@pytest.mark.parametrize("kind", [Forgetful, Silent])
def test_a_provider_that_does_not_confirm_it_is_told_so_in_words(
    app: Flask, journey: Journey, kind: type[Provider]
) -> None:
    running, context = start("acme", kind)
    use(app, running)
    with context:
        journey.sign_in(ADA)
        back = journey.client.get(journey.choose(journey.begin(confirm="1"), ADA))
    assert back.status_code == 403
    assert "confirmed no second factor" in back.text
    assert noted() == []


def test_nobody_confirms_without_being_signed_in(acme: RunningProvider, journey: Journey) -> None:
    assert journey.client.get("/auth/confirm").status_code == 302
    answer = journey.client.get("/auth/acme/login?confirm=1")
    assert answer.status_code in {302, 401}
    assert "prompt=login" not in (answer.location or "")
