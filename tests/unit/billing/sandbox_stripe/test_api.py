"""Payments, refunds, disputes, transfers, payouts and accounts at the stand-in, by the real SDK."""

import itertools
import threading
from datetime import timedelta
from typing import Any

import pytest
import requests

from billing.gateway import (
    StripeAccountError,
    StripeBusyError,
    StripeKeyReusedError,
    StripeRejectedError,
    StripeUnknownError,
    gateway,
)
from billing.sandbox_stripe.errors import ApiError
from tests.factories.stripe import StripeStandIn

_keys = (f"key{number}" for number in itertools.count())


def call(method: str, *, key: str = "", **params: Any) -> dict[str, Any]:
    return gateway().call(method, params, idem_key=key or next(_keys))


def checkout(amount: int = 10_000, currency: str = "EUR", **more: Any) -> dict[str, Any]:
    """A checkout session of one line."""
    line = {
        "quantity": 1,
        "price_data": {
            "currency": currency,
            "unit_amount": amount,
            "product_data": {"name": "Tide tables"},
        },
        **more.pop("line", {}),
    }
    return call(
        "checkout.sessions.create",
        mode="payment",
        success_url="https://us.example/ok?session={CHECKOUT_SESSION_ID}",
        cancel_url="https://us.example/back",
        line_items=[line],
        **more,
    )


def paid(sandbox: StripeStandIn, amount: int = 10_000, **more: Any) -> dict[str, Any]:
    """The charge of a checkout that was paid."""
    card = more.pop("card", "4242424242424242")
    session = checkout(amount, **more)
    sandbox.pay(session["url"], card)
    return sandbox.charge_of(session["url"])


def refused(method: str, **params: Any) -> str:
    with pytest.raises(StripeRejectedError) as refusal:
        call(method, **params)
    return refusal.value.code


# --- checkout ------------------------------------------------------------------------------


def test_a_paid_checkout_has_a_charge_with_its_fee_in_the_pending_balance(
    sandbox: StripeStandIn,
) -> None:
    data = {"transfer_group": "order_7", "metadata": {"order": "ord_7"}}
    charge = paid(sandbox, payment_intent_data=data)
    assert (charge["transfer_group"], charge["metadata"]) == ("order_7", {"order": "ord_7"})
    entry = sandbox.get(charge["balance_transaction"])
    assert (entry["amount"], entry["fee"], entry["net"]) == (10_000, 175, 9_825)
    assert (entry["type"], entry["status"], entry["source"]) == ("charge", "pending", charge["id"])
    assert sandbox.balance() == (9_825, 0)
    card = charge["payment_method_details"]["card"]
    assert (card["last4"], len(card["fingerprint"])) == ("4242", 16)
    sandbox.advance(timedelta(days=2, seconds=1))
    assert sandbox.balance() == (0, 9_825)
    assert sandbox.get(entry["id"])["status"] == "available"


def test_a_checkout_adds_taxes_and_takes_a_coupon_off_first(sandbox: StripeStandIn) -> None:
    rate = call("tax_rates.create", display_name="VAT", percentage="19", inclusive=False)
    coupon = call("coupons.create", amount_off=1_000, currency="EUR", duration="once")
    session = checkout(
        10_000, line={"tax_rates": [rate["id"]]}, discounts=[{"coupon": coupon["id"]}]
    )
    assert session["amount_total"] == 9_000 + 1_710
    assert session["total_details"]["amount_discount"] == 1_000
    assert session["total_details"]["amount_tax"] == 1_710


def test_a_checkout_of_nothing_needs_no_card(sandbox: StripeStandIn) -> None:
    coupon = call("coupons.create", percent_off="100", duration="once")
    session = checkout(discounts=[{"coupon": coupon["id"]}])
    sandbox.pay(session["url"])
    done = gateway().retrieve("checkout.sessions", session["id"])
    assert (done["payment_status"], done["payment_intent"]) == ("no_payment_required", None)


def test_a_declined_card_leaves_a_failed_charge_and_the_page_open(sandbox: StripeStandIn) -> None:
    session = checkout()
    with pytest.raises(ApiError, match="declined"):
        sandbox.pay(session["url"], "4000000000000002")
    (failed,) = sandbox.all("charge")
    assert (failed["status"], failed["failure_code"]) == ("failed", "card_declined")
    assert sandbox.balance() == (0, 0)
    sandbox.pay(session["url"])
    assert gateway().retrieve("checkout.sessions", session["id"])["status"] == "complete"


def test_a_session_is_paid_once(sandbox: StripeStandIn) -> None:
    session = checkout()
    sandbox.pay(session["url"])
    with pytest.raises(ApiError):
        sandbox.pay(session["url"])
    assert len(sandbox.all("charge")) == 1


def test_a_session_expires_by_call_and_by_time(sandbox: StripeStandIn) -> None:
    first, second = checkout(), checkout()
    assert call("checkout.sessions.expire", id=first["id"])["status"] == "expired"
    sandbox.advance(timedelta(hours=25))
    assert sandbox.get(second["id"])["status"] == "expired"
    kinds = [event["type"] for event in sandbox.all("event")]
    assert kinds.count("checkout.session.expired") == 2


def test_the_page_shows_the_order_and_leads_back(sandbox: StripeStandIn) -> None:
    session = checkout(customer_email="buyer@people.example")
    page = requests.get(session["url"], timeout=5)
    assert page.status_code == 200
    for text in ("Tide tables", "€100.00", "buyer@people.example", "https://us.example/back"):
        assert text in page.text
    declined = requests.post(session["url"], {"card": "4000000000000002"}, timeout=5)
    assert declined.status_code == 402
    assert "Your card was declined." in declined.text
    strange = requests.post(session["url"], {"card": "4111111111111111"}, timeout=5)
    assert strange.status_code == 402
    assert "4111" not in strange.text
    done = requests.post(
        session["url"], {"card": "4242424242424242"}, timeout=5, allow_redirects=False
    )
    assert done.status_code == 303
    assert done.headers["Location"] == f"https://us.example/ok?session={session['id']}"
    assert "no longer active" in requests.get(session["url"], timeout=5).text
    assert requests.get(f"{sandbox.url}/", timeout=5).status_code == 200
    assert requests.get(f"{sandbox.url}/c/pay/none", timeout=5).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"subscription_data": {"metadata": {"a": "b"}}},
        {"customer": "cus_none"},
        {"expires_at": 1},
        {"discounts": [{"coupon": "none"}]},
        {"success_urls": "x"},
        {"line": {"quantity": "many"}},
        {"line": {"tax_rates": ["txr_none"]}},
    ],
)
def test_a_checkout_that_makes_no_sense_is_refused(
    sandbox: StripeStandIn, wrong: dict[str, Any]
) -> None:
    with pytest.raises(StripeRejectedError):
        checkout(**wrong)


# --- refunds and disputes ------------------------------------------------------------------


def test_refunds_take_what_is_left_of_a_charge_and_no_more(sandbox: StripeStandIn) -> None:
    charge = paid(sandbox)
    first = call("refunds.create", charge=charge["id"], amount=4_000)
    assert (first["status"], sandbox.balance()) == ("succeeded", (9_825, -4_000))
    assert refused("refunds.create", charge=charge["id"], amount=6_001) == ""
    call("refunds.create", payment_intent=charge["payment_intent"])
    assert sandbox.get(charge["id"])["refunded"] is True
    assert refused("refunds.create", charge=charge["id"]) == "charge_already_refunded"


def test_a_refund_may_fail_later_and_the_money_comes_back(sandbox: StripeStandIn) -> None:
    charge = paid(sandbox, card="4000000000005126")
    refund = call("refunds.create", charge=charge["id"])
    sandbox.advance(timedelta(minutes=2))
    failed = gateway().retrieve("refunds", refund["id"])
    assert failed["status"] == "failed"
    assert sandbox.balance() == (9_825, 0)
    assert sandbox.get(charge["id"])["amount_refunded"] == 0


def test_a_dispute_withdraws_the_money_and_its_fee(sandbox: StripeStandIn) -> None:
    charge = paid(sandbox)
    dispute = sandbox.dispute(charge, amount=12_000)
    assert sandbox.balance() == (9_825, -13_500)
    entry = dispute["balance_transactions"][0]
    assert (entry["amount"], entry["fee"], entry["reporting_category"]) == (
        -12_000,
        1_500,
        "dispute",
    )
    assert refused("refunds.create", charge=charge["id"]) == "charge_disputed"


@pytest.mark.parametrize(
    ("evidence", "status", "available"),
    [("winning_evidence", "won", -1_500), ("losing_evidence", "lost", -11_500)],
)
def test_evidence_decides_a_dispute(
    sandbox: StripeStandIn, evidence: str, status: str, available: int
) -> None:
    paid(sandbox, card="4000000000000259")
    (dispute,) = sandbox.all("dispute")
    done = call("disputes.update", id=dispute["id"], evidence={"uncategorized_text": evidence})
    assert (done["status"], sandbox.balance()[1]) == (status, available)
    kinds = [event["type"] for event in sandbox.all("event")]
    assert kinds[-1] == "charge.dispute.closed"
    assert ("charge.dispute.funds_reinstated" in kinds) is (status == "won")


def test_evidence_is_kept_until_it_is_submitted(sandbox: StripeStandIn) -> None:
    dispute = sandbox.dispute(paid(sandbox))
    text = {"uncategorized_text": "They used it daily."}
    draft = call("disputes.update", id=dispute["id"], evidence=text, submit=False)
    assert draft["status"] == "needs_response"
    sent = call("disputes.update", id=dispute["id"], evidence=text, submit=True)
    assert (sent["status"], sent["evidence_details"]["submission_count"]) == ("under_review", 1)
    assert sandbox.decide(dispute, won=True)["status"] == "won"


# --- accounts, transfers, payouts ----------------------------------------------------------


def onboarding_account(version: int) -> str:
    if version == 1:
        made = call(
            "accounts.create",
            country="DE",
            controller={"stripe_dashboard": {"type": "express"}},
            capabilities={"transfers": {"requested": True}},
        )
    else:
        made = call(
            "v2.core.accounts.create",
            contact_email="pay@partner.example",
            dashboard="express",
            identity={"country": "de"},
            configuration={
                "recipient": {
                    "capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}
                }
            },
        )
    return str(made["id"])


@pytest.mark.parametrize("version", [1, 2])
def test_an_account_receives_only_once_it_is_onboarded(
    sandbox: StripeStandIn, version: int
) -> None:
    sandbox.fund(10_000)
    account = onboarding_account(version)
    wanted = {"amount": 1_000, "currency": "EUR", "destination": account}
    code = "insufficient_capabilities_for_transfer"
    assert refused("transfers.create", **wanted) == code
    if version == 1:
        link = call(
            "account_links.create",
            account=account,
            type="account_onboarding",
            refresh_url="https://us.example/again",
            return_url="https://us.example/back",
        )
    else:
        link = call(
            "v2.core.account_links.create",
            account=account,
            use_case={
                "type": "account_onboarding",
                "account_onboarding": {
                    "refresh_url": "https://us.example/again",
                    "return_url": "https://us.example/back",
                },
            },
        )
    assert requests.get(link["url"], timeout=5).status_code == 200
    done = requests.post(f"{link['url']}/finish", timeout=5, allow_redirects=False)
    assert done.headers["Location"] == "https://us.example/back"
    again = requests.get(link["url"], timeout=5, allow_redirects=False)
    assert again.headers["Location"] == "https://us.example/again"
    found = gateway().retrieve(
        "v2.core.accounts", account, expand=["configuration.recipient", "requirements"]
    )
    capability = found["configuration"]["recipient"]["capabilities"]["stripe_balance"]
    assert capability["stripe_transfers"]["status"] == "active"
    assert gateway().retrieve("accounts", account)["payouts_enabled"] is True
    assert call("transfers.create", **wanted)["amount"] == 1_000
    assert sandbox.balance(account=account) == (0, 1_000)
    login = call("accounts.login_links.create", id=account)
    assert "€10.00" in requests.get(login["url"], timeout=5).text


def test_a_link_that_is_too_old_leads_back_for_a_new_one(sandbox: StripeStandIn) -> None:
    account = onboarding_account(2)
    link = call(
        "account_links.create",
        account=account,
        type="account_onboarding",
        refresh_url="https://us.example/again",
        return_url="https://us.example/back",
    )
    sandbox.advance(timedelta(minutes=6))
    answer = requests.get(link["url"], timeout=5, allow_redirects=False)
    assert answer.headers["Location"] == "https://us.example/again"


def test_a_transfer_needs_money_a_destination_and_whole_units_where_there_are_no_others(
    sandbox: StripeStandIn,
) -> None:
    account = sandbox.new_account()
    sandbox.fund(5_000)
    sandbox.fund(5_000, "HUF")
    wanted = {"currency": "EUR", "destination": account}
    assert refused("transfers.create", amount=5_001, **wanted) == "balance_insufficient"
    assert refused("transfers.create", amount=1, currency="EUR", destination="acct_no") == (
        "resource_missing"
    )
    assert refused("transfers.create", amount=150, currency="HUF", destination=account) == ""
    call("transfers.create", amount=200, currency="HUF", destination=account)
    sandbox.restrict(account)
    assert refused("transfers.create", amount=1, **wanted) == (
        "insufficient_capabilities_for_transfer"
    )
    sandbox.deauthorize(account)
    assert refused("transfers.create", amount=1, **wanted) == "resource_missing"
    with pytest.raises(StripeAccountError):
        gateway().retrieve("balance", account=account)


def test_a_transfer_is_taken_back_while_the_destination_has_the_money(
    sandbox: StripeStandIn,
) -> None:
    account = sandbox.new_account()
    sandbox.fund(5_000)
    transfer = call("transfers.create", amount=5_000, currency="EUR", destination=account)
    reversal = call("transfers.reversals.create", id=transfer["id"], amount=2_000)
    assert sandbox.balance() == (0, 2_000)
    assert gateway().retrieve("transfers.reversals", reversal["id"], parent=transfer["id"])
    sandbox.pay_out(account)
    assert refused("transfers.reversals.create", id=transfer["id"]) == "balance_insufficient"
    found = list(gateway().pages("transfers.reversals", parent=transfer["id"]))
    assert [each["id"] for each in found] == [reversal["id"]]


def test_transfers_are_found_by_their_group(sandbox: StripeStandIn) -> None:
    account = sandbox.new_account()
    sandbox.fund(5_000)
    made = [
        call("transfers.create", amount=10, currency="EUR", destination=account,
             transfer_group=f"group{number % 2}")["id"]
        for number in range(5)
    ]  # fmt: skip
    found = [each["id"] for each in gateway().pages("transfers", transfer_group="group0", limit=2)]
    assert found == [made[4], made[2], made[0]]


def test_a_payout_consists_of_its_balance_transactions(sandbox: StripeStandIn) -> None:
    paid(sandbox)
    paid(sandbox, 5_000)
    sandbox.advance(timedelta(days=3))
    (payout,) = sandbox.pay_out()
    members = [
        entry
        for entry in gateway().pages("balance_transactions", payout=payout["id"])
        if entry["type"] != "payout"
    ]
    assert sum(entry["net"] for entry in members) == payout["amount"] == 9_825 + 4_900
    assert sandbox.balance() == (0, 0)
    sandbox.advance(timedelta(days=1, seconds=1))
    arrived = gateway().retrieve("payouts", payout["id"])
    assert (arrived["status"], arrived["reconciliation_status"]) == ("paid", "completed")
    assert arrived["trace_id"]["value"]
    sandbox.fail_payout(payout)
    assert sandbox.balance() == (0, 14_725)


def test_payouts_are_made_daily_where_the_schedule_says_so(sandbox: StripeStandIn) -> None:
    sandbox.schedule(platform="daily", accounts="daily")
    account = sandbox.new_account()
    sandbox.advance(timedelta(0))
    sandbox.fund(5_000)
    call("transfers.create", amount=1_000, currency="EUR", destination=account)
    sandbox.advance(timedelta(days=1))
    assert [each["amount"] for each in sandbox.all("payout")] == [1_000, 4_000]
    sandbox.advance(timedelta(days=1, seconds=1))
    events = [(each["type"], each.get("account", "")) for each in sandbox.all("event")]
    assert ("payout.paid", account) in events
    assert ("payout.paid", "") in events


def test_an_account_sees_its_own_payouts_alone(sandbox: StripeStandIn) -> None:
    account = sandbox.new_account()
    sandbox.fund(5_000)
    call("transfers.create", amount=1_000, currency="EUR", destination=account)
    (payout,) = sandbox.pay_out(account)
    assert [each["id"] for each in gateway().pages("payouts", account=account)] == [payout["id"]]
    assert list(gateway().pages("payouts")) == []
    with pytest.raises(StripeRejectedError):
        gateway().retrieve("payouts", payout["id"])


def test_charges_are_converted_where_the_currency_has_no_bank_account(
    sandbox: StripeStandIn,
) -> None:
    sandbox.settle_in("eur", ["eur"], gbp=1.17)
    charge = paid(sandbox, currency="GBP")
    entry = sandbox.get(charge["balance_transaction"])
    assert (entry["amount"], entry["currency"], entry["exchange_rate"]) == (11_700, "eur", 1.17)
    assert charge["currency"] == "gbp"


def test_lists_go_page_by_page_and_by_time(sandbox: StripeStandIn) -> None:
    for number in range(7):
        call("customers.create", email=f"c{number}@people.example")
    found = [each["email"] for each in gateway().pages("customers", limit=3)]
    assert found == [f"c{number}@people.example" for number in range(6, -1, -1)]
    cut = sandbox.all("customer")[0]["created"] + 3_600
    assert list(gateway().pages("customers", created={"gte": cut})) == []
    assert len(list(gateway().pages("customers", created={"lt": cut}))) == 7


# --- keys and faults -----------------------------------------------------------------------


def test_the_same_key_does_a_thing_once(sandbox: StripeStandIn) -> None:
    first = call("customers.create", key="k", email="a@people.example")
    assert call("customers.create", key="k", email="a@people.example") == first
    with pytest.raises(StripeKeyReusedError):
        call("customers.create", key="k", email="b@people.example")
    assert len(sandbox.all("customer")) == 1


def test_a_key_is_forgotten_after_a_day(sandbox: StripeStandIn) -> None:
    call("customers.create", key="k", email="a@people.example")
    sandbox.advance(timedelta(hours=25))
    call("customers.create", key="k", email="b@people.example")
    assert len(sandbox.all("customer")) == 2


def test_errors_are_kept_under_their_key_too(sandbox: StripeStandIn) -> None:
    account = sandbox.new_account()
    wanted = {"amount": 100, "currency": "EUR", "destination": account}
    assert refused("transfers.create", key="k", **wanted) == "balance_insufficient"
    sandbox.fund(1_000)
    assert refused("transfers.create", key="k", **wanted) == "balance_insufficient"
    assert call("transfers.create", key="another", **wanted)["amount"] == 100


def test_a_wrong_parameter_does_not_use_up_the_key(sandbox: StripeStandIn) -> None:
    assert refused("customers.create", key="k", emial="x") == "parameter_unknown"
    assert call("customers.create", key="k", email="a@people.example")["email"]


@pytest.mark.parametrize(
    ("kind", "error", "made", "made_again"),
    [
        ("lost", StripeUnknownError, 1, 1),
        ("dropped", StripeUnknownError, 0, 1),
        ("error", StripeUnknownError, 0, 1),
        ("error_after", StripeUnknownError, 1, 1),
        ("rate_limited", StripeBusyError, 0, 1),
        ("conflict", StripeBusyError, 0, 1),
        ("refused", StripeRejectedError, 0, 1),
    ],
)
def test_a_fault_happens_once_and_the_same_key_is_safe_to_use_again(
    sandbox: StripeStandIn, kind: str, error: type[Exception], made: int, made_again: int
) -> None:
    sandbox.fault("customers.*", kind)
    with pytest.raises(error):
        call("customers.create", key="k", email="a@people.example")
    assert len(sandbox.all("customer")) == made
    call("customers.create", key="k", email="a@people.example")
    assert len(sandbox.all("customer")) == made_again


def test_an_error_can_be_kept_under_its_key(sandbox: StripeStandIn) -> None:
    sandbox.fault("customers.create", "error", cached=True)
    for _time in range(3):
        with pytest.raises(StripeUnknownError):
            call("customers.create", key="k", email="a@people.example")
    assert sandbox.all("customer") == []


def test_a_busy_answer_says_when_to_come_again(sandbox: StripeStandIn) -> None:
    sandbox.fault("customers.create", "rate_limited", seconds=7)
    with pytest.raises(StripeBusyError) as busy:
        call("customers.create", email="a@people.example")
    assert busy.value.retry_after == 7


def test_the_same_request_twice_at_once_happens_once(sandbox: StripeStandIn) -> None:
    sandbox.fault("customers.create", "slow", seconds=0.05, times=8)
    outcomes: list[str] = []

    def ask() -> None:
        try:
            call("customers.create", key="k", email="a@people.example")
            outcomes.append("done")
        except StripeBusyError:
            outcomes.append("busy")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sandbox.all("customer")) == 1
    assert "done" in outcomes


def test_a_key_of_no_sandbox_is_refused(sandbox: StripeStandIn) -> None:
    answer = requests.get(f"{sandbox.url}/v1/customers", timeout=5)
    assert answer.status_code == 401
    wrong = requests.get(
        f"{sandbox.url}/v1/nothing", headers={"Authorization": "Bearer sk_test_1"}, timeout=5
    )
    assert wrong.status_code == 404


def test_the_control_pages_do_what_a_test_does_by_hand(sandbox: StripeStandIn) -> None:
    charge = paid(sandbox)

    def order(path: str, **body: Any) -> Any:
        answer = requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=5)
        assert answer.status_code == 200, answer.text
        return answer.json()

    dispute = order("disputes", charge=charge["id"], amount=500)
    assert order(f"disputes/{dispute['id']}/lose")["status"] == "lost"
    assert order("clock", seconds=3 * 86_400)["happened"] > 0
    (payout,) = order("payouts/run")
    assert order(f"payouts/{payout['id']}/return")["status"] == "failed"
    account = sandbox.new_account(ready=False)
    assert order(f"accounts/{account}/onboard")["payouts_enabled"] is True
    assert order("faults", name="customers.*", kind="error")[0]["kind"] == "error"
    assert requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=5).json() == []
    assert order("balance", amount=-300, currency="EUR", type="stripe_fee")["net"] == -300
    wrong = requests.post(f"{sandbox.url}/_sandbox/disputes", json={"charge": "no"}, timeout=5)
    assert wrong.status_code == 400
