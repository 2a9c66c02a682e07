"""Scopes of partners' own credentials have names that nobody else's scope can have."""

import pytest
from flask import Flask
from pydantic import ValidationError

from marketplace.catalogue.content import ScopeRequest
from marketplace.core.errors import InvalidError
from marketplace.core.permissions import Actor
from marketplace.installs.customer.asking import allowed_scopes
from marketplace.installs.customer.services.scopes import ScopeWords, add_scope
from marketplace.installs.models import Environment
from marketplace.installs.scopes import CUSTOMER_SCOPES, PARTNER_PREFIX, PARTNER_SCOPES
from tests.factories.apps import client_of, make_app
from tests.factories.listings import make_listing

OURS = [*CUSTOMER_SCOPES, *PARTNER_SCOPES, "partner.anything"]


def test_all_partner_scopes_and_no_other_begin_alike() -> None:
    assert all(name.startswith(PARTNER_PREFIX) for name in PARTNER_SCOPES)
    assert not any(name.startswith(PARTNER_PREFIX) for name in CUSTOMER_SCOPES)


@pytest.mark.parametrize("name", OURS)
def test_the_operator_cannot_describe_a_scope_of_ours(app: Flask, name: str) -> None:
    with pytest.raises(InvalidError) as refused:
        add_scope(Actor(), name, ScopeWords("See everything"))
    assert refused.value.fields == {"name": "This scope belongs to the marketplace itself."}


def test_a_listing_cannot_ask_for_a_partner_scope() -> None:
    for name in ("partner.events.read", "Partner.x"):
        with pytest.raises(ValidationError, match="for partners"):
            ScopeRequest(scope=name, reason="To look around")
    assert ScopeRequest(scope="partners.read", reason="To look around").scope == "partners.read"


@pytest.mark.parametrize("environment", list(Environment))
def test_no_app_may_ask_a_customer_for_one_that_a_listing_names_all_the_same(
    app: Flask, environment: Environment
) -> None:
    listing = make_listing()
    listing.content = {
        **(listing.content or {}),
        "scopes": [
            {"scope": name, "reason": "To look around"}
            for name in ("partner.events.read", "events.read")
        ],
    }
    allowed = allowed_scopes(client_of(make_app(listing), environment))
    assert "events.read" in allowed
    assert "partner.events.read" not in allowed
