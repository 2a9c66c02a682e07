"""The hosted pages: paying, onboarding, and the two dashboards that a person may be sent to."""

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from billing.formatting import format_money
from billing.sandbox_stripe import accounts, cards, checkout, subscriptions
from billing.sandbox_stripe.errors import ApiError
from billing.sandbox_stripe.store import Store, Thing, timestamp

pages = Blueprint(
    "pages", __name__, template_folder="templates", static_folder="static",
    static_url_path="/sandbox-static",
)  # fmt: skip


def _store() -> Store:
    found: Store = current_app.extensions["sandbox_store"]
    return found


@pages.app_template_filter("amount")
def _amount(amount: int, currency: str) -> str:
    """An amount in minor units, for people."""
    return format_money(amount, currency.upper())


@pages.after_app_request
def _guard(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.get("/")
def home() -> ResponseReturnValue:
    """What is here."""
    store = _store()
    kinds = ("checkout.session", "charge", "refund", "dispute", "transfer", "payout", "account")
    with store.transaction():
        shown = {kind: list(store.page(kind, account="", created={}, limit=8)) for kind in kinds}
    return render_template("sandbox/home.html", shown=shown)


def _session(session_id: str) -> Thing:
    with _store().transaction():
        found = _store().find(session_id, "checkout.session")
    if found is None:
        abort(404)
    return found


@pages.get("/c/pay/<session_id>")
def pay(session_id: str) -> ResponseReturnValue:
    """The checkout page."""
    return _pay_page(_session(session_id))


@pages.post("/c/pay/<session_id>")
def submit(session_id: str) -> ResponseReturnValue:
    """Somebody pressed the button. A declined card is tried again on the same page."""
    store = _store()
    error: ApiError | None = None
    with store.transaction():
        session = _session(session_id)
        try:
            checkout.complete(
                store,
                session,
                request.form.get("card", ""),
                request.form.get("email", "").strip(),
            )
        except ApiError as refusal:
            # What was tried is kept: the failed charge and its events.
            error = refusal
    if error is not None:
        return _pay_page(_session(session_id), str(error)), error.status
    target = str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
    return redirect(target, code=303)


@pages.get("/i/<invoice_id>")
def invoice(invoice_id: str) -> ResponseReturnValue:
    """The page of an invoice, on which an open one is paid."""
    return _invoice_page(invoice_id)


@pages.post("/i/<invoice_id>")
def pay_invoice(invoice_id: str) -> ResponseReturnValue:
    """The customer pays an open invoice with a card of their own choice."""
    store = _store()
    error: ApiError | None = None
    with store.transaction():
        found = store.find(invoice_id, "invoice")
        if found is None:
            abort(404)
        try:
            method = cards.new_method(
                store, request.form.get("card", ""), found["customer"], found["customer_email"]
            )
            error = subscriptions.pay_open(store, found, method, is_present=True)
        except ApiError as refusal:
            error = refusal
    if error is not None:
        return _invoice_page(invoice_id, str(error)), error.status
    return redirect(request.path, code=303)


def _invoice_page(invoice_id: str, error: str = "") -> str:
    with _store().transaction():
        found = _store().find(invoice_id, "invoice")
    if found is None:
        abort(404)
    return render_template("sandbox/invoice.html", invoice=found, error=error, **_card_fields())


def _card_fields() -> dict[str, object]:
    """What every page shows on which a card is typed."""
    return {
        "cards": {_grouped(number): each for number, each in cards.CARDS.items()},
        "card": _typed_card(),
        "business": _business(),
    }


def _pay_page(session: Thing, error: str = "") -> str:
    if session["mode"] == "setup":
        return render_template("sandbox/setup.html", session=session, error=error, **_card_fields())
    return render_template(
        "sandbox/checkout.html",
        session=session,
        lines=_named(session["_line_items"]["data"]),
        error=error,
        **_card_fields(),
        email=request.form.get("email", session["customer_email"] or _email(session)),
        is_trial=bool(session["mode"] == "subscription" and session["amount_total"] == 0),
    )


def _grouped(number: str) -> str:
    """A card number in groups of four, as it stands on a card."""
    digits = "".join(number.split())
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _typed_card() -> str:
    """What was typed, when it is a test card; what may be a real one is not shown again."""
    typed = "".join(request.form.get("card", "4242424242424242").split())
    return _grouped(typed) if typed in cards.CARDS else ""


def _business() -> str:
    with _store().transaction():
        return str(_store().setting("business", "Portico"))


def _named(lines: list[Thing]) -> list[Thing]:
    store = _store()
    with store.transaction():
        for line in lines:
            product = store.find(str(line["price"]["product"]))
            line["name"] = product["name"] if product else line["description"]
            line["details"] = (product or {}).get("description") or ""
    return lines


def _email(session: Thing) -> str:
    if not session["customer"]:
        return ""
    with _store().transaction():
        found = _store().find(session["customer"])
    return str((found or {}).get("email") or "")


@pages.get("/onboarding/<link_id>")
def onboarding(link_id: str) -> ResponseReturnValue:
    """What a partner fills in at Stripe. A used or old link leads back for a new one."""
    link = _link(link_id)
    if link["_used"] or link["expires_at"] < timestamp():
        return redirect(link["_refresh_url"], code=303)
    store = _store()
    with store.transaction():
        account = accounts.get_account(store, link["_account"])
    return render_template("sandbox/onboarding.html", link=link, account=account)


@pages.post("/onboarding/<link_id>/<any(finish, later):verb>")
def onboard(link_id: str, verb: str) -> ResponseReturnValue:
    """All given, or not now."""
    store = _store()
    with store.transaction():
        link = _link(link_id)
        if verb == "finish":
            accounts.finish_onboarding(store, accounts.get_account(store, link["_account"]))
        link["_used"] = True
        store.save(link)
    return redirect(link["_return_url"], code=303)


def _link(link_id: str) -> Thing:
    with _store().transaction():
        found = _store().find(link_id, "account_link")
    if found is None:
        abort(404)
    return found


@pages.get("/express/<account_id>")
def express(account_id: str) -> ResponseReturnValue:
    """A partner's dashboard at Stripe: balance, payouts and bank account."""
    store = _store()
    with store.transaction():
        account = store.find(account_id, "account")
        if account is None:
            abort(404)
        entries = list(store.page("balance_transaction", account=account_id, created={}, limit=20))
        sent = list(store.page("payout", account=account_id, created={}, limit=20))
    return render_template("sandbox/express.html", account=account, entries=entries, payouts=sent)
