"""What happens because time passes. In the order in which it would have happened."""

from billing.sandbox_stripe import balance, checkout, payments, payouts, subscriptions
from billing.sandbox_stripe.store import Store, timestamp

DAY_SECONDS = 86_400


def tick(store: Store) -> int:
    """Let everything happen whose time has come; how many things did.

    Money becomes available, sessions expire, refunds fail, subscriptions renew, open invoices are
    tried again, payouts arrive, and once a day automatic payouts are made (setting `schedule`:
    {"platform": "daily" | "manual", "accounts": "daily" | "manual"}).
    """
    done = 0
    for _round in range(1_000):
        with store.transaction():
            happened = _tick_once(store)
        done += happened
        if not happened:
            return done
    return done


def _tick_once(store: Store) -> int:
    now = timestamp()
    happened = int(balance.make_available(store, now))
    for session in store.due("checkout.session", now):
        checkout.expire(store, session)
        happened += 1
    for refund in store.due("refund", now):
        payments.fail_refund(store, refund)
        happened += 1
    for subscription in store.due("subscription", now)[:1]:
        subscriptions.renew(store, subscription)
        happened += 1
    for invoice in store.due("invoice", now)[:1]:
        subscriptions.retry_invoice(store, invoice)
        happened += 1
    for payout in store.due("payout", now):
        payouts.arrive(store, payout)
        happened += 1
    happened += _pay_out_daily(store, now)
    return happened


def _pay_out_daily(store: Store, now: int) -> int:
    schedule = store.setting("schedule", {"platform": "manual", "accounts": "manual"})
    today = now // DAY_SECONDS
    if store.setting("paid_out_on", today) >= today:
        if store.setting("paid_out_on") is None:
            store.set("paid_out_on", today)
        return 0
    store.set("paid_out_on", today)
    made = 0
    if schedule["accounts"] == "daily":
        for account in store.all("account"):
            if account["payouts_enabled"] and not account["_deauthorized"]:
                made += len(payouts.pay_out_automatically(store, account["id"]))
    if schedule["platform"] == "daily":
        made += len(payouts.pay_out_automatically(store))
    return made
