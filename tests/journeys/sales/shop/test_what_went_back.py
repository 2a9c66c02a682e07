"""What a customer reads of money that went back: how much and how, never what we wrote for us."""

import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader

from billing.models import Dispute, DisputeState, Order, Refund, RefundState
from billing.settlement.refunds import request_refund
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from tests.factories.desk import make_sale
from tests.factories.people import make_customer, make_member, make_organization

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def publisher(app: object) -> Organization:
    return make_organization("Quayside")


@pytest.fixture
def order(publisher: Organization) -> Order:
    return make_sale(publisher.id, make_customer("Blue Kite").id, amount=10_000)


@pytest.fixture
def browser(order: Order, sign_in: SignIn) -> FlaskClient:
    customer = db.session.get_one(Organization, order.organization_id)
    return sign_in(make_member(customer, Role.FINANCE), customer)


def path_of(order: Order) -> str:
    customer = db.session.get_one(Organization, order.organization_id)
    return f"/organizations/{customer.slug}/orders/{order.public_id}"


def told(browser: FlaskClient, order: Order) -> tuple[str, str]:
    """The order's page, and the text of its receipt."""
    path = path_of(order)
    receipt = PdfReader(io.BytesIO(browser.get(f"{path}/receipt.pdf").data))
    return browser.get(path).text, "\n".join(page.extract_text() for page in receipt.pages)


def lose(order: Order, amount: int) -> None:
    db.session.add(
        Dispute(
            stripe_id="du_1", order_id=order.id, charge_id=order.charge_id or "", amount=amount,
            lost_amount=amount, currency="EUR", state=DisputeState.LOST, decided_at=clock.now(),
        )
    )  # fmt: skip
    order.refunded_total = min(order.total, order.refunded_total + amount)
    db.session.commit()


@pytest.mark.parametrize("state", [RefundState.PENDING, RefundState.SUCCEEDED])
def test_the_reason_of_a_refund_is_told_to_partners_and_not_to_the_customer(
    browser: FlaskClient, order: Order, publisher: Organization, sign_in: SignIn, state: RefundState
) -> None:
    refund = request_refund(order, 2_000, reason="Suspected fraud", by_user_id=1)
    refund.state = state
    db.session.commit()
    for text in told(browser, order):
        assert "Suspected fraud" not in text
        assert "€20.00" in text
    partner = sign_in(make_member(publisher, Role.FINANCE), publisher)
    earning_id = db.session.execute(db.text("SELECT public_id FROM earning")).scalar_one()
    line = partner.get(f"/partner/earnings/lines/{earning_id}").text
    assert f"Refund 1 of {order.public_id}: Suspected fraud" in line


def test_a_page_and_a_receipt_add_up_while_a_refund_is_on_its_way(
    browser: FlaskClient, order: Order
) -> None:
    done = request_refund(order, 1_000, reason="x", by_user_id=1)
    done.state, done.settled_at = RefundState.SUCCEEDED, clock.now()
    request_refund(order, 2_500, reason="x", by_user_id=1)
    failed = request_refund(order, 300, reason="x", by_user_id=1)
    failed.state = RefundState.FAILED
    order.refunded_total -= 300
    db.session.commit()
    page, receipt = told(browser, order)
    for text in (page, receipt):
        for words in ("Refunded", "−€10.00", "Refund on its way", "−€25.00", "€65.00"):
            assert words in text, words
        assert "−€3.00" not in text
    # The page tells of the attempt, and that it failed.
    assert "€3.00" in page
    assert db.session.query(Refund).count() == 3


def test_what_the_bank_took_back_is_told(browser: FlaskClient, order: Order) -> None:
    lose(order, 10_000)
    for text in told(browser, order):
        for words in ("Taken back by your bank", "−€100.00", "Left", "€0.00"):
            assert words in text, words
        assert "More than you paid" not in text


def test_a_dispute_that_is_lost_after_a_refund_gives_back_more_than_was_paid(
    browser: FlaskClient, order: Order
) -> None:
    request_refund(order, 3_000, reason="x", by_user_id=1).state = RefundState.SUCCEEDED
    lose(order, 10_000)
    for text in told(browser, order):
        for words in ("−€30.00", "−€100.00", "More than you paid", "€30.00", "€0.00"):
            assert words in text, words
