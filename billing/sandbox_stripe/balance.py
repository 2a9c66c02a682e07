"""Balances and their transactions.

Fees: 1.5 % and 25 minor units for a charge, 15.00 for a dispute, nothing else. Charges become
available after two days, transfers and refunds count at once.
"""

from typing import Any

from billing.sandbox_stripe.endpoints import Call, endpoint, listing, retrieval
from billing.sandbox_stripe.errors import ApiError
from billing.sandbox_stripe.events import emit
from billing.sandbox_stripe.store import Store, Thing, timestamp

CHARGE_FEE_BPS = 150
CHARGE_FEE_FIXED = 25
DISPUTE_FEE = 1_500
AVAILABLE_AFTER_SECONDS = 2 * 86_400


def charge_fee(amount: int) -> int:
    """What Stripe keeps of a charge, in minor units of the settlement currency."""
    return min(amount, (amount * CHARGE_FEE_BPS + 5_000) // 10_000 + CHARGE_FEE_FIXED)


def balances(store: Store, account: str, currency: str) -> tuple[int, int]:
    """(pending, available)."""
    row = store.execute(
        "SELECT pending, available FROM balance WHERE account = ? AND currency = ?",
        account,
        currency,
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def move(
    store: Store, account: str, currency: str, *, pending: int = 0, available: int = 0
) -> None:
    """Change a balance."""
    store.execute(
        "INSERT INTO balance (account, currency, pending, available) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (account, currency) DO UPDATE SET "
        "pending = pending + excluded.pending, available = available + excluded.available",
        account,
        currency,
        pending,
        available,
    )


def settle(store: Store, amount: int, currency: str) -> tuple[int, str, float | None]:
    """(amount, currency, rate) in which a charge reaches the balance.

    The control setting `settlement` = {"default": "eur", "currencies": ["eur"], "rates":
    {"gbp": 1.17}} converts what is in no such currency. Without it nothing is converted.
    """
    rules = store.setting("settlement")
    if not rules or currency in rules["currencies"]:
        return amount, currency, None
    rate = float(rules["rates"][currency])
    return round(amount * rate), str(rules["default"]), rate


def book(
    store: Store,
    kind: str,
    amount: int,
    currency: str,
    source: str | None,
    *,
    fee: int = 0,
    account: str = "",
    category: str = "",
    description: str | None = None,
    rate: float | None = None,
    pending: bool = False,
    fee_description: str = "Stripe processing fees",
) -> Thing:
    """A balance transaction, and what it does to the balance."""
    now = timestamp()
    available_on = now + AVAILABLE_AFTER_SECONDS if pending else now
    net = amount - fee
    move(
        store,
        account,
        currency,
        pending=net if pending else 0,
        available=0 if pending else net,
    )
    return store.add(
        "balance_transaction",
        "txn",
        {
            "amount": amount,
            "available_on": available_on,
            "balance_type": "payments",
            "currency": currency,
            "description": description,
            "exchange_rate": rate,
            "fee": fee,
            "fee_details": [
                {
                    "amount": fee,
                    "application": None,
                    "currency": currency,
                    "description": fee_description,
                    "type": "stripe_fee",
                }
            ]
            if fee
            else [],
            "net": net,
            "reporting_category": category or kind,
            "source": source,
            "status": "pending" if pending else "available",
            "type": kind,
            "_payout": None,
        },
        account=account,
        due=available_on if pending else None,
    )


def make_available(store: Store, until: int) -> bool:
    """Let what is due become available; whether anything did."""
    accounts = set()
    for entry in store.due("balance_transaction", until):
        account = store.account_of(entry["id"])
        net = int(entry["net"])
        move(store, account, entry["currency"], pending=-net, available=net)
        entry["status"] = "available"
        store.save(entry)
        accounts.add(account)
    for account in sorted(accounts):
        emit(store, "balance.available", _balance(store, account), account=account)
    return bool(accounts)


def require_available(store: Store, amount: int, currency: str) -> None:
    """Raise ApiError (balance_insufficient) unless the platform has that much to send."""
    if balances(store, "", currency)[1] < amount:
        raise ApiError(
            400,
            "You have insufficient available funds in your Stripe account. Try adding funds "
            "directly to your available balance.",
            code="balance_insufficient",
        )


def _balance(store: Store, account: str) -> dict[str, Any]:
    rows = store.execute(
        "SELECT currency, pending, available FROM balance WHERE account = ? ORDER BY currency",
        account,
    ).fetchall()

    def entry(currency: str, amount: int) -> dict[str, Any]:
        return {"amount": amount, "currency": currency, "source_types": {"card": amount}}

    return {
        "object": "balance",
        "livemode": False,
        "available": [entry(row[0], row[2]) for row in rows],
        "pending": [entry(row[0], row[1]) for row in rows],
    }


@endpoint("balance.retrieve", "GET", "/v1/balance", "BalanceRetrieveParams")
def _retrieve(call: Call) -> dict[str, Any]:
    return _balance(call.store, call.account)


retrieval(
    "balance_transactions",
    "/v1/balance_transactions",
    "balance_transaction",
    "BalanceTransactionRetrieveParams",
)
listing(
    "balance_transactions",
    "/v1/balance_transactions",
    "balance_transaction",
    "BalanceTransactionListParams",
    private=("payout",),
)
