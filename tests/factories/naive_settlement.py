"""The naive model of settlement: plain numbers, one customer's cent after the other.

It knows nothing of the ledger and shares no code with it. It is slow and easy to believe.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

PLATFORM_ACCOUNTS = (
    "stripe_pending",
    "stripe_available",
    "payout_clearing",
    "tax_payable",
    "platform_fee",
    "discount",
    "commission_expense",
    "bad_debt",
    "refund_clearing",
    "dispute_hold",
    "dispute_fee",
)


def rounded(part: int, so_far: int, whole: int) -> int:
    """part * so_far / whole, halves up, by exact fractions."""
    exact = Fraction(part * so_far, whole) if whole else Fraction(0)
    return int(exact + Fraction(1, 2))


@cache
def handed_out(total: int, weights: tuple[int, ...]) -> tuple[int, ...]:
    """One unit at a time to whoever is furthest behind; among equals to the first."""
    if total == 0:
        return (0,) * len(weights)
    parts = list(handed_out(total - 1, weights))
    best = 0
    for place, weight in enumerate(weights):
        # weight / (2 * part + 1), compared without rounding.
        if weight * (2 * parts[best] + 1) > weights[best] * (2 * parts[place] + 1):
            best = place
    parts[best] += 1
    return tuple(parts)


@dataclass
class NaiveShare:
    """A partner's part of an order. `heir`: None, "platform", or the share that took its place."""

    name: tuple[int, str]
    partner: int
    amount: int
    due: int
    is_commission: bool = False
    is_by_platform: bool = False
    held: int = 0
    net: int = 0
    frozen: set[str] = field(default_factory=set)
    heir: "NaiveShare | str | None" = None
    # Which of all shares came first.
    number: int = 0


@dataclass
class NaiveOrder:
    """A sale, and what became of it."""

    currency: str
    total: int
    tax: int
    discount: int
    commission: int
    fee: int
    shares: list[NaiveShare]
    publisher: int
    # Public name: (amount, is it undone, has the money left Stripe).
    refunds: dict[str, list[int]] = field(default_factory=dict)
    # Name: [amount, state], state one of open, won, lost.
    disputes: dict[str, list[object]] = field(default_factory=dict)
    extra: list[NaiveShare] = field(default_factory=list)

    def gone(self) -> int:
        """What went back to the customer, or is about to."""
        back = sum(amount for amount, is_undone, _ in self.refunds.values() if not is_undone)
        return back + sum(
            int(str(amount)) for amount, state in self.disputes.values() if state == "lost"
        )

    def everything(self) -> list[NaiveShare]:
        """All shares, also those that took the place of others."""
        return self.shares + self.extra


class Naive:
    """Everybody's numbers."""

    def __init__(self) -> None:
        self.orders: list[NaiveOrder] = []
        # What is payable and unpaid, entry by entry: (share or None, amount), by partner.
        self.unpaid: dict[tuple[int, str], list[tuple[NaiveShare | None, int]]] = {}
        self.owed: dict[tuple[int, str], int] = {}
        # Of what is owed, what a transfer reversal is about to bring back.
        self.coming: dict[tuple[int, str], int] = {}
        self.moved: dict[tuple[str, str], int] = {}
        # What payouts have set apart, by the payout's name.
        self.apart: dict[int, tuple[tuple[int, str], list[tuple[NaiveShare | None, int]]]] = {}
        self.numbers = 0

    def book(self, currency: str) -> dict[str, int]:
        """The platform's balances that are not zero."""
        found = dict.fromkeys(PLATFORM_ACCOUNTS, 0)
        for order in self.orders:
            if order.currency != currency:
                continue
            gone = self.parts_gone(order)
            voided = [each for each in order.shares if each.heir == "platform"]
            found["stripe_pending"] += order.total
            found["tax_payable"] += order.tax - gone["tax"]
            found["platform_fee"] += order.fee - gone["fee"]
            found["discount"] += order.discount - gone["discount"]
            found["commission_expense"] += order.commission - gone["commission"]
            for each in voided:
                place = order.shares.index(each)
                found["commission_expense"] -= each.amount - gone[f"share:{place}"]
            found["bad_debt"] += max(0, order.gone() - order.total)
            found["refund_clearing"] += sum(
                amount for amount, is_undone, is_out in order.refunds.values()
                if not is_undone and not is_out
            )  # fmt: skip
            found["dispute_hold"] += sum(
                int(str(amount)) for amount, state in order.disputes.values() if state == "open"
            )
        for (code, of), amount in self.moved.items():
            if of == currency:
                found[code] += amount
        return {code: amount for code, amount in found.items() if amount}

    def purse(self, partner: int, currency: str) -> tuple[int, int, int]:
        """What a partner has held and payable, and what it owes."""
        who = partner, currency
        held = sum(
            share.held
            for order in self.orders
            if order.currency == currency
            for share in order.everything()
            if share.partner == partner
        )
        return held, self.payable(who), self.owed.get(who, 0)

    def payable(self, who: tuple[int, str]) -> int:
        """What the next payout would pay."""
        return sum(amount for _, amount in self.unpaid.get(who, []))

    def parts_gone(self, order: NaiveOrder) -> dict[str, int]:
        """What everybody gave back of an order so far."""
        inside = min(order.gone(), order.total)
        tax = rounded(order.tax, inside, order.total)
        discount = rounded(order.discount, inside, order.total)
        commission = rounded(order.commission, inside, order.total)
        weights = (order.fee, *(share.amount for share in order.shares))
        fee, *shares = handed_out(inside - tax + discount + commission, weights)
        return {
            "tax": tax,
            "discount": discount,
            "commission": commission,
            "fee": fee,
            **{f"share:{place}": amount for place, amount in enumerate(shares)},
        }

    # --- what happens ------------------------------------------------------------------------

    def sell(self, order: NaiveOrder) -> None:
        """A sale: everything is held."""
        for share in order.shares:
            share.held = share.net = share.amount
            self.number(share)
        self.orders.append(order)

    def change(self, order: NaiveOrder, before: dict[str, int]) -> dict[int, int]:
        """Take from everybody what is gone now and was not before; what each payout may bring
        back, by the share's place."""
        now, owed = self.parts_gone(order), {}
        for place, share in enumerate(order.shares):
            amount = now[f"share:{place}"] - before[f"share:{place}"]
            bearer = share.heir or share
            if isinstance(bearer, NaiveShare) and amount:
                owed[place] = self.take(order, bearer, amount)
        return owed

    def take(self, order: NaiveOrder, share: NaiveShare, amount: int) -> int:
        """From held, then payable, and the rest is owed, which it gives. Below zero: held again."""
        who = share.partner, order.currency
        share.net -= amount
        if amount < 0:
            share.held -= amount
            return 0
        from_held = min(amount, share.held)
        share.held -= from_held
        from_payable = min(amount - from_held, max(0, self.payable(who)))
        if from_payable:
            self.unpaid.setdefault(who, []).append((share, -from_payable))
        rest = amount - from_held - from_payable
        self.owed[who] = self.owed.get(who, 0) + rest
        return rest

    def release(self, today: int) -> None:
        """Everything that is due and that nothing freezes."""
        for order in self.orders:
            for share in order.everything():
                if share.held > 0 and share.due <= today and not share.frozen:
                    who = share.partner, order.currency
                    self.unpaid.setdefault(who, []).append((share, share.held))
                    share.held = 0
        self.net()

    def net(self) -> None:
        """What is payable pays what is owed, but for what a reversal is about to bring."""
        for who, owed in self.owed.items():
            amount = min(self.payable(who), owed - self.coming.get(who, 0))
            if amount > 0:
                self.unpaid[who].append((None, -amount))
                self.owed[who] -= amount

    def freeze(self, order: NaiveOrder, share: NaiveShare, cause: str) -> None:
        """Nothing of it is released; what of it is payable is held again."""
        share.frozen.add(cause)
        self.hold_again((share.partner, order.currency), share)

    def hold_again(self, who: tuple[int, str], share: NaiveShare) -> None:
        """Hold what of it is payable, and still the partner's."""
        of_it = sum(amount for each, amount in self.unpaid.get(who, []) if each is share)
        back = max(0, min(of_it, self.payable(who), share.net - share.held))
        if back:
            self.unpaid[who].append((share, -back))
            share.held += back

    def void(self, order: NaiveOrder, share: NaiveShare) -> int:
        """A commission is taken away; what the affiliate owes by it."""
        left, place = share.net, order.shares.index(share)
        if share.is_by_platform:
            share.heir = "platform"
        else:
            heir = NaiveShare(
                (place, "heir"), order.publisher, share.amount, share.due,
                held=left, net=left, frozen={each for each in share.frozen if each != "hold"},
            )  # fmt: skip
            self.number(heir)
            share.heir = heir
            order.extra.append(heir)
        return self.take(order, share, left)

    def net_one(self, who: tuple[int, str]) -> None:
        """What is payable to this one pays what it owes."""
        owed, self.owed = self.owed, {who: self.owed.get(who, 0)}
        self.net()
        self.owed = owed | self.owed

    def set_apart(self, who: tuple[int, str], name: int) -> int:
        """Set apart for a payout what is payable; the amount."""
        amount = max(0, self.payable(who))
        if amount:
            self.apart[name] = who, self.unpaid[who]
            self.unpaid[who] = []
            self.add("payout_clearing", who[1], amount)
        return amount

    def transfer(self, name: int) -> None:
        """What a payout has set apart leaves."""
        (_, currency), entries = self.apart.pop(name)
        amount = sum(each for _, each in entries)
        self.add("payout_clearing", currency, -amount)
        self.add("stripe_available", currency, -amount)

    def give_back(self, name: int, planned: int) -> None:
        """What a payout has set apart is payable again: it pays what is owed, of which `planned`
        does not come back from the payout any more, and what is frozen of it is held again."""
        who, entries = self.apart.pop(name)
        self.add("payout_clearing", who[1], -sum(each for _, each in entries))
        self.unpaid[who] = entries + self.unpaid[who]
        self.coming[who] = self.coming.get(who, 0) - planned
        self.net_one(who)
        frozen = {share.number: share for share, _ in entries if share and share.frozen}
        for _, share in sorted(frozen.items()):
            self.hold_again(who, share)

    def number(self, share: NaiveShare) -> None:
        """The next number."""
        self.numbers += 1
        share.number = self.numbers

    def add(self, code: str, currency: str, amount: int) -> None:
        """What moves at Stripe."""
        self.moved[code, currency] = self.moved.get((code, currency), 0) + amount
