"""P enters a token and its credit posts; a reused or expired token is refused."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from billing.models import BillingProfile, FeeKind, FeeRule, Order, OrderState, TaxRate
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.program.vouchers.models import CreditEntry, Voucher
from marketplace.program.vouchers.services import balances, return_unused
from tests.factories.contacts_world import make_staff
from tests.factories.desk import make_schedule
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.factories.program import make_policy, make_standing, policy_document

PAGE = "/partner/credit"


@pytest.fixture
def charity(app: Any) -> Organization:
    types = policy_document()["types"]
    types.append({"key": "non_profit", "name": "Non-profit", "entry": "application"})
    make_policy(types=types)
    organization = make_organization("Open Shore", partner_type="non_profit")
    make_standing(organization)
    return organization


def issue(sign_in: Any, **changes: str) -> list[str]:
    greta = make_staff(make_platform(), "Greta Holm", Role.FINANCE)
    until = (clock.now() + timedelta(days=30)).date().isoformat()
    data = {
        "count": "2",
        "amount": "500",
        "currency": "EUR",
        "partner_type": "non_profit",
        "until": until,
        "note": "Welcome grant",
        **changes,
    }
    page = sign_in(greta).post("/staff/vouchers/new", data=data)
    assert page.status_code == 200, page.text
    return re.findall(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", page.text)


def test_109_non_profit(sign_in: Any, charity: Organization) -> None:
    first, second = issue(sign_in)[:2]
    stored = db.session.scalars(select(Voucher.token_hash)).all()
    assert first not in stored
    assert len(stored) == 2
    browser = sign_in(make_member(charity), charity)
    # However it is typed, it posts, once.
    assert browser.post(PAGE, data={"token": f" {first.lower()} "}).status_code == 303
    assert "€500.00" in browser.get(PAGE).text
    again = browser.post(PAGE, data={"token": first})
    assert again.status_code == 422
    assert "This token was used by you" in again.text
    assert balances(charity.id) == {"EUR": 50_000}

    other = make_organization("Blue Reef", partner_type="non_profit")
    rival = sign_in(make_member(other), other)
    reused = rival.post(PAGE, data={"token": first})
    assert reused.status_code == 422
    assert "was used already" in reused.text
    assert balances(other.id) == {}
    with clock.frozen(clock.now() + timedelta(days=31)):
        late = sign_in(make_member(charity, user=make_user("Bo Lind")), charity)
        expired = late.post(PAGE, data={"token": second})
        assert expired.status_code == 422
        assert "This token expired on" in expired.text
    assert db.session.scalar(select(func.count()).select_from(CreditEntry)) == 1


def test_a_form_that_is_sent_again_issues_nothing_more(sign_in: Any, charity: Organization) -> None:
    desk = sign_in(make_staff(make_platform(), "Greta Holm", Role.FINANCE))
    shown = desk.get("/staff/vouchers/new").text
    found = re.search(r'name="form_key"[^>]*value="([^"]+)"', shown)
    assert found is not None
    until = (clock.now() + timedelta(days=30)).date().isoformat()
    data = {"count": "2", "amount": "5", "currency": "EUR", "until": until, "form_key": found[1]}
    # A form that was refused is the same form.
    refused = desk.post("/staff/vouchers/new", data={**data, "amount": ""})
    assert found[1] in refused.text
    first = desk.post("/staff/vouchers/new", data=data)
    assert first.status_code == 200
    assert "2 tokens of €5.00" in first.text
    again = desk.post("/staff/vouchers/new", data=data)
    assert again.status_code == 303
    page = desk.get(again.location).text
    assert "These tokens were issued already" in page
    assert db.session.scalar(select(func.count()).select_from(Voucher)) == 2
    assert found[1] not in desk.get("/staff/vouchers/new").text


def test_only_partners_of_the_type_use_a_token(sign_in: Any, charity: Organization) -> None:
    token = issue(sign_in)[0]
    company = make_organization("Tidewater")
    refused = sign_in(make_member(company), company).post(PAGE, data={"token": token})
    assert refused.status_code == 422
    assert "Non-profit" in refused.text
    viewer = sign_in(make_member(charity, Role.VIEWER), charity)
    assert viewer.post(PAGE, data={"token": token}).status_code == 403


def test_nothing_that_is_typed_breaks_the_pages(sign_in: Any, charity: Organization) -> None:
    browser = sign_in(make_member(charity), charity)
    for odd in ("", "\0", "x" * 10_000, "ABCD-EFGH-JKMN-PQRS", "0" * 16):
        assert browser.post(PAGE, data={"token": odd}).status_code == 422
    desk = sign_in(make_staff(make_platform(), "Greta Holm", Role.FINANCE))
    for changes in (
        {},
        {"count": "9" * 30, "amount": "1", "currency": "EUR", "until": "9999-12-31"},
        {"count": "-1", "amount": "\0", "currency": "XXX", "until": "0001-01-01"},
        {"count": "1", "amount": "-5", "currency": "EUR", "until": "2020-01-01"},
        {"count": "1", "amount": "99999999999999999999", "currency": "EUR", "until": "x"},
    ):
        assert desk.post("/staff/vouchers/new", data=changes).status_code == 422
    for query in ("state=odd", "q=%00", "page=-1", "page=99999999999"):
        assert desk.get(f"/staff/vouchers?{query}").status_code == 200


def test_the_credit_pays_a_fee_and_comes_back_when_the_order_is_given_up(
    sign_in: Any, charity: Organization
) -> None:
    make_schedule(
        FeeRule(kind=FeeKind.SALE, bps=2_000),
        FeeRule(kind=FeeKind.SUPPORT_PACK, currency="EUR", fixed=30_000),
    )
    db.session.add(
        BillingProfile(
            organization_id=charity.id, legal_name="Open Shore", country="DE", email="a@b.example"
        )
    )
    db.session.add(TaxRate(country="DE", name="VAT", bps=1_900, effective_from=clock.now()))
    first, _second = issue(sign_in)[:2]
    browser = sign_in(make_member(charity), charity)
    browser.post(PAGE, data={"token": first})
    path = "/partner/fees/payment"
    assert "Pay with credit" in browser.get(f"{path}?fee=support_pack&currency=EUR").text
    data = {"fee": "support_pack", "currency": "EUR", "shown": "30000", "credit": "1"}
    paid = browser.post(path, data=data)
    assert paid.status_code == 303
    db.session.rollback()
    order = db.session.scalars(select(Order)).one()
    assert (order.state, order.total) == (OrderState.PAID, 0)
    assert balances(charity.id) == {"EUR": 20_000}
    # There is too little for a second one, and nothing is ordered.
    assert browser.post(path, data=data).status_code == 303
    db.session.rollback()
    assert len(db.session.scalars(select(Order)).all()) == 1
    assert balances(charity.id) == {"EUR": 20_000}
    assert return_unused() == 0
    order.state = OrderState.EXPIRED
    db.session.flush()
    assert (return_unused(), return_unused()) == (1, 0)
    assert balances(charity.id) == {"EUR": 50_000}
