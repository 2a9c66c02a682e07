"""A platform with two people of finance, a publisher, a customer and a sale."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.accounts import PARTNER_HELD, PARTNER_RECEIVABLE
from billing.ledger import credit, debit, post
from billing.models import Dispute, DisputeState, Objection, Order, RefundRequest
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, Role, User
from tests.conftest import SignIn
from tests.factories.desk import make_sale, make_schedule
from tests.factories.people import make_customer, make_member, make_organization, make_platform


@dataclass
class Desk:
    """The people and things of these tests; `client` is Fay's of finance, `other` Finn's."""

    client: FlaskClient
    other: FlaskClient
    fay: User
    finn: User
    publisher: Organization
    customer: Organization
    buyer: User
    order: Order
    request: RefundRequest
    dispute: Dispute
    objection: Objection

    @property
    def fay_at_platform(self) -> Membership:
        """Fay's part in the platform."""
        return db.session.scalars(
            select(Membership)
            .join(Membership.organization)
            .where(Membership.user_id == self.fay.id, Organization.kind == "platform")
        ).one()


@pytest.fixture
def desk(app: Flask, sign_in: SignIn) -> Desk:
    """Everything once; the ledger says that the publisher owes 7.00 as well."""
    platform = make_platform()
    fay = make_member(platform, Role.FINANCE)
    finn = make_member(platform, Role.FINANCE)
    publisher, customer = make_organization("Quayside"), make_customer("Blue Kite")
    buyer = make_member(customer, Role.OWNER)
    make_schedule()
    order = make_sale(publisher.id, customer.id, amount=10_000, tax=1_900)
    order.placed_by_id = buyer.id
    disputed = make_sale(publisher.id, customer.id, amount=5_000)
    now = clock.now()
    request = RefundRequest(
        order_id=order.id, author_id=buyer.id, amount=11_900, body="It does not fit <us>."
    )
    dispute = Dispute(
        stripe_id="du_1", order_id=disputed.id, charge_id=disputed.charge_id or "", amount=5_000,
        currency="EUR", state=DisputeState.OPEN, reason="product_not_received",
        evidence_due_at=now + timedelta(days=2),
    )  # fmt: skip
    db.session.add_all([request, dispute])
    db.session.flush()
    earning_id = db.session.execute(
        db.text("SELECT id FROM earning WHERE order_id = :order"), {"order": order.id}
    ).scalar_one()
    objection = Objection(
        earning_id=earning_id,
        partner_id=publisher.id,
        author_id=make_member(publisher).id,
        body="Why 20%?",
    )
    db.session.add(objection)
    post(
        "adjustment",
        source=("test", 1),
        key="test:owes",
        legs=[
            debit(PARTNER_RECEIVABLE, 700, "EUR", publisher.id),
            credit(PARTNER_HELD, 700, "EUR", publisher.id),
        ],
    )
    db.session.commit()
    return Desk(
        sign_in(fay), sign_in(finn), fay, finn, publisher, customer, buyer, order, request,
        dispute, objection,
    )  # fmt: skip
