"""Royalty invoices and credit notes as PDF. The same row gives the same bytes."""

from billing.formatting import format_bps, format_money
from billing.seller import seller
from marketplace.core.pdf import PdfDocument
from marketplace.pipeline.franchises.models import RoyaltyBase, RoyaltyInvoice, RoyaltyKind


def royalty_pdf(invoice: RoyaltyInvoice, corrects: RoyaltyInvoice | None) -> bytes:
    """The document of an invoice, or of a credit note to the invoice `corrects`."""
    is_note = invoice.kind is RoyaltyKind.CREDIT_NOTE
    title = f"{'Credit note' if is_note else 'Royalty invoice'} {invoice.number}"
    parties = invoice.parties
    document = PdfDocument(title, made_at=invoice.issued_at, site_name=seller().name)
    pairs = [
        ("Number", invoice.number),
        ("Date", f"{invoice.issued_at:%d %b %Y}"),
        ("Month", invoice.month),
        ("From", str(parties.get("from", ""))),
        ("To", str(parties.get("to", ""))),
    ]
    if parties.get("from_tax_id"):
        pairs.insert(4, ("Our tax ID", str(parties["from_tax_id"])))
    if parties.get("to_tax_id"):
        pairs.append(("Your tax ID", str(parties["to_tax_id"])))
    if corrects is not None:
        pairs.append(("Corrects", corrects.number))
    if invoice.reason:
        pairs.append(("Reason", invoice.reason))
    document.pairs(pairs)

    def money(amount: int) -> str:
        return format_money(amount, invoice.currency)

    if is_note:
        rows = [("Credited", money(-invoice.amount))]
    else:
        measured = invoice.base is RoyaltyBase.MEASURED
        share = max(0, invoice.base_amount) * invoice.royalty_bps // 10_000
        rows = [
            ("Net revenue measured" if measured else "Sales reported", money(invoice.base_amount)),
            (f"Royalty of {format_bps(invoice.royalty_bps)}, rounded down", money(share)),
        ]
        if invoice.minimum_amount:
            rows.append(("Least royalty of a month", money(invoice.minimum_amount)))
        rows.append(("Royalty without tax", money(invoice.amount)))
    document.table(("Item", "Amount"), rows, widths=(4, 1), numeric=(1,), totals=1)
    document.paragraph(
        "Tax is added when it is paid, by the country and the tax ID of the payer; the payment has "
        "an invoice of its own that shows it."
        if not is_note
        else "Without tax.",
        muted=True,
    )
    return document.bytes()
