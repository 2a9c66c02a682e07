"""Going to Stripe's Checkout and coming back."""

from flask import Response, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from billing.checkout import open_checkout
from billing.checkout_events import LOOK_UP_CHECKOUT
from billing.gateway import StripeError, StripeRejectedError
from billing.models import Order, OrderState
from billing.operations import OperationConflictError
from billing.orders import close_order
from billing.orders.closing import EXPIRE_CHECKOUT
from marketplace.core.errors import ConflictError
from marketplace.core.jobs import enqueue
from marketplace.core.permissions import current_actor, needs
from marketplace.core.security_headers import let_forms_reach
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from marketplace.sales.shop import queries, texts
from marketplace.sales.shop.links import absolute
from marketplace.sales.shop.views.blueprints import purchases

_PATH = "/orders/<order_id>"
HOSTED_CHECKOUT = "https://checkout.stripe.com"
HOSTED_INVOICE = "https://invoice.stripe.com"
NOT_REACHED = (
    "We could not reach the payment service. Nothing was charged; try again from this page."
)


def go_to_checkout(order: Order, organization: Organization) -> ResponseReturnValue:
    """The page from which the browser goes on to Stripe. What was written is committed first."""
    order_id, order_public_id, slug = order.id, order.public_id, organization.slug
    page = url_for("purchases.order", slug=slug, order_id=order_public_id)
    done = url_for("purchases.order_done", slug=slug, order_id=order_public_id)
    with unit_of_work():
        # For the case that neither the event nor the customer ever comes back.
        enqueue(LOOK_UP_CHECKOUT, {"order_id": order_id}, delay=queries.LOOK_UP_AFTER)
    try:
        url = open_checkout(order_id, success_url=absolute(done), cancel_url=absolute(page))
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(page, code=303)
    except StripeRejectedError as error:
        flash(f"The payment service refused this order: {error.message}", "danger")
        return redirect(page, code=303)
    except OperationConflictError:
        flash("This order was begun with other details. Cancel it, then begin again.", "warning")
        return redirect(page, code=303)
    except StripeError:
        flash(NOT_REACHED, "warning")
        return redirect(page, code=303)
    if url == absolute(done):
        return redirect(done, code=303)
    return redirect(url, code=303)


@purchases.post(f"{_PATH}/checkout")
@needs("order.view", load=queries.find_order, name="order", hidden=False)
def order_pay(order: Order) -> ResponseReturnValue:
    """Go on to pay an order that waits."""
    return go_to_checkout(order, queries.organization_of(order.organization_id))


@purchases.get(f"{_PATH}/done")
@needs("order.view", load=queries.find_order, name="order", hidden=False)
def order_done(order: Order) -> ResponseReturnValue:
    """Back from Stripe: thanks, or a moment until it has told us."""
    return render_template("shop/done.html", **_context(order))


@purchases.get(f"{_PATH}/done/state")
@needs("order.view", load=queries.find_order, name="order", hidden=False)
def order_done_state(order: Order) -> ResponseReturnValue:
    """The part of that page which asks again until it is paid."""
    return render_template("shop/_done.html", **_context(order))


@purchases.post(f"{_PATH}/cancellation")
@needs("order.view", load=queries.find_order, name="order", hidden=False)
def order_cancel(order: Order) -> ResponseReturnValue:
    """Do not pay it after all."""
    if close_order(order.id, OrderState.CANCELED, by_user_id=current_actor().user_id):
        if order.checkout_session_id:
            enqueue(EXPIRE_CHECKOUT, {"session_id": order.checkout_session_id})
        flash("The order is canceled. Nothing was charged.", "success")
    else:
        flash("It is not open any more.", "info")
    organization = queries.organization_of(order.organization_id)
    return redirect(
        url_for("purchases.order", slug=organization.slug, order_id=order.public_id), code=303
    )


def let_reach_checkout(response: Response) -> Response:
    """Let the forms of a page lead to Stripe's Checkout and invoices: browsers hold form-action
    against the redirects that follow a form as well."""
    base = current_app.extensions["portico_settings"].stripe_api_base
    let_forms_reach(response, *filter(None, (HOSTED_CHECKOUT, HOSTED_INVOICE, base)))
    return response


def _context(order: Order) -> dict[str, object]:
    listings = queries.listings_by_id([line.listing_id for line in order.lines])
    return {
        "order": order,
        "organization": queries.organization_of(order.organization_id),
        "listing": next(iter(listings.values()), None),
        "texts": texts,
    }
