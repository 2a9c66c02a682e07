"""Where Stripe's webhooks arrive, and the staff's pages of what is stuck."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.events import MalformedEventError, handled_types, receive, retry_event, set_event_aside
from billing.gateway import SignatureError, StripeNotConfiguredError, gateway, has_stripe
from billing.models.stripe import EventState, StripeEvent, StripeOperation
from billing.settling_by_hand import settle as settle_operation
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs, public
from marketplace.sales.stripe import policies as _policies  # noqa: F401 - its rules
from marketplace.sales.stripe import queries
from marketplace.sales.stripe.forms import SettingAsideForm, SettlementForm

webhooks = Blueprint("stripe_webhooks", __name__)
stripe_staff = Blueprint("stripe_staff", __name__, url_prefix="/staff/finance/stripe")
MOST_BYTES = 1024 * 1024


@webhooks.post("/webhooks/stripe")
@public("Stripe signs what it sends")
def stripe_webhook() -> ResponseReturnValue:
    """Keep the event and answer; a job handles it. 400: not signed by Stripe, so not kept."""
    if (request.content_length or 0) > MOST_BYTES:
        return {"error": "too large"}, 413
    try:
        receive(request.get_data(cache=False), request.headers.get("Stripe-Signature", ""))
    except (SignatureError, MalformedEventError):
        return {"error": "not signed by Stripe"}, 400
    except StripeNotConfiguredError:
        return {"error": "no payments here"}, 503
    return {"received": True}, 200


@stripe_staff.get("")
@needs("stripe.watch")
def events() -> ResponseReturnValue:
    """Events that were not handled, and the counts of all."""
    given = request.args.get("state", "")
    state = EventState(given) if given in set(EventState) else None
    return render_template(
        "stripe/events.html",
        page=queries.page_of_events(state, page_number(request.args.get("page"))),
        state=state,
        states=EventState,
        standing=queries.standing(),
    )


@stripe_staff.post("/events/<int:stripe_event_id>/retry")
@needs("stripe_event.retry", load=queries.find_event, name="event")
def retry(event: StripeEvent) -> ResponseReturnValue:
    """Handle an event again. Repeating it is harmless."""
    if retry_event(event.id, user_id=current_actor().user_id or 0):
        flash("The event is handled again.", "success")
    else:
        flash("This event waits no longer.", "info")
    return redirect(url_for("stripe_staff.events"), code=303)


@stripe_staff.get("/events/<int:stripe_event_id>/setting-aside")
@needs("stripe_event.set_aside", load=queries.find_event, name="event")
def setting_aside(event: StripeEvent) -> ResponseReturnValue:
    """Ask why before an event is set aside."""
    return _aside_page(event, SettingAsideForm(formdata=None))


@stripe_staff.post("/events/<int:stripe_event_id>/setting-aside")
@needs("stripe_event.set_aside", load=queries.find_event, name="event")
def set_aside(event: StripeEvent) -> ResponseReturnValue:
    """Say that nothing is to be done about an event, so that it holds up no month."""
    form = SettingAsideForm()
    try:
        if not form.validate_on_submit():
            return _aside_page(event, form), 422
        done = set_event_aside(
            event.id, form.reason.data or "", user_id=current_actor().user_id or 0
        )
    except InvalidError as error:
        form.reason.errors = [error.fields["reason"]]
        return _aside_page(event, form), 422
    if done:
        flash("Set aside. No month waits for it.", "success")
    else:
        flash("This event waits no longer.", "info")
    return redirect(url_for("stripe_staff.events"), code=303)


@stripe_staff.get("/operations")
@needs("stripe.watch")
def operations() -> ResponseReturnValue:
    """What was asked of Stripe and never answered."""
    return render_template(
        "stripe/operations.html",
        page=queries.page_of_operations(page_number(request.args.get("page"))),
        standing=queries.standing(),
    )


@stripe_staff.get("/operations/<int:operation_id>")
@needs("stripe_operation.settle", load=queries.find_operation, name="operation")
def operation(operation: StripeOperation) -> ResponseReturnValue:
    """One operation, and the question what became of it."""
    return _operation_page(operation, SettlementForm())


@stripe_staff.post("/operations/<int:operation_id>/settlement")
@needs("stripe_operation.settle", load=queries.find_operation, name="operation")
def settle(operation: StripeOperation) -> ResponseReturnValue:
    """A person looked at Stripe's dashboard and says what became of it; Stripe is asked whether
    it is so."""
    form = SettlementForm()
    if not form.validate_on_submit():
        return _operation_page(operation, form), 422
    happened, operation_id = form.happened.data == "yes", operation.id
    user_id = current_actor().user_id or 0
    try:
        is_noted = settle_operation(
            operation_id,
            happened=happened,
            stripe_id=form.stripe_id.data if happened else "",
            user_id=user_id,
        )
    except InvalidError as error:
        for name, text in error.fields.items():
            form[name].errors = [*form[name].errors, text]
        return _operation_page(operation, form), 422
    if is_noted:
        flash("Noted. What waits for it goes on by itself.", "success")
    else:
        flash("Its end is known already.", "info")
    return redirect(url_for("stripe_staff.operations"), code=303)


@stripe_staff.get("/set-up")
@needs("stripe.watch")
def set_up() -> ResponseReturnValue:
    """What Stripe must be told: the endpoints' address and their events."""
    return render_template(
        "stripe/set_up.html",
        is_configured=has_stripe(),
        is_live=has_stripe() and gateway().livemode,
        address=url_for("stripe_webhooks.stripe_webhook", _external=True),
        types=[each for each in handled_types() if not each.startswith("v2.")],
        thin_types=[each for each in handled_types() if each.startswith("v2.")],
        standing=queries.standing(),
    )


def _aside_page(event: StripeEvent, form: SettingAsideForm) -> str:
    return render_template("stripe/setting_aside.html", event=event, form=form)


def _operation_page(operation: StripeOperation, form: SettlementForm) -> str:
    return render_template(
        "stripe/operation.html",
        operation=operation,
        form=form,
        is_open=operation.state in queries.OPEN_OPERATIONS,
    )
