"""What the finance desk reads: figures, alerts, the ledger, and what an id belongs to."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from billing.accounts import (
    BAD_DEBT,
    PARTNER_HELD,
    PARTNER_PAYABLE,
    PARTNER_RECEIVABLE,
    PLATFORM_FEE,
    REFUND_CLEARING,
    STRIPE_AVAILABLE,
    STRIPE_PENDING,
    SUSPENSE,
)
from billing.desk import browsing, figures, finding
from billing.desk.alerts import Code, alerts
from billing.desk.browsing import Filter
from billing.ledger import credit, debit, post
from billing.models import (
    BreakType,
    Dispute,
    DisputeState,
    Order,
    Payout,
    PayoutRun,
    ReconciliationBreak,
    ReconciliationRun,
    Refund,
    RunState,
    StripeEvent,
)
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.desk import make_sale
from tests.factories.payouts import make_account
from tests.factories.people import make_customer, make_organization
from tests.factories.queries import count_queries

OCTOBER = datetime(2026, 10, 30, 23, 30, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, 0, 30, tzinfo=UTC)


def move(code: str, owner: int, amount: int, key: str, kind: str = "write_off") -> None:
    """Post an amount on an account of a partner, or take it off."""
    post(
        kind,
        source=("write_off", key),
        key=key,
        legs=[debit(code, amount, "EUR", owner), credit(BAD_DEBT, amount, "EUR")],
    )


def refund(order: Order, amount: int, at: datetime) -> None:
    post(
        "refund",
        source=("refund", order.id),
        key=f"refund:{order.id}:split",
        effective_at=at,
        order_id=order.id,
        legs=[
            debit(PLATFORM_FEE, amount, order.currency),
            credit(REFUND_CLEARING, amount, order.currency),
        ],
    )
    post(
        "refund_paid",
        source=("refund", order.id),
        key=f"refund:{order.id}:paid",
        effective_at=at,
        order_id=order.id,
        legs=[
            debit(REFUND_CLEARING, amount, order.currency),
            credit(STRIPE_AVAILABLE, amount, order.currency),
        ],
    )


@pytest.fixture
def sales(app: Flask) -> dict[str, Order]:
    """Two sales in euro (one through an affiliate, half its fee refunded), one in yen."""
    customer = make_customer().id
    maker, friend = make_organization("Quayside").id, make_organization("Friends").id
    first = make_sale(maker, customer, amount=10_000, tax=1_900, paid_at=OCTOBER)
    second = make_sale(
        maker, customer, amount=5_000, paid_at=NOVEMBER, affiliate_id=friend, commission=500
    )
    yen = make_sale(maker, customer, amount=800, currency="JPY", paid_at=NOVEMBER)
    refund(second, 300, NOVEMBER + timedelta(days=1))
    return {"first": first, "second": second, "yen": yen}


def test_figures_of_months_are_those_of_the_periods(sales: dict[str, Order]) -> None:
    found = figures.figures_of_months("EUR", "2026-09", "2026-11")
    assert found.buckets == ("2026-09", "2026-10", "2026-11")
    assert found.gross == (0, 11_900, 5_000)
    assert found.fees == (0, 2_000, 700)
    assert found.publishers == (0, 8_000, 3_500)
    assert found.commissions == (0, 0, 500)
    assert found.refunds == (0, 0, 300)
    assert not found.is_empty
    assert figures.figures_of_months("EUR", "2025-01", "2025-02").is_empty


def test_figures_of_days_are_days_in_utc(sales: dict[str, Order]) -> None:
    found = figures.figures_of_days("EUR", date(2026, 10, 30), date(2026, 11, 2))
    assert found.buckets == ("2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02")
    assert found.gross == (11_900, 0, 5_000, 0)
    assert found.refunds == (0, 0, 0, 300)


def test_currencies_never_mix(sales: dict[str, Order]) -> None:
    assert set(figures.currencies_in_use()) == {"EUR", "JPY"}
    assert figures.figures_of_months("JPY", "2026-11", "2026-11").gross == (800,)


def test_the_accounts_of_a_currency_balance(sales: dict[str, Order]) -> None:
    rows = browsing.accounts("EUR")
    assert sum(row.debit for row in rows) == sum(row.credit for row in rows)
    held = next(row for row in rows if row.account.code == PARTNER_HELD)
    assert (held.balance, held.entries, held.owners) == (12_000, 3, 2)
    assert [row.account.number for row in rows] == sorted(row.account.number for row in rows)


def test_entries_of_one_account_have_a_running_balance(sales: dict[str, Order]) -> None:
    wanted = Filter(code=STRIPE_PENDING, currency="EUR")
    assert [row.balance for row in browsing.entries(wanted).items] == [16_900, 11_900]
    # Of dates, what is left out counts all the same.
    recent = Filter(code=STRIPE_PENDING, currency="EUR", since=NOVEMBER)
    assert [row.balance for row in browsing.entries(recent).items] == [16_900]
    older = Filter(code=STRIPE_PENDING, currency="EUR", until=NOVEMBER)
    assert [row.balance for row in browsing.entries(older).items] == [11_900]


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(currency="EUR"),
        Filter(code=PARTNER_HELD, currency="EUR"),
        Filter(code=STRIPE_PENDING),
        Filter(code=STRIPE_PENDING, currency="EUR", kind="sale"),
    ],
)
def test_there_is_no_running_balance_of_several_accounts_or_of_a_part(
    sales: dict[str, Order], wanted: Filter
) -> None:
    rows = browsing.entries(wanted).items
    assert rows
    assert {row.balance for row in rows} == {None}


def test_entries_are_filtered(sales: dict[str, Order]) -> None:
    def keys(wanted: Filter) -> set[tuple[str, int]]:
        return {(row.code, row.amount) for row in browsing.entries(wanted).items}

    order = sales["second"]
    assert keys(Filter(order_id=order.id, kind="refund")) == {
        (PLATFORM_FEE, 300),
        (REFUND_CLEARING, 300),
    }
    assert keys(Filter(source=("refund", str(order.id)), code=STRIPE_AVAILABLE)) == {
        (STRIPE_AVAILABLE, 300)
    }
    assert keys(Filter(owner=-1)) == set()


def test_pages_of_entries_go_on_where_the_last_ended(
    sales: dict[str, Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "PER_PAGE", 3)
    everything = [row.id for row in browsing.all_entries(Filter())][::-1]
    seen: list[int] = []
    part = browsing.entries(Filter())
    assert part.newer is None
    seen += [row.id for row in part.items]
    while part.older is not None:
        part = browsing.entries(Filter(), before=part.older)
        seen += [row.id for row in part.items]
    assert seen == everything
    back = browsing.entries(Filter(), after=part.newer)
    place = everything.index(part.items[0].id)
    assert [row.id for row in back.items] == everything[max(0, place - 3) : place]


def test_the_balance_runs_on_over_pages(
    sales: dict[str, Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "PER_PAGE", 1)
    wanted = Filter(code=STRIPE_PENDING, currency="EUR")
    first = browsing.entries(wanted)
    second = browsing.entries(wanted, before=first.older)
    assert [first.items[0].balance, second.items[0].balance] == [16_900, 11_900]


def test_a_page_costs_the_same_however_long_it_is(sales: dict[str, Order]) -> None:
    few = count_queries(lambda: browsing.transactions(Filter(order_id=sales["first"].id)))
    db.session.expire_all()
    many = count_queries(lambda: browsing.transactions(Filter()))
    assert few == many
    assert len(browsing.transactions(Filter(code=REFUND_CLEARING)).items) == 2


def test_every_entry_is_exported_in_chunks(
    sales: dict[str, Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(browsing.all_entries(Filter(currency="EUR")))
    monkeypatch.setattr(browsing, "CSV_CHUNK", 2)
    assert list(browsing.all_entries(Filter(currency="EUR"))) == whole
    assert sum(row.debit or 0 for row in whole) == sum(row.credit or 0 for row in whole)


def test_nothing_that_waits_is_no_alert(app: Flask) -> None:
    assert alerts(clock.now()) == []


def test_what_needs_a_person_is_an_alert(sales: dict[str, Order]) -> None:
    now = clock.now()
    partner = make_organization("Owing").id
    move(PARTNER_RECEIVABLE, partner, 700, "owes")
    post(
        "stripe_fee",
        source=("balance_txn", "txn_9"),
        key="balance_txn:txn_9",
        legs=[debit(SUSPENSE, 9, "EUR"), credit(STRIPE_AVAILABLE, 9, "EUR")],
    )
    db.session.add_all(
        [
            ReconciliationBreak(
                fingerprint="a", type=BreakType.AMOUNT, subject_type="balance_txn",
                subject_id="txn_1", amount=5, currency="EUR", occurred_at=now,
            ),
            StripeEvent(
                event_id="evt_1", type="x", object_id="y", happened_at=now, state="dead"
            ),
            Dispute(
                stripe_id="du_1", order_id=sales["first"].id, charge_id="ch_1", amount=100,
                currency="EUR", state=DisputeState.OPEN,
                evidence_due_at=now + timedelta(days=2),
            ),
        ]
    )  # fmt: skip
    db.session.flush()
    found = {each.code: each for each in alerts(now)}
    assert set(found) == {
        Code.BREAKS_GROW,
        Code.EVENTS_DEAD,
        Code.EVIDENCE_DUE,
        Code.NOT_RECONCILED,
        Code.PARTNERS_OWE,
        Code.SUSPENSE,
    } | ({Code.MONTH_OPEN} if now > datetime(2026, 11, 11, tzinfo=UTC) else set())
    assert found[Code.PARTNERS_OWE].amounts == ((700, "EUR"),)
    assert [each.is_serious for each in alerts(now)] == sorted(
        (each.is_serious for each in alerts(now)), reverse=True
    )


def test_a_forgotten_run_is_an_alert_until_somebody_runs_it(app: Flask) -> None:
    now = clock.now()
    maker, customer = make_organization().id, make_customer().id
    order = make_sale(maker, customer, paid_at=now - timedelta(days=60))
    with clock.frozen(now - timedelta(days=34)):
        post(
            "release",
            source=("order", order.id),
            key="release",
            legs=[
                debit(PARTNER_HELD, 8_000, "EUR", maker),
                credit(PARTNER_PAYABLE, 8_000, "EUR", maker),
            ],
        )
    db.session.add(ReconciliationRun(window_start=now, window_end=now, finished_at=now))
    db.session.flush()
    # No run could pay somebody without an account.
    assert Code.RUN_NOT_MADE not in {each.code for each in alerts(now)}
    make_account(maker)
    late = [each for each in alerts(now) if each.code is Code.RUN_NOT_MADE]
    assert [each.amounts for each in late] == [((8_000, "EUR"),)]
    run = PayoutRun(public_id="run_1", state=RunState.COMPLETED, cutoff_at=now, approved_at=now)
    db.session.add(run)
    db.session.flush()
    assert Code.RUN_NOT_MADE not in {each.code for each in alerts(now)}


def test_an_id_of_ours_or_of_stripe_finds_what_belongs_to_it(sales: dict[str, Order]) -> None:
    order = sales["first"]
    db.session.add(
        Refund(
            public_id="ref_1", order_id=order.id, number=1, amount=5, currency="EUR",
            stripe_id="re_1",
        )
    )  # fmt: skip
    run = PayoutRun(public_id="run_1", state=RunState.COMPLETED, cutoff_at=clock.now())
    db.session.add(run)
    db.session.flush()
    payout = Payout(
        public_id="po_1", run_id=run.id, partner_id=1, currency="EUR", amount=5, transfer_id="tr_1"
    )
    db.session.add(payout)
    db.session.flush()
    for text in (
        order.public_id,
        order.invoice_number,
        (order.invoice_number or "").lower(),
        order.charge_id,
        order.payment_intent_id,
        "re_1",
        "ref_1",
    ):
        assert [each.id for each in finding.find(text or "").orders] == [order.id], text
    assert finding.find("tr_1").payouts == [payout]
    assert len(finding.find(f"order:{order.id}:paid").transactions) == 1
    assert finding.find("nothing-at-all").is_empty
    assert finding.find("1").is_empty
