"""Invoices and receipts: what they say, and that they stay what they were."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from billing.invoicing import invoice_pdf, receipt_pdf, went_back
from billing.models import Dispute, DisputeState, Order, OrderLine, Refund, RefundState
from billing.seller import Seller, configure_seller, seller

PAID = datetime(2026, 11, 29, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def harbor() -> Any:
    before = seller()
    configure_seller(Seller("Harbor Inc.", "DE", "1 Quay, Hamburg", "DE123456789", grace_days=7))
    yield
    configure_seller(before)


def make_order(**fields: Any) -> Order:
    order = Order(
        **{
            "public_id": "ord_1", "currency": "EUR", "subtotal": 30_000, "discount_total": 3_000,
            "tax_total": 5_130, "total": 32_130, "refunded_total": 0, "paid_at": PAID,
            "invoice_number": "INV-2026-00001", "card_brand": "visa", "card_last4": "4242",
            "billing_details": {"legal_name": "Blue Kite GmbH", "city": "Berlin", "country": "DE"},
            "tax_details": {"name": "VAT", "bps": 1_900, "reason": ""}, **fields,
        }
    )  # fmt: skip
    order.lines = [
        OrderLine(
            description="Tide Tables, Pro",
            quantity=3,
            unit_amount=10_000,
            list_amount=30_000,
            discount_amount=3_000,
            discounts=[{"name": "Autumn", "code": "AUTUMN", "amount": 3_000}],
        )
    ]
    return order


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_an_invoice_says_who_sold_what_to_whom_and_why_it_costs_that() -> None:
    text = text_of(invoice_pdf(make_order()))
    for words in (
        "INV-2026-00001", "29 Nov 2026", "Harbor Inc., 1 Quay, Hamburg, DE", "DE123456789",
        "Blue Kite GmbH", "Tide Tables, Pro", "€100.00", "Autumn (AUTUMN)", "−€30.00", "€270.00",
        "VAT 19%", "€51.30", "€321.30",
    ):  # fmt: skip
        assert words in text, words


def test_reverse_charge_is_told() -> None:
    order = make_order(
        tax_total=0,
        total=27_000,
        tax_details={"name": "VAT", "bps": 0, "reverse_charge": True, "reason": "Reverse charge."},
    )
    text = text_of(invoice_pdf(order))
    assert "VAT, reverse charge" in text
    assert "Reverse charge." in text


def test_a_receipt_says_how_it_was_paid_and_what_went_back() -> None:
    refund = Refund(
        amount=2_130, currency="EUR", reason="Too many seats", state=RefundState.SUCCEEDED,
        settled_at=PAID,
    )  # fmt: skip
    failed = Refund(amount=1, currency="EUR", reason="No", state=RefundState.FAILED)
    won = Dispute(amount=7, lost_amount=0, currency="EUR", state=DisputeState.WON)
    back = went_back([refund, failed], [won])
    text = text_of(receipt_pdf(make_order(refunded_total=2_130), back))
    for words in ("Visa ending in 4242", "Refunded", "−€21.30", "€300.00"):
        assert words in text
    # Reasons are written for us and for partners.
    assert "Too many seats" not in text
    assert len(back) == 1


def test_the_same_order_gives_the_same_file() -> None:
    assert invoice_pdf(make_order()) == invoice_pdf(make_order())


def test_what_is_not_paid_has_no_invoice() -> None:
    with pytest.raises(ValueError, match="once it is paid"):
        invoice_pdf(make_order(invoice_number=None))


def test_a_seller_without_an_address_is_told_by_name() -> None:
    configure_seller(replace(seller(), address="", tax_id=""))
    assert "Our tax ID" not in text_of(invoice_pdf(make_order()))
