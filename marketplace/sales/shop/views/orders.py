"""What an organization bought, and its invoices."""

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from billing.formatting import plain_amount
from billing.invoicing import (
    MORE_THAN_PAID,
    beyond,
    invoice_pdf,
    receipt_pdf,
    tax_label,
    went_back,
)
from billing.models import Order, OrderState
from billing.refund_requests import may_ask, requests_of
from marketplace.catalogue.engagement.csv_export import csv_response
from marketplace.core.errors import NotFoundError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import needs
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.models import Organization
from marketplace.sales.shop import queries, texts
from marketplace.sales.shop.views.blueprints import purchases, tabs_of
from marketplace.sales.shop.views.paying import let_reach_checkout

# Twice what one organization buys in years; more would be long in the making.
MOST_ROWS = 10_000
COLUMNS = (
    "order", "invoice", "paid_at", "kind", "what", "quantity", "currency", "price", "discount",
    "tax", "total", "refunded",
)  # fmt: skip
SHOWN = {"paid": "Paid", "open": "Not paid", "all": "All"}
_PATH = "/orders/<order_id>"


@purchases.get("/orders")
@needs("purchases.use", load=queries.own_organization, name="organization", hidden=False)
def orders(organization: Organization) -> ResponseReturnValue:
    """All orders, newest first."""
    shown = request.args.get("show", "paid")
    shown = shown if shown in SHOWN else "paid"
    page = queries.page_of_orders(
        organization.id, shown=shown, page=page_number(request.args.get("page"))
    )
    return render_template(
        "shop/orders.html",
        organization=organization,
        tabs=tabs_of(organization, "purchases.orders"),
        page=page,
        shown=shown,
        labels=SHOWN,
        texts=texts,
    )


@purchases.get("/orders.csv")
@needs("purchases.use", load=queries.own_organization, name="organization", hidden=False)
def orders_file(organization: Organization) -> ResponseReturnValue:
    """All that was paid, an order a row, newest first, for the books of whoever bought."""
    rows = queries.orders_for_file(organization.id, MOST_ROWS)
    return csv_response(f"{organization.slug}-orders.csv", COLUMNS, map(_row, rows))


@purchases.get(_PATH)
@needs("order.view", load=queries.find_order, name="order", hidden=False)
def order(order: Order) -> ResponseReturnValue:
    """One order: what it cost and why, how it was paid, what went back."""
    requests = requests_of(order.id)
    refunds, lost = queries.refunds_of(order.id), queries.lost_disputes_of(order.id)
    back = went_back(refunds, lost)
    page = make_response(
        render_template(
            "shop/order.html",
            order=order,
            organization=queries.organization_of(order.organization_id),
            listings=queries.listings_by_id([line.listing_id for line in order.lines]),
            refunds=refunds,
            lost=lost,
            back=back,
            beyond=beyond(order, back),
            more_than_paid=MORE_THAN_PAID,
            requests=requests,
            may_ask=may_ask(order, requests),
            tax_label=tax_label(order),
            countries=COUNTRIES,
            texts=texts,
        )
    )
    return let_reach_checkout(page) if order.state is OrderState.PENDING else page


@purchases.get(f"{_PATH}/invoice.pdf")
@needs("order.view", load=queries.find_order, name="order", hidden=False)
def order_invoice(order: Order) -> ResponseReturnValue:
    """The invoice as a file. A resale's comes from us as well: we charge for it."""
    if order.invoice_number is None:
        raise NotFoundError
    return _file(invoice_pdf(order), order.invoice_number)


@purchases.get(f"{_PATH}/receipt.pdf")
@needs("order.view", load=queries.find_order, name="order", hidden=False)
def order_receipt(order: Order) -> ResponseReturnValue:
    """The receipt as a file."""
    if order.invoice_number is None:
        raise NotFoundError
    back = went_back(queries.refunds_of(order.id), queries.lost_disputes_of(order.id))
    content = receipt_pdf(order, back)
    return _file(content, f"{order.invoice_number}-receipt")


def _row(order: Order) -> tuple[object, ...]:
    sums = (
        order.subtotal, order.discount_total, order.tax_total, order.total, order.refunded_total,
    )  # fmt: skip
    return (
        order.public_id,
        order.invoice_number,
        order.paid_at,
        texts.KINDS[order.kind],
        texts.title_of(order),
        sum(line.quantity for line in order.lines),
        order.currency,
        *(plain_amount(each, order.currency) for each in sums),
    )


def _file(content: bytes, name: str) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response
