"""Subscriptions at the stand-in: begun, renewed, changed, ended."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from billing.gateway import StripeRejectedError, gateway
from billing.sandbox_stripe.errors import ApiError
from billing.sandbox_stripe.subscriptions import after
from marketplace.core import clock
from tests.factories.stripe import StripeStandIn

_keys = (f"subscription{number}" for number in itertools.count())


def call(method: str, **params: Any) -> dict[str, Any]:
    return gateway().call(method, params, idem_key=next(_keys))


def subscribe(
    sandbox: StripeStandIn,
    *,
    amount: int = 3_000,
    quantity: int = 1,
    interval: str = "month",
    card: str = "4242424242424242",
    **more: Any,
) -> dict[str, Any]:
    """A subscription, begun on a checkout page."""
    line = {
        "quantity": quantity,
        "price_data": {
            "currency": "EUR",
            "unit_amount": amount,
            "product_data": {"name": "Tide tables"},
            "recurring": {"interval": interval},
        },
    }
    session = call(
        "checkout.sessions.create",
        mode="subscription",
        success_url="https://us.example/ok",
        line_items=[{**line, **more.pop("line", {})}],
        **more,
    )
    sandbox.pay(session["url"], card)
    done = gateway().retrieve("checkout.sessions", session["id"])
    return gateway().retrieve("subscriptions", done["subscription"], expand=["latest_invoice"])


def types(sandbox: StripeStandIn) -> list[str]:
    return [event["type"] for event in sandbox.all("event")]


def test_a_checkout_begins_a_subscription_and_pays_its_first_invoice(
    sandbox: StripeStandIn,
) -> None:
    found = subscribe(sandbox, quantity=3, subscription_data={"metadata": {"order": "ord_1"}})
    assert (found["status"], found["metadata"]) == ("active", {"order": "ord_1"})
    invoice = found["latest_invoice"]
    assert (invoice["status"], invoice["total"], invoice["amount_paid"]) == ("paid", 9_000, 9_000)
    assert invoice["billing_reason"] == "subscription_create"
    parent = invoice["parent"]["subscription_details"]
    assert parent == {"subscription": found["id"], "metadata": {"order": "ord_1"}}
    paid = gateway().retrieve("invoices", invoice["id"], expand=["payments"])
    intent = paid["payments"]["data"][0]["payment"]["payment_intent"]
    charge = gateway().retrieve("payment_intents", intent, expand=["latest_charge"])
    assert charge["latest_charge"]["amount"] == 9_000
    assert [each["invoice"] for each in gateway().pages("invoice_payments", payment={
        "type": "payment_intent", "payment_intent": intent})] == [invoice["id"]]  # fmt: skip
    assert "invoice.paid" in types(sandbox)
    assert types(sandbox)[-1] == "checkout.session.completed"


def test_taxes_are_added_to_a_checkout_and_to_each_invoice(sandbox: StripeStandIn) -> None:
    rate = call("tax_rates.create", display_name="VAT", percentage="19", inclusive=False)
    found = subscribe(sandbox, amount=999, line={"tax_rates": [rate["id"]]})
    assert found["latest_invoice"]["total"] == 999 + 190
    sandbox.advance(timedelta(days=31))
    renewed = gateway().retrieve("subscriptions", found["id"], expand=["latest_invoice"])
    invoice = renewed["latest_invoice"]
    assert (invoice["subtotal"], invoice["total"]) == (999, 1_189)
    assert invoice["total_taxes"][0]["tax_rate_details"] == {"tax_rate": rate["id"]}
    assert invoice["lines"]["data"][0]["taxes"][0]["amount"] == 190


def test_a_subscription_renews_when_its_period_is_over(sandbox: StripeStandIn) -> None:
    found = subscribe(sandbox)
    end = found["items"]["data"][0]["current_period_end"]
    sandbox.advance(timedelta(days=32))
    renewed = gateway().retrieve("subscriptions", found["id"], expand=["latest_invoice"])
    assert renewed["latest_invoice"]["billing_reason"] == "subscription_cycle"
    assert renewed["items"]["data"][0]["current_period_start"] == end
    assert len(sandbox.all("invoice")) == 2


def test_several_periods_that_passed_at_once_are_billed_one_by_one(
    sandbox: StripeStandIn,
) -> None:
    subscribe(sandbox)
    sandbox.advance(timedelta(days=95))
    assert len(sandbox.all("invoice")) == 4


@pytest.mark.parametrize(
    ("duration", "months", "totals"),
    [
        ("once", None, [2_000, 3_000, 3_000]),
        ("repeating", 2, [2_000, 2_000, 3_000]),
        ("forever", None, [2_000, 2_000, 2_000]),
    ],
)
def test_a_coupon_lasts_as_long_as_it_says(
    sandbox: StripeStandIn, duration: str, months: int | None, totals: list[int]
) -> None:
    more = {"duration_in_months": months} if months else {}
    coupon = call("coupons.create", amount_off=1_000, currency="EUR", duration=duration, **more)
    subscribe(sandbox, discounts=[{"coupon": coupon["id"]}])
    sandbox.advance(timedelta(days=63))
    assert [each["total"] for each in sandbox.all("invoice")] == totals


def test_more_seats_are_prorated_on_the_next_invoice(sandbox: StripeStandIn) -> None:
    with clock.frozen(datetime(2027, 4, 1, tzinfo=UTC)):
        found = subscribe(sandbox)
    with clock.frozen(datetime(2027, 4, 16, tzinfo=UTC)):
        item = found["items"]["data"][0]["id"]
        call("subscriptions.update", id=found["id"], items=[{"id": item, "quantity": 3}])
    with clock.frozen(datetime(2027, 5, 1, tzinfo=UTC)):
        sandbox.tick()
        last = sandbox.all("invoice")[-1]
    assert [line["amount"] for line in last["lines"]["data"]] == [-1_500, 4_500, 9_000]
    assert last["lines"]["data"][0]["parent"]["subscription_item_details"]["proration"] is True


def test_more_seats_can_be_billed_at_once_and_previewed_before(sandbox: StripeStandIn) -> None:
    with clock.frozen(datetime(2027, 4, 1, tzinfo=UTC)):
        found = subscribe(sandbox)
    with clock.frozen(datetime(2027, 4, 16, tzinfo=UTC)):
        item = found["items"]["data"][0]["id"]
        wanted = {"items": [{"id": item, "quantity": 3}], "proration_behavior": "always_invoice"}
        preview = call(
            "invoices.create_preview", subscription=found["id"], subscription_details=wanted
        )
        assert (preview["amount_due"], len(sandbox.all("invoice"))) == (3_000, 1)
        call("subscriptions.update", id=found["id"], **wanted)
        assert sandbox.all("invoice")[-1]["total"] == 3_000
        assert sandbox.all("invoice")[-1]["billing_reason"] == "subscription_update"


@pytest.mark.parametrize(
    ("coupon", "amounts"),
    [
        ({"percent_off": 50, "duration": "forever"}, [-750, 1_250]),
        ({"percent_off": 20, "duration": "repeating", "duration_in_months": 3}, [-1_200, 2_000]),
        # A fixed amount is taken off both, so the seats that are added cost their whole price.
        ({"amount_off": 500, "currency": "eur", "duration": "forever"}, [-1_250, 2_250]),
        # Given once it is taken back with the seats that had it, as Stripe does.
        ({"percent_off": 50, "duration": "once"}, [-750, 2_500]),
    ],
)
def test_prorations_have_the_discount_in_their_amount_and_get_no_other(
    sandbox: StripeStandIn, coupon: dict[str, Any], amounts: list[int]
) -> None:
    vat = call("tax_rates.create", display_name="VAT", percentage="19", inclusive=False)
    made = call("coupons.create", **coupon)
    with clock.frozen(datetime(2027, 4, 1, tzinfo=UTC)):
        found = subscribe(
            sandbox,
            amount=1_000,
            quantity=3,
            line={"tax_rates": [vat["id"]]},
            discounts=[{"coupon": made["id"]}],
        )
    with clock.frozen(datetime(2027, 4, 16, tzinfo=UTC)):
        item = found["items"]["data"][0]["id"]
        call(
            "subscriptions.update",
            id=found["id"],
            items=[{"id": item, "quantity": 5}],
            proration_behavior="always_invoice",
        )
    invoice = sandbox.all("invoice")[-1]
    lines = invoice["lines"]["data"]
    assert [line["amount"] for line in lines] == amounts
    assert [line["discountable"] for line in lines] == [False, False]
    assert sum(each["amount"] for each in invoice["total_discount_amounts"]) == 0
    assert invoice["subtotal"] == sum(amounts)
    assert abs(invoice["total"] - sum(amounts) * 119 / 100) <= 1


def test_fewer_seats_become_a_credit_that_the_next_invoice_uses(sandbox: StripeStandIn) -> None:
    with clock.frozen(datetime(2027, 4, 1, tzinfo=UTC)):
        found = subscribe(sandbox, quantity=3)
    with clock.frozen(datetime(2027, 4, 16, tzinfo=UTC)):
        item = found["items"]["data"][0]["id"]
        call(
            "subscriptions.update",
            id=found["id"],
            items=[{"id": item, "quantity": 1}],
            proration_behavior="always_invoice",
        )
        credit = sandbox.all("invoice")[-1]
        assert (credit["total"], credit["amount_due"], credit["status"]) == (-3_000, 0, "paid")
    with clock.frozen(datetime(2027, 5, 1, tzinfo=UTC)):
        sandbox.tick()
        last = sandbox.all("invoice")[-1]
        assert (last["total"], last["starting_balance"], last["amount_due"]) == (3_000, -3_000, 0)


def test_another_interval_begins_a_new_period_at_once(sandbox: StripeStandIn) -> None:
    with clock.frozen(datetime(2027, 4, 1, tzinfo=UTC)):
        found = subscribe(sandbox)
    with clock.frozen(datetime(2027, 4, 16, tzinfo=UTC)):
        item, product = found["items"]["data"][0]["id"], call("products.create", name="Yearly")
        price = call(
            "prices.create",
            currency="EUR",
            unit_amount=30_000,
            product=product["id"],
            recurring={"interval": "year"},
        )
        changed = call(
            "subscriptions.update", id=found["id"], items=[{"id": item, "price": price["id"]}]
        )
        assert sandbox.all("invoice")[-1]["total"] == 30_000 - 1_500
    end = changed["items"]["data"][0]["current_period_end"]
    assert datetime.fromtimestamp(end, UTC) == datetime(2028, 4, 16, tzinfo=UTC)


def test_seats_that_cannot_be_paid_for_are_not_added_when_that_is_asked(
    sandbox: StripeStandIn,
) -> None:
    found = subscribe(sandbox, card="4000000000000341")
    item = found["items"]["data"][0]["id"]
    with pytest.raises(StripeRejectedError, match="declined"):
        call(
            "subscriptions.update",
            id=found["id"],
            items=[{"id": item, "quantity": 3}],
            proration_behavior="always_invoice",
            payment_behavior="error_if_incomplete",
        )
    unchanged = gateway().retrieve("subscriptions", found["id"])
    assert (unchanged["status"], unchanged["items"]["data"][0]["quantity"]) == ("active", 1)
    assert len(sandbox.all("invoice")) == 1


def test_a_trial_is_charged_when_it_ends(sandbox: StripeStandIn) -> None:
    found = subscribe(sandbox, subscription_data={"trial_period_days": 14})
    assert (found["status"], found["latest_invoice"]["total"]) == ("trialing", 0)
    sandbox.advance(timedelta(days=15))
    after_trial = gateway().retrieve("subscriptions", found["id"], expand=["latest_invoice"])
    assert (after_trial["status"], after_trial["latest_invoice"]["total"]) == ("active", 3_000)


def test_a_subscription_is_canceled_at_the_end_of_its_period(sandbox: StripeStandIn) -> None:
    found = subscribe(sandbox)
    call("subscriptions.update", id=found["id"], cancel_at_period_end=True)
    sandbox.advance(timedelta(days=32))
    assert gateway().retrieve("subscriptions", found["id"])["status"] == "canceled"
    assert (types(sandbox)[-1], len(sandbox.all("invoice"))) == ("customer.subscription.deleted", 1)


def test_a_cancellation_can_be_taken_back_before_the_period_ends(sandbox: StripeStandIn) -> None:
    found = subscribe(sandbox)
    call("subscriptions.update", id=found["id"], cancel_at_period_end=True)
    call("subscriptions.update", id=found["id"], cancel_at_period_end=False)
    sandbox.advance(timedelta(days=32))
    assert gateway().retrieve("subscriptions", found["id"])["status"] == "active"


def test_a_subscription_is_canceled_at_once_and_only_once(sandbox: StripeStandIn) -> None:
    found = subscribe(sandbox)
    assert call("subscriptions.cancel", id=found["id"])["status"] == "canceled"
    with pytest.raises(StripeRejectedError):
        call("subscriptions.cancel", id=found["id"])


def test_a_card_that_fails_on_renewal_makes_it_past_due_then_another_card_pays(
    sandbox: StripeStandIn,
) -> None:
    found = subscribe(sandbox, card="4000000000000341")
    sandbox.advance(timedelta(days=32))
    late = gateway().retrieve("subscriptions", found["id"], expand=["latest_invoice"])
    assert (late["status"], late["latest_invoice"]["status"]) == ("past_due", "open")
    assert "invoice.payment_failed" in types(sandbox)
    sandbox.change_card(found["customer"], "4242424242424242")
    sandbox.advance(timedelta(days=4))
    paid = gateway().retrieve("subscriptions", found["id"], expand=["latest_invoice"])
    assert (paid["status"], paid["latest_invoice"]["status"]) == ("active", "paid")


def test_a_card_that_keeps_failing_ends_the_subscription(sandbox: StripeStandIn) -> None:
    found = subscribe(sandbox, card="4000000000000341")
    for _time in range(5):
        sandbox.advance(timedelta(days=10))
    assert sandbox.get(found["id"])["status"] == "past_due"
    sandbox.advance(timedelta(days=8))
    ended = sandbox.get(found["id"])
    assert (ended["status"], ended["cancellation_details"]["reason"]) == (
        "canceled",
        "payment_failed",
    )


def test_a_declined_card_begins_nothing_and_the_page_stays_open(sandbox: StripeStandIn) -> None:
    session = call(
        "checkout.sessions.create",
        mode="subscription",
        success_url="https://us.example/ok",
        line_items=[
            {
                "quantity": 1,
                "price_data": {
                    "currency": "eur",
                    "unit_amount": 500,
                    "product_data": {"name": "A"},
                    "recurring": {"interval": "month"},
                },
            }
        ],
    )
    with pytest.raises(ApiError, match="declined"):
        sandbox.pay(session["url"], "4000000000000002")
    assert sandbox.all("subscription") == []
    sandbox.pay(session["url"])
    assert len(sandbox.all("subscription")) == 1


@pytest.mark.parametrize(
    ("start", "interval", "number", "end"),
    [
        ((2027, 1, 31), "month", 1, (2027, 2, 28)),
        ((2027, 1, 31), "month", 2, (2027, 3, 31)),
        ((2028, 1, 31), "month", 1, (2028, 2, 29)),
        ((2028, 2, 29), "year", 1, (2029, 2, 28)),
        ((2027, 12, 31), "month", 2, (2028, 2, 29)),
        ((2027, 3, 28), "week", 1, (2027, 4, 4)),
        ((2027, 3, 28), "day", 3, (2027, 3, 31)),
    ],
)
def test_periods_keep_the_day_of_the_month_where_the_month_has_it(
    start: tuple[int, int, int], interval: str, number: int, end: tuple[int, int, int]
) -> None:
    anchor = int(datetime(*start, tzinfo=UTC).timestamp())
    found = after(anchor, {"interval": interval, "interval_count": 1}, number)
    assert datetime.fromtimestamp(found, UTC) == datetime(*end, tzinfo=UTC)


def refused_renewal(sandbox: StripeStandIn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A past due subscription and its open invoice."""
    customer = call("customers.create", email="a@people.example")
    found = subscribe(sandbox, card="4000000000000341", customer=customer["id"])
    sandbox.advance(timedelta(days=32))
    found = gateway().retrieve("subscriptions", found["id"], expand=["latest_invoice"])
    assert (found["status"], found["latest_invoice"]["status"]) == ("past_due", "open")
    return found, found["latest_invoice"]


def test_an_open_invoice_is_paid_on_its_page(sandbox: StripeStandIn) -> None:
    found, invoice = refused_renewal(sandbox)
    page = invoice["hosted_invoice_url"]
    assert "€30.00" in requests.get(page, timeout=5).text
    refused = requests.post(page, {"card": "4000000000000002"}, timeout=5)
    assert refused.status_code == 402
    assert "Your card was declined." in refused.text
    assert sandbox.get(invoice["id"])["attempt_count"] == 1
    assert "Paid" in requests.post(page, {"card": "4242424242424242"}, timeout=5).text
    paid = gateway().retrieve("subscriptions", found["id"], expand=["latest_invoice"])
    assert (paid["status"], paid["latest_invoice"]["status"]) == ("active", "paid")
    assert types(sandbox)[-1] == "customer.subscription.updated"
    sandbox.advance(timedelta(days=32))
    assert gateway().retrieve("subscriptions", found["id"])["status"] == "past_due"
    assert requests.get(f"{sandbox.url}/i/in_none", timeout=5).status_code == 404
    assert requests.post(f"{sandbox.url}/i/in_none", timeout=5).status_code == 404


def test_a_page_in_setup_mode_keeps_a_card_that_then_pays(sandbox: StripeStandIn) -> None:
    found, invoice = refused_renewal(sandbox)
    session = call(
        "checkout.sessions.create",
        mode="setup",
        currency="EUR",
        customer=found["customer"],
        success_url="https://us.example/ok",
        cancel_url="https://us.example/back",
        setup_intent_data={"metadata": {"for": "us"}},
    )
    assert "Save the card" in requests.get(session["url"], timeout=5).text
    declined = requests.post(session["url"], {"card": "4000000000000002"}, timeout=5)
    assert (declined.status_code, "Your card was declined." in declined.text) == (402, True)
    kept = requests.post(
        session["url"], {"card": "5555555555554444"}, timeout=5, allow_redirects=False
    )
    assert kept.headers["Location"] == "https://us.example/ok"
    assert "The card is kept." in requests.get(session["url"], timeout=5).text
    done = gateway().retrieve("checkout.sessions", session["id"], expand=["setup_intent"])
    intent = done["setup_intent"]
    assert (done["status"], intent["status"], intent["metadata"]) == (
        "complete", "succeeded", {"for": "us"},
    )  # fmt: skip
    with pytest.raises(StripeRejectedError, match="declined"):
        call("invoices.pay", id=invoice["id"])
    call("subscriptions.update", id=found["id"], default_payment_method=intent["payment_method"])
    assert call("invoices.pay", id=invoice["id"])["status"] == "paid"
    with pytest.raises(StripeRejectedError):
        call("invoices.pay", id=invoice["id"])


@pytest.mark.parametrize(
    "wrong",
    [{"currency": None}, {"line_items": [{"price": "p", "quantity": 1}]},
     {"subscription_data": {"metadata": {"a": "b"}}}],
)  # fmt: skip
def test_a_page_in_setup_mode_that_makes_no_sense_is_refused(
    sandbox: StripeStandIn, wrong: dict[str, Any]
) -> None:
    params = {"currency": "EUR", "success_url": "https://us.example/ok", **wrong}
    given = {name: value for name, value in params.items() if value is not None}
    with pytest.raises(StripeRejectedError):
        call("checkout.sessions.create", mode="setup", **given)


def test_another_customer_s_card_is_refused(sandbox: StripeStandIn) -> None:
    found, theirs = subscribe(sandbox), subscribe(sandbox)
    with pytest.raises(StripeRejectedError):
        call(
            "subscriptions.update",
            id=found["id"],
            default_payment_method=theirs["default_payment_method"],
        )
