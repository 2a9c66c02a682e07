"""A partner looks at its money: balances, lines and why, statements, payouts, its account."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.affiliates.attributing import attribute
from billing.affiliates.clicks import touches_of_visitor
from billing.models import (
    AccountState,
    ConvertedSide,
    EarningKind,
    Funder,
    Objection,
    ObjectionState,
    Payout,
    PayoutSetting,
    PayoutState,
)
from billing.objections import decide_objection
from billing.settlement.conversions import decide_conversion, request_conversion
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role, User
from tests.factories.affiliates import (
    make_affiliate,
    make_affiliate_link,
    make_click,
    make_program,
)
from tests.factories.earnings import make_earning, release_earning, take_back
from tests.factories.mails import mails
from tests.factories.payouts import make_account, make_approved_run, make_payable
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.queries import count_queries
from tests.factories.selling import make_discount
from tests.factories.stripe import StripeStandIn, stripe, stripe_server

__all__ = ["stripe", "stripe_server"]
SignIn = Callable[..., FlaskClient]


@pytest.fixture
def partner(app: object) -> Organization:
    return make_organization("Quayside")


@pytest.fixture
def browser(partner: Organization, sign_in: SignIn) -> FlaskClient:
    return sign_in(make_member(partner, Role.FINANCE), partner)


def page(browser: FlaskClient, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status, answer.location
    return answer.text


def test_an_empty_page_says_what_will_be_here(browser: FlaskClient) -> None:
    text = page(browser, "/partner/earnings")
    assert "Nothing earned yet" in text
    assert "Connect a payout account" in text
    assert "No line yet" in page(browser, "/partner/earnings/lines")
    assert "No statement yet" in page(browser, "/partner/earnings/statements")
    assert "No payout yet" in page(browser, "/partner/earnings/payouts")
    assert "Payouts are not set up on this site yet" in page(browser, "/partner/payout-account")


def test_balances_releases_and_lines(browser: FlaskClient, partner: Organization) -> None:
    make_account(partner.id)
    held = make_earning(partner.id, price=20_000)
    released = make_earning(partner.id, price=10_000, description="Night Watch")
    release_earning(released)
    frozen = make_earning(partner.id, price=3_000, description="Odd one")
    frozen.frozen_reason = "The customer's bank disputes it"
    make_earning(partner.id, price=1_000, currency="JPY")
    make_earning(make_organization("Other").id, price=77_700, description="Not yours")
    db.session.commit()
    text = page(browser, "/partner/earnings")
    assert "€195.50" in text  # held: 170.00 + 25.50
    assert "€85.00" in text
    assert "¥850" in text
    assert "1 line is frozen" in text
    assert "Not yours" not in text
    assert "€170.00" in text  # released next
    lines = page(browser, "/partner/earnings/lines?state=frozen")
    assert "Odd one" in lines
    assert "Night Watch" not in lines
    assert "Night Watch" in page(browser, "/partner/earnings/lines?q=night&state=payable")
    assert "Nothing fits" in page(browser, "/partner/earnings/lines?q=100%25")
    assert "Nothing fits" in page(browser, "/partner/earnings/lines?month=2020-01")
    for odd in (
        "state=x",
        "kind=x",
        "month=2026-13",
        "month=9999-12",
        "month=２０２６-10",
        "currency=%00",
        "page=x",
        "q=%00",
    ):
        assert "Night Watch" in page(browser, f"/partner/earnings/lines?{odd}")
    assert held.public_id


def test_lists_cost_the_same_however_long_they_are(
    browser: FlaskClient, partner: Organization
) -> None:
    for _ in range(2):
        release_earning(make_earning(partner.id))
    db.session.commit()
    addresses = ("/partner/earnings", "/partner/earnings/lines", "/partner/earnings/statements")
    before = [count_queries(lambda a=a: page(browser, a)) for a in addresses]  # type: ignore[misc]  # a lambda's default has no type
    for _ in range(10):
        release_earning(make_earning(partner.id))
    db.session.commit()
    after = [count_queries(lambda a=a: page(browser, a)) for a in addresses]  # type: ignore[misc]  # a lambda's default has no type
    assert after == before
    assert max(after) <= 22


def test_the_receipt_of_a_sale_tells_every_step(
    browser: FlaskClient, partner: Organization
) -> None:
    customer = make_customer("Blue Kite")
    earning = make_earning(partner.id, price=3_333, fee_bps=1_250, customer_id=customer.id)
    take_back(earning, 100)
    db.session.commit()
    text = page(browser, f"/partner/earnings/lines/{earning.public_id}")
    assert "12.5% of €33.33" in text
    assert "12.5% of €33.33 is 4.16625 EUR, rounded to €4.17" in text
    assert "−€4.17" in text
    assert "€29.16" in text
    assert "Refunded or lost in a dispute" in text
    assert "€28.16" in text
    assert "Blue Kite" in text
    assert earning.line.order.charge_id in text
    assert "Refund of a part" in text


def test_the_receipt_of_a_commission_does_not_name_the_customer(
    browser: FlaskClient, partner: Organization
) -> None:
    customer = make_customer("Blue Kite")
    earning = make_earning(
        partner.id,
        price=10_000,
        kind=EarningKind.AFFILIATE_COMMISSION,
        commission_bps=2_000,
        customer_id=customer.id,
        commission_funder=Funder.PLATFORM,
    )
    db.session.commit()
    text = page(browser, f"/partner/earnings/lines/{earning.public_id}")
    assert "You earn 20%" in text
    assert "€20.00" in text
    assert "Blue Kite" not in text


def test_the_receipt_of_a_commission_tells_what_brought_the_customer(
    browser: FlaskClient, partner: Organization
) -> None:
    publisher, customer = make_organization("Nordwind"), make_customer("Blue Kite")
    affiliate = make_affiliate(make_program(publisher), partner)
    link = make_affiliate_link(affiliate, code="tides")
    click = make_click(link, days_ago=3, referrer_host="blog.example")
    (row,) = attribute(customer.id, touches_of_visitor("visitor"))
    code = make_discount(publisher, "BRAMBLE10").codes[0]

    def receipt(came_by: str, **fields: object) -> str:
        earning = make_earning(
            partner.id,
            kind=EarningKind.AFFILIATE_COMMISSION,
            customer_id=customer.id,
            commission_funder=Funder.PUBLISHER,
            affiliate_id=affiliate.id,
            affiliate_organization_id=partner.id,
            came_by=came_by,
            **fields,
        )
        db.session.commit()
        return page(browser, f"/partner/earnings/lines/{earning.public_id}")

    until = {"attribution_id": row.id, "credited_until": row.expires_at}
    by_click = receipt("click", click_id=click.id, sub_id="letter-7", **until)
    for words in ("A click on your link", "/r/tides", "blog.example", "letter-7", "Credited until"):
        assert words in by_click
    by_code = receipt("code", code_id=code.id)
    assert "Your code" in by_code
    assert "BRAMBLE10" in by_code
    assert "/r/tides" not in by_code
    assert "Credited until" not in by_code
    by_lead = receipt("server", **until)
    assert "A lead that your own server registered" in by_lead
    assert "Credited since" in by_lead
    assert "A workspace that you set up" in receipt("handover", **until)
    assert "Came by" not in receipt("")


def test_lines_as_a_file_hold_no_formulas(browser: FlaskClient, partner: Organization) -> None:
    make_earning(partner.id, description="=cmd|' /C calc'!A0")
    db.session.commit()
    text = browser.get("/partner/earnings/lines.csv").text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[0]["description"] == "'=cmd|' /C calc'!A0"
    assert (rows[0]["base"], rows[0]["net"], rows[0]["currency"]) == ("100.00", "85.00", "EUR")


def test_a_partner_asks_about_a_line_and_reads_the_answer(
    browser: FlaskClient, partner: Organization
) -> None:
    earning = make_earning(partner.id)
    db.session.commit()
    address = f"/partner/earnings/lines/{earning.public_id}"
    refused = browser.post(f"{address}/questions", data={"body": " "})
    assert refused.status_code == 422
    assert "Write what you would like to know." in refused.text
    assert browser.post(f"{address}/questions", data={"body": "Why 15%?"}).status_code == 303
    text = page(browser, address)
    assert "Why 15%?" in text
    assert "Ask about this line" not in text
    # Another tab: the first question stays the only one.
    browser.post(f"{address}/questions", data={"body": "Again"})
    objection = db.session.scalars(select(Objection)).one()
    assert "Asked" in page(browser, "/partner/earnings/lines")
    decide_objection(
        objection.id, upheld=True, answer="You are right.", adjustment=500, by_user_id=1
    )
    db.session.commit()
    text = page(browser, address)
    assert "You are right." in text
    assert "€5.00" in text
    assert any("is answered" in mail["subject"] for mail in mails())


def test_a_question_is_withdrawn_after_a_second_look(
    browser: FlaskClient, partner: Organization
) -> None:
    earning = make_earning(partner.id)
    db.session.commit()
    browser.post(f"/partner/earnings/lines/{earning.public_id}/questions", data={"body": "Why?"})
    objection = db.session.scalars(select(Objection)).one()
    address = f"/partner/earnings/questions/{objection.id}/withdrawal"
    assert "Withdraw the question?" in page(browser, address)
    assert browser.post(address).status_code == 303
    db.session.expire_all()
    assert objection.state is ObjectionState.WITHDRAWN


def test_statements_as_page_csv_and_pdf_say_the_same(
    browser: FlaskClient, partner: Organization
) -> None:
    make_account(partner.id)
    sold = make_earning(partner.id, price=20_000)
    take_back(sold, 1_000)
    make_payable(partner.id, 5_000)
    make_approved_run()
    db.session.commit()
    month = f"{clock.now():%Y-%m}"
    assert month in page(browser, "/partner/earnings/statements")
    text = page(browser, f"/partner/earnings/statements/{month}")
    assert "−€10.00" in text
    assert "€160.00" in text
    file = browser.get(f"/partner/earnings/statements/{month}.csv?currency=EUR")
    assert file.headers["Content-Disposition"].endswith(f'-statement-{month}-EUR.csv"')
    rows = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert [row["amount"] for row in rows] == ["170.00", "-10.00", "50.00", "-50.00"]
    assert [row["section"] for row in rows] == [
        "Earned",
        "Refunds and disputes",
        "Corrections",
        "Paid out",
    ]
    pdf = browser.get(f"/partner/earnings/statements/{month}.pdf")
    assert pdf.data.startswith(b"%PDF")
    past = (clock.now() - timedelta(days=40)).date().isoformat()
    assert "Nothing happened" in page(
        browser, f"/partner/earnings/statements/{month}?as_of={past}T00:00:00%2B00:00"
    )
    for odd in ("2026-13", "0001-01", "x"):
        page(browser, f"/partner/earnings/statements/{odd}", 404)
    page(browser, f"/partner/earnings/statements/{month}?currency=USD", 404)
    page(browser, f"/partner/earnings/statements/{month}?as_of=yesterday", 404)


def test_a_payout_is_shown_with_its_lines_once_it_is_approved(
    browser: FlaskClient, partner: Organization
) -> None:
    make_account(partner.id)
    earning = make_earning(partner.id)
    release_earning(earning)
    make_approved_run()
    db.session.commit()
    payout = db.session.scalars(select(Payout)).one()
    assert payout.public_id in page(browser, "/partner/earnings/payouts")
    text = page(browser, f"/partner/earnings/payouts/{payout.public_id}")
    assert "Tide Tables Pro" in text
    assert "Approved" in text
    assert "In a payout" in page(browser, f"/partner/earnings/lines/{earning.public_id}")
    payout.state = PayoutState.COMPUTED
    db.session.commit()
    page(browser, f"/partner/earnings/payouts/{payout.public_id}", 404)


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OWNER, 200), (Role.ADMIN, 200), (Role.FINANCE, 200), (Role.EDITOR, 403)],
)
def test_money_is_for_owners_admins_and_finance(
    partner: Organization, sign_in: SignIn, role: Role, status: int
) -> None:
    browser = sign_in(make_member(partner, role), partner)
    for address in ("/partner/earnings", "/partner/earnings/lines.csv", "/partner/payout-account"):
        assert browser.get(address).status_code == status


def test_what_another_partner_earned_does_not_exist(
    browser: FlaskClient, partner: Organization
) -> None:
    other = make_organization("Other")
    make_account(other.id)
    earning = make_earning(other.id)
    release_earning(earning)
    make_approved_run()
    db.session.commit()
    payout = db.session.scalars(select(Payout)).one()
    page(browser, f"/partner/earnings/lines/{earning.public_id}", 404)
    page(browser, f"/partner/earnings/payouts/{payout.public_id}", 404)
    asked = browser.post(
        f"/partner/earnings/lines/{earning.public_id}/questions", data={"body": "Why?"}
    )
    assert asked.status_code == 404


def test_a_partner_connects_its_account_at_stripe(
    browser: FlaskClient, partner: Organization, stripe: StripeStandIn
) -> None:
    refused = browser.post("/partner/payout-account", data={"country": ""})
    assert refused.status_code == 422
    assert "Choose a country." in refused.text
    assert browser.post("/partner/payout-account", data={"country": "DE"}).status_code == 303
    text = page(browser, "/partner/payout-account")
    assert "The set-up is not finished" in text
    away = browser.get("/partner/payout-account/onboarding")
    assert away.status_code == 303
    assert away.location.startswith(stripe.url)
    account_id = stripe.all("account")[0]["id"]
    browser.get("/partner/payout-account/return")
    assert "A bank account" in page(browser, "/partner/payout-account")
    stripe.onboard(account_id)
    assert browser.get("/partner/payout-account/return").status_code == 303
    text = page(browser, "/partner/payout-account")
    assert "You can be paid" in text
    assert browser.get("/partner/payout-account/dashboard").location.startswith(stripe.url)
    stripe.restrict(account_id)
    browser.post("/partner/payout-account/refresh")
    assert "information is missing" in page(browser, "/partner/payout-account")
    assert "You cannot be paid yet" in page(browser, "/partner/earnings")
    assert "Disconnect the payout account?" in page(
        browser, "/partner/payout-account/disconnection"
    )
    browser.post("/partner/payout-account/disconnection")
    assert "Connect an account" in page(browser, "/partner/payout-account")


def test_stripe_s_silence_and_refusal_are_said_in_words(
    browser: FlaskClient, stripe: StripeStandIn
) -> None:
    stripe.fault("v2.core.accounts.create", "dropped")
    assert browser.post("/partner/payout-account", data={"country": "DE"}).status_code == 503
    for name in ("v2.core.accounts.create", "accounts.create"):
        stripe.fault(name, "refused", code="country_unsupported", message="Not from there.")
    refused = browser.post("/partner/payout-account", data={"country": "DE"})
    assert refused.status_code == 422
    assert "Not from there." in refused.text


def test_a_partner_chooses_from_which_amount_on_it_is_paid(
    browser: FlaskClient, partner: Organization
) -> None:
    address = "/partner/payout-account/minimum"
    for typed, said in (
        ("", "Type an amount"),
        ("9.99", "At least €10.00"),
        ("1.234", "EUR has 2 decimals"),
    ):
        refused = browser.post(address, data={"currency": "EUR", "amount": typed})
        assert refused.status_code == 422
        assert said in refused.text
        assert f'value="{typed}"' in refused.text
    assert browser.post(address, data={"currency": "EUR", "amount": "250"}).status_code == 303
    assert "€250.00" in page(browser, "/partner/payout-account")
    setting = db.session.get(PayoutSetting, partner.id)
    assert setting is not None
    assert setting.minimums == {"EUR": 25_000}


def test_whoever_is_frozen_reads_why(browser: FlaskClient, partner: Organization) -> None:
    make_account(partner.id, AccountState.READY)
    db.session.add(PayoutSetting(organization_id=partner.id, frozen_reason="We look at a sale."))
    db.session.commit()
    for address in ("/partner/earnings", "/partner/payout-account"):
        assert "We look at a sale." in page(browser, address)


def test_somebody_without_a_partner_is_told_so(sign_in: SignIn, app: object) -> None:
    user: User = make_member(make_customer())
    db.session.commit()
    assert sign_in(user).get("/partner/earnings").status_code == 403


def test_a_converted_balance_stands_on_the_receipt_and_on_both_statements(
    browser: FlaskClient, partner: Organization
) -> None:
    earning = make_earning(partner.id, currency="BGN")
    release_earning(earning)
    asked = request_conversion(
        partner.id, "BGN", ConvertedSide.PAYABLE, "1.95583", "Fixed by law", seen=4_346,
        by_user_id=1,
    )  # fmt: skip
    address = f"/partner/earnings/lines/{earning.public_id}"
    db.session.commit()
    assert "1.95583" not in page(browser, address)
    decide_conversion(asked.id, approve=True, by_user_id=2)
    db.session.commit()
    text = page(browser, address)
    assert "€43.46" in text
    assert "1.95583 BGN for 1 EUR" in text
    assert "Fixed by law" in text
    month = f"{clock.now():%Y-%m}"
    for currency in ("BGN", "EUR"):
        text = page(browser, f"/partner/earnings/statements/{month}?currency={currency}")
        assert "Converted to another currency" in text
