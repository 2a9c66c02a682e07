"""Whatever happens, in whatever order: the ledger and the naive model never differ.

Hypothesis makes up the story: sales, refunds, disputes, releases, payouts, reversals, freezes,
voids, write-offs, crashes, and everything that Stripe says a second time or too late. After every
step all balances are compared with a model that is nothing but plain numbers, and every
invariant of `billing verify` is checked.
"""

import os
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import case, func, select

from billing.models import (
    Earning,
    EarningKind,
    Funder,
    LedgerAccount,
    LedgerEntry,
    Order,
    Payout,
    Refund,
    TransferReversal,
)
from billing.payouts.canceling import release
from billing.settlement.disputes import settle_dispute
from billing.settlement.freezing import freeze, unfreeze, void
from billing.settlement.receivables import decide_write_off, net_debtors, request_write_off
from billing.settlement.refunds import fail_refund, refundable, request_refund, settle_refund
from billing.settlement.release import release_due
from billing.settlement.reversals import settle_reversal
from billing.verify import verify
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import roll_back
from tests.factories.naive_settlement import Naive, NaiveOrder, NaiveShare
from tests.factories.settlement import (
    AFFILIATE,
    PUBLISHER,
    RESELLER,
    LineTerms,
    sell,
    set_apart,
    stripe_dispute,
    stripe_refund,
    transfer,
)
from tests.parts import IN_CI

EXAMPLES = int(os.environ.get("PORTICO_EXAMPLES", "1000" if IN_CI else "40"))
PARTS = 4 if IN_CI else 1
STEPS = 8
AFTER_EVERY_STEP = ("balanced", "earnings_are_whole")
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
CURRENCIES = ("EUR", "JPY")
PARTNERS = (PUBLISHER, RESELLER, AFFILIATE)
PURSE = ("held", "payable", "receivable")
HOLD_DAYS = 7
picks = st.integers(0, 1_000)


class _CrashError(Exception):
    """The worker dies here, before its commit."""


@st.composite
def terms(draw: st.DrawFn) -> LineTerms:
    """How a line may be sold."""
    price = draw(st.integers(1, 90))
    funder = draw(st.sampled_from([None, *Funder]))
    floor = draw(st.none() | st.integers(0, price))
    discount = 0 if floor is not None else draw(st.integers(0, price))
    return LineTerms(
        price,
        discount=discount,
        by_platform=draw(st.integers(0, discount)),
        tax_bps=draw(st.sampled_from([0, 1_900])),
        fee_bps=draw(st.sampled_from([0, 1_500, 3_333])),
        floor=floor,
        commission=draw(st.integers(0, 20)) if funder else 0,
        funder=funder,
        hold_days=HOLD_DAYS,
        affiliate=draw(st.sampled_from([AFFILIATE, PUBLISHER])),
    )


class Settlement(RuleBasedStateMachine):
    """One database transaction that is rolled back in the end; a crash is a savepoint's."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(clock.frozen(BEGIN))
        roll_back(db.session())
        self.naive = Naive()
        self.today = 0
        self.rows: list[int] = []
        self.told: list[dict[str, Any]] = []
        # Reversals that Stripe has not answered yet: (row, order, share's place or heir).
        self.asked: list[int] = []
        # Payouts that were approved and neither sent nor given back.
        self.payouts: list[int] = []
        self.numbers = 0

    def teardown(self) -> None:
        """Look at every invariant of the whole ledger once more, and forget everything."""
        try:
            db.session.flush()
            assert [str(broken) for broken in verify()] == []
        finally:
            self.forget()

    def forget(self) -> None:
        roll_back(db.session())
        db.session.remove()
        self.stack.close()

    # --- finding things ------------------------------------------------------------------------

    def pick(self, number: int) -> tuple[NaiveOrder, Order]:
        place = number % len(self.rows)
        return self.naive.orders[place], db.session.get_one(Order, self.rows[place])

    def earning(self, naive: NaiveOrder, order: Order, share: NaiveShare) -> Earning:
        place, kind = share.name
        wanted = EarningKind.RETURNED_COMMISSION if kind == "heir" else EarningKind(kind)
        line_id = naive.shares[place].name if kind == "heir" else None
        rows = db.session.scalars(
            select(Earning).where(Earning.order_id == order.id, Earning.kind == wanted)
        ).all()
        lines = [line.id for line in order.lines]
        at = line_id[0] if line_id is not None else place
        (found,) = [row for row in rows if row.order_line_id == lines[at]]
        return found

    def next_name(self, prefix: str) -> str:
        self.numbers += 1
        return f"{prefix}_{id(self)}_{self.numbers}"

    def hear(self, event: dict[str, Any]) -> None:
        self.told.append(event)
        self.handle(event)

    def handle(self, event: dict[str, Any]) -> None:
        if event["object"] == "refund":
            settle_refund(event)
        else:
            settle_dispute(event)

    def take_up_reversals(self) -> None:
        """What was planned to come back from transfers; the model believes the amounts, which
        are checked by what is owed in the end."""
        query = select(TransferReversal).order_by(TransferReversal.id)
        for row in db.session.scalars(query):
            if row.id in self.asked or row.state != "intended":
                continue
            self.asked.append(row.id)
            who = self.partner_of(row)
            self.naive.coming[who] = self.naive.coming.get(who, 0) + row.amount
            assert self.naive.coming[who] <= self.naive.owed[who]

    def partner_of(self, row: TransferReversal) -> tuple[int, str]:
        earning = db.session.get_one(Earning, row.earning_id)
        return earning.partner_id, earning.currency

    # --- what may happen -----------------------------------------------------------------------

    @initialize(
        paid=st.lists(terms(), max_size=2),
        apart=st.lists(terms(), max_size=2),
        payable=st.lists(terms(), max_size=2),
        held=st.lists(terms(), min_size=1, max_size=2),
    )
    def what_happened_before(
        self,
        paid: list[LineTerms],
        apart: list[LineTerms],
        payable: list[LineTerms],
        held: list[LineTerms],
    ) -> None:
        """Sales that are paid out already, that are about to be, that are payable or held."""
        for lines in (paid, apart, payable, held):
            if lines:
                self.sale(lines, "EUR")
            if lines is held:
                return
            self.time_passes_and_what_is_due_is_released(days=HOLD_DAYS)
            for partner in PARTNERS if lines is paid else ():
                self.partner_is_paid(partner, "EUR")
            for partner in PARTNERS if lines is apart else ():
                self.money_is_set_apart(partner, "EUR")

    @rule(
        lines=st.lists(terms(), min_size=1, max_size=1),
        currency=st.sampled_from(CURRENCIES),
    )
    def another_sale(self, lines: list[LineTerms], currency: str) -> None:
        self.sale(lines, currency)

    def sale(self, lines: list[LineTerms], currency: str) -> None:
        order, _ = sell(*lines, currency=currency, paid_at=clock.now())
        shares, tax, discount, commission, fee = [], 0, 0, 0, 0
        for place, (line, row) in enumerate(zip(lines, order.lines, strict=True)):
            parts = line.split()
            due = self.today + HOLD_DAYS
            by_platform = line.funder is Funder.PLATFORM
            found = [
                NaiveShare((place, "publisher_share"), PUBLISHER, parts.publisher, due),
                NaiveShare((place, "reseller_margin"), RESELLER, parts.margin, due),
                NaiveShare(
                    (place, "affiliate_commission"), line.affiliate, parts.commission, due,
                    is_commission=True, is_by_platform=by_platform,
                ),
            ]  # fmt: skip
            shares += [share for share in found if share.amount]
            tax += row.tax_amount
            discount += line.by_platform
            commission += parts.commission if by_platform else 0
            fee += parts.fee
        self.naive.sell(
            NaiveOrder(currency, order.total, tax, discount, commission, fee, shares, PUBLISHER)
        )
        self.rows.append(order.id)

    @rule(which=picks, amount=st.integers(1, 60))
    def refund_is_decided(self, which: int, amount: int) -> None:
        naive, order = self.pick(which)
        left = naive.total - naive.gone()
        if left <= 0 or any(state == "open" for _, state in naive.disputes.values()):
            return
        amount = min(amount, left)
        assert refundable(order) == left
        before = self.naive.parts_gone(naive)
        row = request_refund(order, amount, reason="", by_user_id=1)
        naive.refunds[row.public_id] = [amount, False, False]
        self.naive.change(naive, before)
        self.take_up_reversals()

    @rule(which=picks, ends=st.sampled_from(["succeeded", "pending", "failed", "refused"]))
    def stripe_tells_of_a_refund(self, which: int, ends: str) -> None:
        rows = list(db.session.scalars(select(Refund).order_by(Refund.id)))
        if not rows:
            return
        row = rows[which % len(rows)]
        naive = self.naive.orders[self.rows.index(row.order_id)]
        order = db.session.get_one(Order, row.order_id)
        entry = naive.refunds.get(row.public_id) or naive.refunds[str(row.stripe_id)]
        before = self.naive.parts_gone(naive)
        if ends == "refused":
            was_open = row.state == "intended"
            fail_refund(row.id, "no")
            if was_open:
                entry[1] = True
                self.naive.change(naive, before)
            return
        # Stripe took the money when it made the refund, and gives it back when it fails.
        found = stripe_refund(
            order, row.amount, row.stripe_id or self.next_name("re"), status=ends,
            metadata={"refund_id": row.public_id},
        )  # fmt: skip
        self.hear(found)
        if entry[1]:
            return
        # A pending one is old news once it has succeeded, but says nothing else of the money.
        if not entry[2]:
            entry[2] = True
            self.naive.add("stripe_available", naive.currency, -row.amount)
        if ends == "failed":
            entry[1] = True
            self.naive.add("stripe_available", naive.currency, row.amount)
            self.naive.change(naive, before)

    @rule(which=picks, amount=st.integers(1, 60))
    def refund_is_made_in_the_dashboard(self, which: int, amount: int) -> None:
        naive, order = self.pick(which)
        back = sum(refund[0] for refund in naive.refunds.values() if not refund[1])
        if order.total == 0 or back >= naive.total:
            return
        amount = min(amount, naive.total - back)
        before, name = self.naive.parts_gone(naive), self.next_name("re")
        naive.refunds[name] = [amount, False, True]
        self.hear(stripe_refund(order, amount, name))
        self.naive.add("stripe_available", naive.currency, -amount)
        self.naive.change(naive, before)
        self.take_up_reversals()

    @rule(which=picks, amount=st.integers(1, 120))
    def payment_is_disputed(self, which: int, amount: int) -> None:
        naive, order = self.pick(which)
        if naive.total == 0 or len(naive.disputes) == 2:
            return
        name = self.next_name("du")
        naive.disputes[name] = [amount, "open"]
        self.hear(stripe_dispute(order, amount, name))
        self.naive.add("stripe_available", naive.currency, -amount - 1_500)
        self.naive.add("dispute_fee", naive.currency, 1_500)
        for share in naive.everything():
            self.naive.freeze(naive, share, name)

    @rule(which=picks, nth=picks, ends=st.sampled_from(["won", "lost"]))
    def bank_decides(self, which: int, nth: int, ends: str) -> None:
        naive, order = self.pick(which)
        if not naive.disputes:
            return
        name = sorted(naive.disputes)[nth % len(naive.disputes)]
        amount, state = naive.disputes[name]
        if state == "won" or state == ends:
            return
        before = self.naive.parts_gone(naive)
        naive.disputes[name][1] = ends
        self.hear(stripe_dispute(order, int(str(amount)), name, ends))
        for share in naive.everything():
            share.frozen.discard(name)
        if ends == "won":
            self.naive.add("stripe_available", naive.currency, int(str(amount)))
        self.naive.change(naive, before)
        self.take_up_reversals()

    @rule(days=st.sampled_from([1, HOLD_DAYS]))
    def days_pass(self, days: int) -> None:
        self.time_passes_and_what_is_due_is_released(days)

    def time_passes_and_what_is_due_is_released(self, days: int) -> None:
        self.today += days
        clock.shift(timedelta(days=days))
        release_due()
        net_debtors()
        self.naive.release(self.today)

    @rule(partner=st.sampled_from(PARTNERS), currency=st.sampled_from(CURRENCIES))
    def partner_is_paid_out(self, partner: int, currency: str) -> None:
        self.partner_is_paid(partner, currency)

    def partner_is_paid(self, partner: int, currency: str) -> None:
        payout_id = self.money_is_set_apart(partner, currency)
        if payout_id:
            self.payout_ends(payout_id, is_sent=True)

    @rule(partner=st.sampled_from(PARTNERS), currency=st.sampled_from(CURRENCIES))
    def run_is_approved(self, partner: int, currency: str) -> None:
        self.money_is_set_apart(partner, currency)

    def money_is_set_apart(self, partner: int, currency: str) -> int:
        payout = set_apart(partner, currency)
        name = payout.id if payout else 0
        amount = self.naive.set_apart((partner, currency), name)
        assert (payout.amount if payout else 0) == amount
        if payout:
            self.payouts.append(name)
        return name

    @precondition(lambda self: self.payouts)
    @rule(which=picks, is_sent=st.booleans())
    def payout_is_sent_or_given_back(self, which: int, is_sent: bool) -> None:
        self.payout_ends(self.payouts[which % len(self.payouts)], is_sent=is_sent)

    def payout_ends(self, payout_id: int, *, is_sent: bool) -> None:
        self.payouts.remove(payout_id)
        payout = db.session.get_one(Payout, payout_id)
        if is_sent:
            transfer(payout)
            self.naive.transfer(payout_id)
            return
        planned = db.session.scalar(
            select(func.sum(TransferReversal.amount)).where(
                TransferReversal.payout_id == payout_id, TransferReversal.state == "intended"
            )
        )
        assert release(payout_id, "The run was canceled.")
        self.naive.give_back(payout_id, int(planned or 0))

    @precondition(lambda self: self.asked)
    @rule(which=picks, is_made=st.booleans())
    def stripe_answers_a_reversal(self, which: int, is_made: bool) -> None:
        row = db.session.get_one(TransferReversal, self.asked[which % len(self.asked)])
        if row.payout_id in self.payouts:
            # Its transfer is not there yet.
            return
        who, is_new = self.partner_of(row), row.state == "intended"
        settle_reversal(row.id, self.next_name("trr") if is_made else None, "no balance")
        if not is_new:
            return
        self.naive.coming[who] -= row.amount
        if is_made:
            self.naive.owed[who] -= row.amount
            self.naive.add("stripe_available", who[1], row.amount)
        # This partner alone is netted now.
        self.naive.net_one(who)

    @rule(which=picks, nth=picks, is_lifted=st.booleans())
    def finance_freezes_or_unfreezes(self, which: int, nth: int, is_lifted: bool) -> None:
        naive, order = self.pick(which)
        shares = naive.everything()
        if not shares:
            return
        share = shares[nth % len(shares)]
        earning = self.earning(naive, order, share)
        if is_lifted:
            unfreeze(earning)
            share.frozen.discard("hold")
        else:
            freeze(earning, "Looks strange")
            self.naive.freeze(naive, share, "hold")

    @rule(which=picks)
    def commission_is_voided(self, which: int) -> None:
        naive, order = self.pick(which)
        for share in naive.shares:
            if share.is_commission:
                void(self.earning(naive, order, share), "Fraud")
                if share.heir is None:
                    self.naive.void(naive, share)
                self.take_up_reversals()
                return

    @rule(partner=st.sampled_from(PARTNERS), currency=st.sampled_from(CURRENCIES))
    def debt_is_written_off(self, partner: int, currency: str) -> None:
        who = partner, currency
        amount = self.naive.owed.get(who, 0) - self.naive.coming.get(who, 0)
        if amount <= 0:
            return
        row = request_write_off(partner, currency, amount, "Gone", by_user_id=1)
        decide_write_off(row.id, approve=True, by_user_id=2)
        self.naive.owed[who] -= amount
        self.naive.add("bad_debt", currency, amount)

    @precondition(lambda self: self.told)
    @rule(which=picks)
    def stripe_says_it_again(self, which: int) -> None:
        self.handle(self.told[which % len(self.told)])
        self.take_up_reversals()

    @rule(which=picks, amount=st.integers(1, 60))
    def worker_dies_before_its_commit(self, which: int, amount: int) -> None:
        _, order = self.pick(which)
        order_id = order.id
        try:
            with db.session.begin_nested():
                self.handle(stripe_refund(order, amount, self.next_name("re")))
                self.handle(stripe_dispute(order, amount, self.next_name("du"), "lost"))
                release_due()
                raise _CrashError
        except _CrashError:
            db.session.expire_all()
        assert db.session.get_one(Order, order_id).id == order_id

    # --- what must be true ---------------------------------------------------------------------

    @invariant()
    def nothing_is_broken(self) -> None:
        """The invariants that a wrong step would break. All of them are checked at the end of each
        story: reading everything after every step would take most of the time."""
        db.session.flush()
        assert [str(broken) for broken in verify(AFTER_EVERY_STEP)] == []

    @invariant()
    def everybody_has_what_the_model_says(self) -> None:
        """Every balance, to the cent."""
        found = balances()
        for currency in CURRENCIES:
            assert found.pop((0, currency), {}) == self.naive.book(currency)
            for partner in PARTNERS:
                has = found.pop((partner, currency), {})
                purse = tuple(has.get(f"partner_{each}", 0) for each in PURSE)
                assert purse == self.naive.purse(partner, currency)
        assert found == {}


def balances() -> dict[tuple[int, str], dict[str, int]]:
    """All balances that are not zero, by owner and currency, on their normal side."""
    signed = case(
        (LedgerEntry.side == LedgerAccount.normal_side, LedgerEntry.amount),
        else_=-LedgerEntry.amount,
    )
    rows = db.session.execute(
        select(LedgerAccount.owner, LedgerAccount.currency, LedgerAccount.code, func.sum(signed))
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .group_by(LedgerAccount.owner, LedgerAccount.currency, LedgerAccount.code)
        .having(func.sum(signed) != 0)
    )
    found: dict[tuple[int, str], dict[str, int]] = {}
    for owner, currency, code, amount in rows:
        found.setdefault((owner, currency), {})[code] = int(amount)
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_the_ledger_is_what_the_naive_model_says(
    app: Flask, database_kind: str, part: int
) -> None:
    # In parts, so that several workers share them. PostgreSQL sees the same kinds of stories,
    # fewer of them.
    examples = EXAMPLES if database_kind == "sqlite" else max(PARTS, EXAMPLES // 20)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # Hypothesis has no types for it
        Settlement,
        settings=settings(
            max_examples=examples // PARTS,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
