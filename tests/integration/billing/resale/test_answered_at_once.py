"""Two who answer at once: what the first decided stands."""

from datetime import timedelta

import pytest
from flask import Flask

from billing.affiliates import joining
from billing.affiliates.joining import decide, suspend
from billing.models import (
    Affiliate,
    AffiliateState,
    AgreementState,
    QuoteState,
    ResaleQuote,
    ResellerAgreement,
)
from billing.resale import agreements, quotes
from billing.resale.agreements import (
    AgreementTerms,
    accept_agreement,
    decline_agreement,
    end_agreement,
    offer_agreement,
)
from billing.resale.quotes import QuoteTerms, accept_quote, draft_quote, send_quote, withdraw_quote
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from tests.factories.affiliates import make_affiliate, make_agreement, make_plan, make_program
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.races import meanwhile

pytestmark = pytest.mark.timeout(30)


def sent_quote() -> int:
    agreement = make_agreement(make_plan(make_listing(), is_per_seat=True), make_organization())
    terms = QuoteTerms(4_900, 1, clock.now() + timedelta(days=9))
    quote = draft_quote(agreement, make_customer().id, terms, by_user_id=None)
    send_quote(quote, by_user_id=None)
    db.session.commit()
    return quote.id


def test_a_quote_that_is_accepted_while_it_is_withdrawn_is_withdrawn(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    quote_id = sent_quote()

    def accept() -> None:
        accept_quote(db.session.get_one(ResaleQuote, quote_id), by_user_id=None)

    raised = meanwhile(app, monkeypatch, quotes, "record_fact", accept)
    withdraw_quote(db.session.get_one(ResaleQuote, quote_id), by_user_id=None)
    db.session.commit()
    assert [type(each) for each in raised()] == [ConflictError]
    quote = db.session.get_one(ResaleQuote, quote_id, populate_existing=True)
    assert quote.state is QuoteState.WITHDRAWN


def test_nothing_is_accepted_under_an_agreement_that_is_ended_meanwhile(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    quote_id = sent_quote()

    def accept() -> None:
        accept_quote(db.session.get_one(ResaleQuote, quote_id), by_user_id=None)

    raised = meanwhile(app, monkeypatch, agreements, "record_fact", accept)
    agreement = db.session.get_one(ResaleQuote, quote_id).agreement
    end_agreement(agreement, by_user_id=None)
    db.session.commit()
    assert [type(each) for each in raised()] == [ConflictError]
    quote = db.session.get_one(ResaleQuote, quote_id, populate_existing=True)
    assert quote.state is QuoteState.WITHDRAWN


def test_an_offer_that_is_declined_while_it_is_accepted_is_accepted(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = offer_agreement(
        make_plan(make_listing()),
        make_organization().id,
        AgreementTerms("EUR", 4_000, 5_000),
        by_user_id=None,
    )
    offered_id = offered.id
    db.session.commit()

    def decline() -> None:
        decline_agreement(db.session.get_one(ResellerAgreement, offered_id), by_user_id=None)

    raised = meanwhile(app, monkeypatch, agreements, "record_fact", decline)
    accept_agreement(db.session.get_one(ResellerAgreement, offered_id), by_user_id=None)
    db.session.commit()
    assert [type(each) for each in raised()] == [ConflictError]
    found = db.session.get_one(ResellerAgreement, offered_id, populate_existing=True)
    assert found.state is AgreementState.ACTIVE


def test_an_affiliate_is_decided_about_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make_program(make_listing().publisher, is_open=False)
    affiliate_id = make_affiliate(program, make_organization()).id
    db.session.commit()
    told: list[bool] = []

    def reject() -> None:
        affiliate = db.session.get_one(Affiliate, affiliate_id)
        told.append(decide(affiliate, accept=False, note="No.", by_user_id=None))

    raised = meanwhile(app, monkeypatch, joining, "record_fact", reject)
    affiliate = db.session.get_one(Affiliate, affiliate_id)
    assert decide(affiliate, accept=True, note="", by_user_id=None)
    db.session.commit()
    assert (raised(), told) == ([], [False])
    affiliate = db.session.get_one(Affiliate, affiliate_id, populate_existing=True)
    assert affiliate.state is AffiliateState.ACTIVE
    assert suspend(affiliate, note="Spam.", by_user_id=None)
