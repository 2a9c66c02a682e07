"""Invoices and receipts as PDF. The same order gives the same bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.formatting import format_bps, format_money
from billing.models import Dispute, DisputeState, Order, OrderLine, Refund, RefundState
from billing.seller import seller
from marketplace.core.pdf import PdfDocument

MORE_THAN_PAID = "More than you paid"


class Back(StrEnum):
    """How money goes back to a customer, in words for them."""

    REFUNDED = "Refunded"
    ON_ITS_WAY = "Refund on its way"
    DISPUTED = "Taken back by your bank"


# A refund's state as the customer is told; what failed went nowhere.
_BACK = {
    RefundState.INTENDED: Back.ON_ITS_WAY,
    RefundState.PENDING: Back.ON_ITS_WAY,
    RefundState.SUCCEEDED: Back.REFUNDED,
}


@dataclass(frozen=True)
class WentBack:
    """Something of an order that went back to the customer, or is about to: since when, and how
    much in minor units of the order's currency."""

    how: Back
    at: datetime | None
    amount: int


def went_back(refunds: Sequence[Refund], disputes: Sequence[Dispute]) -> list[WentBack]:
    """All that `order.refunded_total` counts: refunds from their decision on, unless they failed,
    and disputes that were lost. The reason of a refund is none of it: it is written for us."""
    found = [
        WentBack(_BACK[each.state], each.settled_at or each.created_at, each.amount)
        for each in refunds
        if each.state in _BACK
    ]
    found += [
        WentBack(Back.DISPUTED, each.decided_at or each.created_at, each.lost_amount)
        for each in disputes
        if each.state is DisputeState.LOST
    ]
    return found


def beyond(order: Order, back: Sequence[WentBack]) -> int:
    """By how much more went back than was paid, in minor units: the bank may take back what was
    refunded already."""
    return max(0, sum(each.amount for each in back) - order.total)


def invoice_pdf(order: Order) -> bytes:
    """The invoice of a paid order, whose lines are loaded. Raises ValueError before it is paid."""
    document = _head(order, "Invoice", order.invoice_number or "")
    _lines(document, order)
    for note in _notes(order):
        document.paragraph(note, muted=True)
    return document.bytes()


def receipt_pdf(order: Order, back: Sequence[WentBack]) -> bytes:
    """The receipt of a paid order: how it was paid, what went back since, and what is left."""

    def text(amount: int) -> str:
        return format_money(amount, order.currency)

    document = _head(order, "Receipt", order.invoice_number or "")
    _lines(document, order)
    document.heading("Payment")
    rows = [("Paid", _day(order.paid_at)), ("Amount", text(order.total))]
    if order.card_last4:
        rows.append(("Card", f"{order.card_brand.title()} ending in {order.card_last4}"))
    document.pairs(rows)
    if back:
        document.heading("What went back")
        more = beyond(order, back)
        document.table(
            ("Date", "What", "Amount"),
            [
                ("", "Paid", text(order.total)),
                *((_day(each.at), each.how.value, text(-each.amount)) for each in back),
                *([("", MORE_THAN_PAID, text(more))] if more else []),
                ("", "Left", text(order.total - sum(each.amount for each in back) + more)),
            ],
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
