"""A Stripe that only lists, and the same things booked in the ledger, for reconciling."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from billing.accounts import PARTNER_HELD, PLATFORM_FEE, PROCESSING_FEE, STRIPE_PENDING
from billing.gateway import StripeSettings, StripeUnknownError, configure_gateway
from billing.ledger import credit, debit, post
from billing.models import BankImport, BankLine, Order, OrderState
from billing.reconciliation.runs import Outcome, begin, go_on
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work

_numbers = itertools.count(1)
NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
PARTNER = 7


@dataclass
class ListedStripe:
    """Balance transactions and payouts by id; the balance is their sum."""

    livemode: bool = False
    transactions: dict[str, dict[str, Any]] = field(default_factory=dict)
    payouts: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    charges: dict[str, dict[str, Any]] = field(default_factory=dict)
    # After so many objects of lists, no answer comes.
    fails_after: int | None = None
    asked: list[str] = field(default_factory=list)
    # What the balance says beside the sum of what is listed.
    balance_off: int = 0

    def call(self, method: str, params: Mapping[str, Any], **_options: Any) -> dict[str, Any]:
        raise AssertionError(f"reconciling changes nothing at Stripe: {method}")

    def retrieve(
        self, resource: str, stripe_id: str = "", *, expand: Sequence[str] = (), **_options: Any
    ) -> dict[str, Any]:
        assert not db.session().in_transaction(), "no transaction may be open while Stripe answers"
        self.asked.append(f"{resource} {stripe_id}".strip())
        if resource == "balance":
            return self._balance()
        if resource == "charges":
            return self.charges.get(stripe_id, {"id": stripe_id, "metadata": {}})
        return self.payouts[stripe_id]

    def pages(self, resource: str, *, account: str = "", **params: Any) -> Iterator[dict[str, Any]]:
        self.asked.append(resource)
        if "payout" in params:
            names = self.members.get(params["payout"], [])
            found = [self.transactions[name] for name in names]
        else:
            rows = self.transactions if resource == "balance_transactions" else self.payouts
            window = params["created"]
            found = [
                each
                for each in rows.values()
                if window.get("gte", 0) <= each["created"] < window["lt"]
            ]
        for each in sorted(found, key=lambda one: -one["created"]):
            if self.fails_after is not None:
                if self.fails_after == 0:
                    raise StripeUnknownError("no answer")
                self.fails_after -= 1
            yield each

    def _balance(self) -> dict[str, Any]:
        now = clock.now().timestamp()
        sums: dict[tuple[str, str], int] = {}
        for each in self.transactions.values():
            kind = "available" if each["available_on"] <= now else "pending"
            key = (kind, each["currency"])
            sums[key] = sums.get(key, 0) + each["net"]
        found: dict[str, list[dict[str, Any]]] = {"available": [], "pending": []}
        for (kind, currency), amount in sums.items():
            found[kind].append({"currency": currency, "amount": amount})
        if self.balance_off:
            found["available"].append({"currency": "eur", "amount": self.balance_off})
        return found

    def add(
        self,
        type_: str,
        amount: int,
        source: str,
        *,
        fee: int = 0,
        currency: str = "EUR",
        at: datetime = NOW - timedelta(days=10),
        available_after: timedelta = timedelta(0),
        **more: Any,
    ) -> str:
        """A balance transaction; its id."""
        name = f"txn_{next(_numbers)}"
        self.transactions[name] = {
            "id": name,
            "object": "balance_transaction",
            "type": type_,
            "source": source,
            "amount": amount,
            "fee": fee,
            "net": amount - fee,
            "currency": currency.lower(),
            "created": int(at.timestamp()),
            "available_on": int((at + available_after).timestamp()),
            **more,
        }
        return name

    def add_payout(
        self,
        amount: int,
        *,
        at: datetime = NOW - timedelta(days=8),
        arrival: date | None = None,
        status: str = "paid",
        trace: str = "",
        currency: str = "EUR",
        reconciliation: str = "in_progress",
    ) -> str:
        """A payout to the platform's bank and its balance transaction; its id."""
        name = f"po_{next(_numbers)}"
        arrival = arrival or (at + timedelta(days=2)).date()
        self.payouts[name] = {
            "id": name,
            "amount": amount,
            "currency": currency.lower(),
            "status": status,
            "automatic": True,
            "arrival_date": int(
                datetime(arrival.year, arrival.month, arrival.day, tzinfo=UTC).timestamp()
            ),
            "trace_id": {"status": "supported", "value": trace} if trace else None,
            "reconciliation_status": reconciliation,
            "created": int(at.timestamp()),
        }
        self.add("payout", -amount, name, at=at, currency=currency)
        if status == "failed":
            self.add("payout_failure", amount, name, at=at + timedelta(days=3), currency=currency)
        return name


@contextmanager
def listed_stripe() -> Iterator[ListedStripe]:
    """This process asks a Stripe that only lists, within the block."""
    stripe = ListedStripe()
    configure_gateway(StripeSettings(), instead=stripe)  # type: ignore[arg-type]  # a part of it
    try:
        yield stripe
    finally:
        configure_gateway(StripeSettings())


def make_charged_order(
    stripe: ListedStripe | None = None,
    total: int = 10_000,
    *,
    fee: int = 175,
    currency: str = "EUR",
    at: datetime = NOW - timedelta(days=10),
    book: bool = True,
    available_after: timedelta = timedelta(days=2),
    partner: int = PARTNER,
) -> Order:
    """An order that a customer paid: at Stripe (if given), and in the ledger (if `book`)."""
    number = next(_numbers)
    order = Order(
        public_id=f"ord_r{number}",
        state=OrderState.PAID,
        organization_id=1,
        currency=currency,
        subtotal=total,
        total=total,
        paid_at=at,
        charge_id=f"ch_r{number}",
        created_at=at,
    )
    db.session.add(order)
    db.session.flush()
    if stripe is not None:
        stripe.add(
            "charge", total, order.charge_id or "", fee=fee, currency=currency, at=at,
            available_after=available_after,
        )  # fmt: skip
    if book:
        book_sale(order, fee=fee, at=at, partner=partner)
    return order


def book_sale(order: Order, *, fee: int = 175, at: datetime, partner: int = PARTNER) -> None:
    """What a sale posts, without its lines: a fifth is ours, the rest the partner's."""
    ours = order.total // 5
    with clock.frozen(at):
        post(
            "sale",
            source=("order", order.id),
            key=f"order:{order.id}:paid",
            legs=[
                debit(STRIPE_PENDING, order.total, order.currency),
                credit(PLATFORM_FEE, ours, order.currency),
                credit(PARTNER_HELD, order.total - ours, order.currency, partner),
            ],
            effective_at=at,
            order_id=order.id,
        )
        post(
            "processing_fee",
            source=("charge", order.charge_id),
            key=f"charge:{order.charge_id}:fee",
            legs=[
                debit(PROCESSING_FEE, fee, order.currency),
                credit(STRIPE_PENDING, fee, order.currency),
            ],
            effective_at=at,
            order_id=order.id,
        )


def reconcile(at: datetime = NOW, *, whole: bool = False) -> Outcome:
    """One whole run at that time; commits what the test wrote."""
    with unit_of_work():
        pass
    with clock.frozen(at):
        with unit_of_work():
            run_id = begin(whole=whole)
        return go_on(run_id)


def make_bank_line(
    amount: int, on: date, *, text: str = "STRIPE", currency: str = "EUR", reference: str = ""
) -> BankLine:
    """A line of the bank, in a file of its own."""
    number = next(_numbers)
    file = BankImport(
        file_name=f"bank-{number}.csv", file_format="csv", sha256=f"{number:064d}",
        account="DE02", currency=currency, lines_new=1, covers_from=on, covers_to=on,
    )  # fmt: skip
    db.session.add(file)
    db.session.flush()
    line = BankLine(
        import_id=file.id, hash=f"{number:064d}", booked_on=on, amount=amount, currency=currency,
        text=text, reference=reference,
    )  # fmt: skip
    db.session.add(line)
    db.session.flush()
    return line
