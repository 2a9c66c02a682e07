"""Invoices and receipts as PDF. The same order gives the same bytes."""

from collections.abc import Sequence
from datetime import datetime

from billing.formatting import format_bps, format_money
from billing.models import Order, OrderLine, Refund, RefundState
from billing.seller import seller
from marketplace.core.pdf import PdfDocument


def invoice_pdf(order: Order) -> bytes:
    """The invoice of a paid order, whose lines are loaded. Raises ValueError before it is paid."""
    document = _head(order, "Invoice", order.invoice_number or "")
    _lines(document, order)
    for note in _notes(order):
        document.paragraph(note, muted=True)
    return document.bytes()


def receipt_pdf(order: Order, refunds: Sequence[Refund]) -> bytes:
    """The receipt of a paid order: how it was paid, and what went back since."""
    document = _head(order, "Receipt", order.invoice_number or "")
    _lines(document, order)
    document.heading("Payment")
    rows = [("Paid", _day(order.paid_at)), ("Amount", format_money(order.total, order.currency))]
    if order.card_last4:
        rows.append(("Card", f"{order.card_brand.title()} ending in {order.card_last4}"))
    document.pairs(rows)
    settled = [each for each in refunds if each.state is RefundState.SUCCEEDED]
    if settled:
        document.heading("Refunds")
        document.table(
            ("Date", "Reason", "Amount"),
            [
                (_day(each.settled_at), each.reason, format_money(each.amount, each.currency))
                for each in settled
            ]
            + [("", "Left", format_money(order.total - order.refunded_total, order.currency))],
            widths=(2, 5, 2),
            numeric=(2,),
            totals=1,
        )
    return document.bytes()


def _head(order: Order, title: str, number: str) -> PdfDocument:
    if order.paid_at is None or order.invoice_number is None:
        raise ValueError("an order has an invoice once it is paid")
    who, details = seller(), order.billing_details
    document = PdfDocument(f"{title} {number}", made_at=order.paid_at, site_name=who.name)
    address = ", ".join(
        part
        for part in (
            details.get("address_line"),
            " ".join(piece for piece in (details.get("postal_code"), details.get("city")) if piece),
            details.get("country"),
        )
        if part
    )
    rows = [
        ("Number", number),
        ("Date", _day(order.paid_at)),
        ("Order", order.public_id),
        ("From", ", ".join(part for part in (who.name, who.address, who.country) if part)),
    ]
    if who.tax_id:
        rows.append(("Our tax ID", who.tax_id))
    rows.append(("To", ", ".join(part for part in (details.get("legal_name"), address) if part)))
    if details.get("tax_id"):
        rows.append(("Your tax ID", str(details["tax_id"])))
    if order.period_start and order.period_end:
        rows.append(("Period", f"{_day(order.period_start)} to {_day(order.period_end)}"))
    document.pairs(rows)
    return document


def _lines(document: PdfDocument, order: Order) -> None:
    def text(amount: int) -> str:
        return format_money(amount, order.currency)

    rows: list[tuple[str, ...]] = []
    for line in order.lines:
        rows.append((line.description, _quantity(line), _unit(line, order), text(line.list_amount)))
        rows.extend(
            (_discount(each), "", "", text(-int(each["amount"])))
            for each in line.discounts
            if each["amount"]
        )
        unnamed = line.discount_amount - sum(int(each["amount"]) for each in line.discounts)
        if unnamed:
            rows.append(("Discount", "", "", text(-unnamed)))
    totals: list[tuple[str, ...]] = [
        ("Net", "", "", text(order.subtotal - order.discount_total)),
        (tax_label(order), "", "", text(order.tax_total)),
        ("Total", "", "", text(order.total)),
    ]
    document.table(
        ("Description", "Quantity", "Price", "Amount"),
        rows + totals,
        widths=(6, 2, 2, 2),
        numeric=(1, 2, 3),
        totals=len(totals),
    )


def tax_label(order: Order) -> str:
    """The name of the tax line, like "VAT 19%"."""
    details = order.tax_details
    name = str(details.get("name") or "Tax")
    if details.get("reverse_charge"):
        return f"{name}, reverse charge"
    return f"{name} {format_bps(int(details.get('bps') or 0))}"


def _notes(order: Order) -> list[str]:
    notes = []
    if order.tax_details.get("reason"):
        notes.append(str(order.tax_details["reason"]))
    notes.append("Paid by card. Nothing is left to pay." if order.total else "Nothing to pay.")
    return notes


def _discount(kept: dict[str, object]) -> str:
    code = f" ({kept['code']})" if kept.get("code") else ""
    return f"{kept['name']}{code}"


def _quantity(line: OrderLine) -> str:
    return f"{line.quantity:,}"


def _unit(line: OrderLine, order: Order) -> str:
    # A part of a period has no price for one.
    if line.unit_amount * line.quantity != line.list_amount:
        return "–"
    return format_money(line.unit_amount, order.currency)


def _day(at: datetime | None) -> str:
    return f"{at.day} {at:%b %Y}" if at else ""
