"""Partners' accounts at Stripe, with both versions of its API."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.connect import (
    account_of,
    check_accounts,
    dashboard_link,
    disconnect,
    onboarding_link,
    open_account,
    refresh_account,
)
from billing.gateway import StripeKeyRefusedError
from billing.models import AccountState, ConnectedAccount
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, UnavailableError
from marketplace.core.jobs import Job
from tests.factories.races import at_once
from tests.factories.stripe import StripeStandIn


def opened(number: int = 1) -> ConnectedAccount:
    return open_account(
        number, name="Quayside", email="ada@people.example", country="DE", by_user_id=9
    )


def test_a_partner_opens_an_account_finishes_it_at_stripe_and_is_ready(
    stripe: StripeStandIn,
) -> None:
    account = opened()
    assert (account.state, account.api) == (AccountState.ONBOARDING, "v2")
    link = onboarding_link(account, return_url="https://x.test/r", refresh_url="https://x.test/n")
    assert link.startswith(stripe.url)
    assert link != onboarding_link(
        account, return_url="https://x.test/r", refresh_url="https://x.test/n"
    )
    refreshed = refresh_account(account.stripe_id)
    assert refreshed is not None
    assert refreshed.state is AccountState.ONBOARDING
    assert "external_account" in refreshed.requirements
    stripe.onboard(account.stripe_id)
    refreshed = refresh_account(account.stripe_id)
    assert refreshed is not None
    assert (refreshed.state, refreshed.country) == (AccountState.READY, "DE")
    assert refreshed.default_currency == "EUR"
    assert dashboard_link(refreshed).startswith(stripe.url)


def test_where_version_2_is_refused_version_1_makes_the_account(stripe: StripeStandIn) -> None:
    stripe.fault("v2.core.accounts.create", "refused", code="not_enabled", message="No v2 here.")
    account = opened()
    assert account.api == "v1"
    onboarding_link(account, return_url="https://x.test/r", refresh_url="https://x.test/n")
    stripe.onboard(account.stripe_id)
    refreshed = refresh_account(account.stripe_id)
    assert refreshed is not None
    assert (refreshed.state, refreshed.currencies) == (AccountState.READY, ["EUR"])


def test_two_clicks_make_one_account(app: Flask, stripe: StripeStandIn) -> None:
    raised = at_once(app, [opened, opened, opened])
    assert all(isinstance(error, UnavailableError) for error in raised), raised
    opened()
    assert len(stripe.all("account")) == 1
    assert db.session.scalar(select(func.count()).select_from(ConnectedAccount)) == 1


def test_an_answer_that_is_lost_makes_one_account(stripe: StripeStandIn) -> None:
    stripe.fault("v2.core.accounts.create", "lost")
    with pytest.raises(UnavailableError):
        opened()
    opened()
    assert len(stripe.all("account")) == 1


def test_what_both_versions_refuse_is_said_in_stripe_s_words(stripe: StripeStandIn) -> None:
    for name in ("v2.core.accounts.create", "accounts.create"):
        stripe.fault(name, "refused", code="country_unsupported", message="Not from there.")
    with pytest.raises(ConflictError, match=r"Stripe refused: Not from there\."):
        opened()


def test_an_account_that_was_refused_once_is_asked_for_again(stripe: StripeStandIn) -> None:
    for _ in range(2):
        for name in ("v2.core.accounts.create", "accounts.create"):
            stripe.fault(name, "refused", code="email_invalid", message="Not this address.")
        with pytest.raises(ConflictError, match="Not this address"):
            opened()
    assert opened().api == "v2"
    assert len(stripe.all("account")) == 1


@pytest.mark.parametrize("kind", ["lost", "error"])
@pytest.mark.parametrize("is_version_1", [False, True])
def test_somebody_else_goes_on_with_an_account_whose_answer_was_lost(
    stripe: StripeStandIn, kind: str, is_version_1: bool
) -> None:
    if is_version_1:
        stripe.fault("v2.core.accounts.create", "refused", code="not_enabled", message="No v2.")
    stripe.fault("accounts.create" if is_version_1 else "v2.core.accounts.create", kind)
    with pytest.raises(UnavailableError):
        opened()
    account = open_account(
        1, name="Quayside GmbH", email="max@people.example", country="DE", by_user_id=8
    )
    assert account.api == ("v1" if is_version_1 else "v2")
    assert len(stripe.all("account")) == 1


@pytest.mark.parametrize("version", ["v2.core.accounts.create", "accounts.create"])
def test_an_account_whose_answer_was_lost_long_ago_is_looked_up(
    stripe: StripeStandIn, version: str
) -> None:
    if version == "accounts.create":
        stripe.fault("v2.core.accounts.create", "refused", code="not_enabled", message="No v2.")
    stripe.fault(version, "lost")
    with pytest.raises(UnavailableError):
        opened()
    stripe.advance(timedelta(hours=30))
    assert opened().stripe_id == stripe.all("account")[0]["id"]
    assert len(stripe.all("account")) == 1


def test_an_account_that_was_made_by_a_request_that_died_is_found(stripe: StripeStandIn) -> None:
    made = opened().stripe_id
    db.session.delete(account_of(1))
    db.session.commit()
    again = open_account(1, name="Other", email="max@people.example", country="DE", by_user_id=8)
    assert again.stripe_id == made


def test_a_key_of_ours_that_may_not_look_at_accounts_disconnects_nobody(
    stripe: StripeStandIn,
) -> None:
    account = opened()
    stripe.fault(
        "v2.core.accounts.retrieve", "refused", code="", message="Not allowed.", status=403
    )
    with pytest.raises(StripeKeyRefusedError):
        refresh_account(account.stripe_id)
    db.session.rollback()
    assert account_of(1) is not None
    stripe.deauthorize(account.stripe_id)
    assert refresh_account(account.stripe_id) is not None
    assert account_of(1) is None


def test_a_partner_may_disconnect_and_open_another_account(stripe: StripeStandIn) -> None:
    first = opened()
    disconnect(first, by_user_id=9)
    db.session.commit()
    assert account_of(1) is None
    second = opened()
    assert second.stripe_id != first.stripe_id
    # What Stripe says later of the old one does not bring it back.
    stripe.onboard(first.stripe_id)
    assert refresh_account(first.stripe_id) is not None
    assert first.state is AccountState.DISCONNECTED


def test_without_a_key_nobody_can_open_an_account(app: Flask) -> None:
    with pytest.raises(UnavailableError, match="not set up"):
        opened()


def test_an_account_of_somebody_else_is_not_ours_to_ask_about(stripe: StripeStandIn) -> None:
    assert refresh_account(stripe.new_account()) is None


def test_accounts_that_nobody_told_us_of_for_a_day_are_asked_about(stripe: StripeStandIn) -> None:
    account = opened()
    check_accounts({})
    jobs = [job.payload for job in db.session.scalars(select(Job)) if job.kind == "connect.refresh"]
    assert jobs == [{"stripe_id": account.stripe_id}]
