"""Schemathesis against the platform API, with tokens that may do everything and with bad ones."""

from typing import Any

import pytest
from flask import Flask

from marketplace.core.database import db
from marketplace.installs.models import Environment
from tests.factories.apps import make_installation
from tests.factories.people import make_customer, make_member
from tests.journeys.api.fuzzing import ANONYMOUS, fuzz
from tests.journeys.api.platform.conftest import Partner

INSTALLED = ["Installed apps", "Tokens"]


def config_of(token: str, **more: Any) -> dict[str, Any]:
    return {
        "headers": {"Authorization": f"Bearer {token}"},
        "checks": {
            # What a shape cannot say: a day that is over, an ETag that is right, a category that
            # exists, the character NUL.
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "400", "401", "403", "404", "409", "412", "422"]
            },
            # Its requests do not reach a WSGI application (4.32); test_other_tokens.py tries every
            # address without a token and with wrong ones.
            "ignored_auth": {"enabled": False},
            "missing_required_header": {"expected-statuses": ["401", "403", "415", "422", "428"]},
        },
        **more,
    }


def fill(partner: Partner) -> None:
    """More of everything, and the things that the description's examples name."""
    partner.listing.slug = "tide-tables"
    partner.installation.public_id = "inst_3f9a1c0b2d4e5f6071829304"
    partner.erasure.public_id = "er_3f9a1c0b2d4e5f6071829304"
    partner.review.id = 42
    for number in range(3):
        make_member(partner.customer)
        make_installation(partner.app, make_customer(f"Kite {number}"))
    db.session.commit()


pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@pytest.mark.timeout(600)
def test_the_partners_api_is_what_its_description_says(app: Flask, partner: Partner) -> None:
    fill(partner)
    failures, checks = fuzz(app, but=[*ANONYMOUS, *INSTALLED], config=config_of(partner.key()))
    assert failures == []
    assert checks > 1000


@pytest.mark.timeout(240)
def test_the_installed_apps_api_is_what_its_description_says(app: Flask, partner: Partner) -> None:
    fill(partner)
    failures, checks = fuzz(app, only=INSTALLED, config=config_of(partner.token()))
    assert failures == []
    assert checks > 300


@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", ["nothing", "garbage", "test credential", "no scope"])
def test_bad_tokens_get_documented_refusals_whatever_is_sent(
    app: Flask, partner: Partner, kind: str
) -> None:
    token = {
        "nothing": "",
        "garbage": "pko_\u00ff'; DROP TABLE access_key; --",
        "test credential": partner.key(environment=Environment.TEST),
        "no scope": partner.key("partner.events.read"),
    }[kind]
    # The same refusal comes for each request: a few of every operation will do.
    brief = {"mode": "all", "max-examples": 3, "deterministic": True, "database": "none"}
    phases = {"stateful": {"enabled": False}, "coverage": {"enabled": False}}
    failures, checks = fuzz(
        app, but=ANONYMOUS, config=config_of(token, generation=brief, phases=phases)
    )
    assert failures == []
    assert checks > 200
