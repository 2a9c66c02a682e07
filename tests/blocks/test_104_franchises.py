"""104 Franchises: a territory's lead routes to P, an overlapping grant is refused, and the royalty
invoice of a month is exact."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient

from billing.models import BillingProfile, Order, OrderKind
from billing.orders import Payment, mark_paid
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import sweep
from marketplace.identity.models import Role
from marketplace.pipeline.franchises.models import RoyaltyInvoice, TerritoryGrant
from marketplace.pipeline.leads.models import LeadOffer
from marketplace.program.measures import Measure, measure
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing

SignIn = Callable[..., FlaskClient]
OCTOBER, DECEMBER = datetime(2026, 10, 15, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC)
GRANT = {
    "partner": "quayside",
    "areas": "DE 20 21\nDK",
    "first_month": "2026-10",
    "last_month": "2028-12",
    "royalty_base": "measured",
    "royalty": "7.25",
    "currency": "EUR",
    "minimum": "50.00",
}
BRIEF = {
    "name": "Jonas Brandt",
    "email": "jonas@elbe.example",
    "country": "DE",
    "postal_code": "20457",
    "need": "A calendar for the harbor.",
    "consent": "y",
}


def test_104_franchises(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    with clock.frozen(OCTOBER):
        make_policy()
        partner = make_organization("Quayside", slug="quayside")
        rival = make_organization("Rivals", slug="rivals")
        for each in (partner, rival):
            make_standing(each)
        platform = make_platform()
        manager = make_member(platform, Role.PROGRAM_MANAGER)
        owner, other = make_member(partner), make_member(rival)
        db.session.add(
            BillingProfile(
                organization_id=partner.id,
                legal_name="Quayside GmbH",
                country="DE",
                email="bills@quayside.example",
            )
        )
        staff, p, stranger = sign_in(manager), sign_in(owner, partner), sign_in(other, rival)
        staff.post(
            "/staff/leads/rules/new",
            data={"name": "All", "method": "round_robin", "answer_hours": "24", "is_active": "y"},
        )

        granted = staff.post("/staff/territories/new", data=GRANT)
        assert granted.status_code == 303, granted.text
        # What overlaps in place and time is refused, to whomever.
        for areas in ("DE", "DE 2", "DE 204", "DK 1000"):
            refused = staff.post(
                "/staff/territories/new", data={**GRANT, "partner": "rivals", "areas": areas}
            )
            assert refused.status_code == 422, areas
            assert "which Quayside holds" in refused.text
        later = {**GRANT, "partner": "rivals", "first_month": "2029-01", "last_month": "2029-12"}
        assert staff.post("/staff/territories/new", data=later).status_code == 303
        beside = {**GRANT, "partner": "rivals", "areas": "DE 22", "last_month": "2027-12"}
        assert staff.post("/staff/territories/new", data=beside).status_code == 303
        assert db.session.query(TerritoryGrant).count() == 3

        # Leads of the territory go to its holder, others by the rules.
        for postal, email in (("20457", "a@elbe.example"), ("21 029", "b@bille.example")):
            data = {**BRIEF, "postal_code": postal, "email": email}
            assert client.post("/briefs/new", data=data).status_code == 303
        client.post(
            "/briefs/new", data={**BRIEF, "postal_code": "22767", "email": "c@alster.example"}
        )
        routed = [
            (offer.organization_id, offer.reasons[0])
            for offer in db.session.query(LeadOffer).order_by(LeadOffer.id)
        ]
        assert routed == [
            (partner.id, "Its exclusive territory is Germany, postal codes 20…"),
            (partner.id, "Its exclusive territory is Germany, postal codes 21…"),
            (rival.id, "Its exclusive territory is Germany, postal codes 22…"),
        ]

        # In October 12,345.67 are sold and 100.00 refunded; in November nothing.
        measure(
            partner.id, Measure.NET_REVENUE, 1_234_567, key="a", source=("order", 1), currency="EUR"
        )
        measure(
            partner.id, Measure.NET_REVENUE, -10_000, key="b", source=("order", 1), currency="EUR"
        )
        measure(
            partner.id, Measure.NET_REVENUE, 99_999, key="c", source=("order", 2), currency="USD"
        )
        db.session.commit()
        sweep()
        assert db.session.query(RoyaltyInvoice).count() == 0

    with clock.frozen(DECEMBER):
        staff, p, stranger = sign_in(manager), sign_in(owner, partner), sign_in(other, rival)
        sweep()
        invoices = (
            db.session.query(RoyaltyInvoice)
            .filter_by(organization_id=partner.id)
            .order_by(RoyaltyInvoice.month)
            .all()
        )
        # 7.25% of 12,245.67 is 887.811…, rounded down; November is the minimum.
        assert [(row.month, row.amount) for row in invoices] == [
            ("2026-10", 88_781),
            ("2026-11", 5_000),
        ]
        october = invoices[0]
        address = f"/partner/territories/invoices/{october.public_id}"
        page = p.get(address)
        assert "€887.81" in page.text
        pdf = p.get(f"{address}/invoice.pdf")
        assert pdf.data.startswith(b"%PDF")
        assert pdf.data == p.get(f"{address}/invoice.pdf").data
        assert stranger.get(address).status_code == 404
        assert stranger.post(f"{address}/payment").status_code == 404

        # P pays it by checkout: an order of just that sum, once for two clicks.
        for _ in range(2):
            assert p.post(f"{address}/payment").status_code == 303
        order = db.session.query(Order).one()
        assert (order.kind, order.subtotal, order.currency) == (
            OrderKind.PROGRAM_FEE,
            88_781,
            "EUR",
        )
        mark_paid(order.id, Payment(charge_id="ch_1", payment_intent_id="pi_1", paid_at=DECEMBER))
        db.session.commit()
        assert "Paid" in p.get(address).text
        assert not re.search(r"Pay €", p.get(address).text)
        sweep()
        assert db.session.query(RoyaltyInvoice).filter_by(organization_id=partner.id).count() == 2
