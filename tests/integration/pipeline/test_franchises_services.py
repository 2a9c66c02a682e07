"""Territories and royalties in the database: overlap, races, one invoice a month, credit notes."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from billing.models import Order, OrderState, Refund, RefundState
from billing.orders import Payment, mark_paid
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from marketplace.pipeline.franchises.models import (
    RoyaltyInvoice,
    RoyaltyKind,
    TerritoryGrant,
)
from marketplace.pipeline.franchises.reading import territory_holder
from marketplace.pipeline.franchises.services import granting, paying, royalties
from marketplace.pipeline.franchises.services.granting import GrantTerms
from tests.factories.people import make_organization
from tests.factories.races import at_once

NOVEMBER, DECEMBER = datetime(2026, 11, 10, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


def _terms(areas: str = "DE 20", **fields: object) -> GrantTerms:
    values: dict[str, object] = {
        "areas": areas, "first_month": "2026-11", "last_month": "2027-10",
        "royalty_base": "reported", "royalty_bps": 725, "minimum": 1_000, "currency": "EUR",
        **fields,
    }  # fmt: skip
    return GrantTerms(**values)  # type: ignore[arg-type]  # fields of the table above


def _grant(partner: Organization, areas: str = "DE 20", **fields: object) -> TerritoryGrant:
    return granting.grant(partner, _terms(areas, **fields), by_user_id=None)


def test_of_two_overlapping_grants_at_once_one_wins(app: Flask) -> None:
    ids = [make_organization(f"Partner {number}").id for number in range(3)]
    db.session.commit()

    def grant(organization_id: int, areas: str) -> None:
        with unit_of_work():
            _grant(db.session.get_one(Organization, organization_id), areas)

    raised = at_once(
        app,
        [
            lambda each=each, areas=areas: grant(each, areas)
            for each, areas in zip(ids, ("DE 2\nFR", "FR\nDE 20", "DE"), strict=True)
        ],
    )
    assert all(isinstance(error, InvalidError) or "locked" in str(error) for error in raised), (
        raised
    )
    db.session.rollback()
    assert db.session.query(TerritoryGrant).count() == 1
    assert len(raised) == 2


def test_an_early_end_frees_the_places_and_still_owes_the_month(app: Flask) -> None:
    first, second = make_organization("First"), make_organization("Second")
    with clock.frozen(NOVEMBER):
        row = _grant(first)
        assert territory_holder("DE", "20457", clock.now()) is not None
        with pytest.raises(InvalidError):
            granting.end_grant(row.id, "", by_user_id=None)
        granting.end_grant(row.id, "They moved", by_user_id=None)
        with pytest.raises(ConflictError):
            granting.end_grant(row.id, "Again", by_user_id=None)
        assert territory_holder("DE", "20457", clock.now()) is None
        _grant(second, first_month="2026-12")
        with pytest.raises(InvalidError):
            _grant(first, "AT")
        royalties.report_sales(row.id, "2026-11", 100_000, by_user_id=None)
    with clock.frozen(DECEMBER):
        royalties.issue_due()
        (invoice,) = db.session.query(RoyaltyInvoice)
        assert (invoice.month, invoice.amount) == ("2026-11", 7_250)


def test_a_partner_has_one_invoice_for_each_month_however_often_the_job_runs(app: Flask) -> None:
    with clock.frozen(NOVEMBER):
        row = _grant(make_organization("First"))
        royalties.report_sales(row.id, "2026-11", 123_457, by_user_id=None)
        with pytest.raises(InvalidError):
            royalties.report_sales(row.id, "2026-11", 1, by_user_id=None)
        royalties.report_sales(row.id, "2026-11", 123_456, "A typing error", by_user_id=None)
        assert royalties.issue(row.id, "2026-11") is None
        grant_id = row.id
        db.session.commit()
    with clock.frozen(DECEMBER):

        def issue() -> None:
            with unit_of_work():
                royalties.issue(grant_id, "2026-11")

        raised = at_once(app, [issue] * 4)
        assert [error for error in raised if "locked" not in str(error)] == []
        royalties.issue_due()
        db.session.commit()
        (invoice,) = db.session.query(RoyaltyInvoice)
        assert (invoice.number, invoice.amount) == ("ROY-2026-00001", 8_950)
        with pytest.raises(ConflictError):
            royalties.report_sales(grant_id, "2026-11", 1, "Late", by_user_id=None)


def test_without_a_report_the_minimum_is_billed_after_ten_days(app: Flask) -> None:
    with clock.frozen(NOVEMBER):
        row = _grant(make_organization("First"))
    with clock.frozen(DECEMBER + timedelta(days=9)):
        assert royalties.issue(row.id, "2026-11") is None
    with clock.frozen(DECEMBER + timedelta(days=10)):
        invoice = royalties.issue(row.id, "2026-11")
        assert invoice is not None
        assert (invoice.base_amount, invoice.amount) == (0, 1_000)


def _paid(app: Flask) -> tuple[RoyaltyInvoice, Order]:
    row = _grant(make_organization("First"))
    royalties.report_sales(row.id, "2026-11", 1_000_000, by_user_id=None)
    clock.shift(DECEMBER - clock.now())
    invoice = royalties.issue(row.id, "2026-11")
    assert invoice is not None
    order = paying.pay_with(invoice.id, user_id=None)
    assert paying.pay_with(invoice.id, user_id=None).id == order.id
    mark_paid(order.id, Payment(paid_at=clock.now(), charge_id="ch_1"))
    return invoice, order


def test_a_paid_invoice_that_is_refunded_is_credited_once(app: Flask) -> None:
    with clock.frozen(NOVEMBER):
        invoice, order = _paid(app)
        assert (invoice.amount, order.subtotal, invoice.order_id) == (72_500, 72_500, order.id)
        with pytest.raises(ConflictError):
            paying.pay_with(invoice.id, user_id=None)
        order.refunded_total = order.total // 5
        refund = Refund(
            public_id="re_1", order_id=order.id, number=1, amount=order.refunded_total,
            currency="EUR", state=RefundState.SUCCEEDED, reason="Too much",
        )  # fmt: skip
        db.session.add(refund)
        db.session.flush()
        for _ in range(2):
            paying.royalty_refunded(order, refund)
        (note,) = db.session.query(RoyaltyInvoice).filter_by(kind=RoyaltyKind.CREDIT_NOTE)
        assert (note.amount, note.corrects_id, note.number) == (
            14_500,
            invoice.id,
            "ROY-2026-00002",
        )


def test_a_correction_before_payment_lowers_what_is_due(app: Flask) -> None:
    with clock.frozen(NOVEMBER):
        row = _grant(make_organization("First"))
        royalties.report_sales(row.id, "2026-11", 1_000_000, by_user_id=None)
        clock.shift(DECEMBER - clock.now())
        invoice = royalties.issue(row.id, "2026-11")
        assert invoice is not None
        first = paying.pay_with(invoice.id, user_id=None)
        with pytest.raises(ConflictError):
            royalties.correct_report(invoice.id, 2_000_000, "More", by_user_id=None)
        note = royalties.correct_report(invoice.id, 900_000, "A return", by_user_id=None)
        assert note is not None
        assert (note.amount, royalties.amount_due(invoice)) == (7_250, 65_250)
        second = paying.pay_with(invoice.id, user_id=None)
        assert (first.state, second.subtotal) == (OrderState.CANCELED, 65_250)
        assert royalties.correct_report(invoice.id, 900_000, "Same", by_user_id=None) is None
        # A refund of what was credited already is not credited again.
        mark_paid(second.id, Payment(paid_at=clock.now()))
        royalties.correct_report(invoice.id, 800_000, "Another return", by_user_id=None)
        second.refunded_total = 7_250
        refund = Refund(
            public_id="re_2", order_id=second.id, number=1, amount=7_250, currency="EUR",
            state=RefundState.SUCCEEDED,
        )  # fmt: skip
        db.session.add(refund)
        db.session.flush()
        paying.royalty_refunded(second, refund)
        assert royalties.credited(invoice) == 14_500
