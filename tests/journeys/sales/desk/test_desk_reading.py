"""Finance reads: overview, ledger, orders, organizations, what an id belongs to."""

import pytest
from sqlalchemy import select

from billing.ledger import credit, debit, post
from billing.models import (
    Dispute,
    DisputeState,
    Earning,
    LedgerTransaction,
    Objection,
    Order,
    RefundRequest,
)
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.conftest import SignIn
from tests.factories.desk import make_sale
from tests.factories.people import make_member, make_organization
from tests.factories.queries import count_queries
from tests.journeys.sales.desk.conftest import Desk

PAGES = (
    "",
    "?by=day",
    "?currency=EUR",
    "/search?q=nothing-of-that",
    "/ledger",
    "/ledger/entries",
    "/ledger/entries?account=stripe_pending&currency=EUR",
    "/ledger/entries?before=abc",
    "/ledger/transactions",
    "/ledger/transactions?account=partner_held&currency=EUR&from=2020-01-01",
    "/refunds",
    "/refunds?show=all",
    "/refunds?show=failed",
    "/disputes",
    "/disputes?show=won",
    "/questions",
    "/questions?show=answered",
    "/receivables",
    "/conversions",
    "/conversions?show=waiting",
    "/conversions?show=decided",
    "/write-offs",
    "/write-offs?show=decided",
    "/fees",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_the_desk_opens(desk: Desk, page: str) -> None:
    response = desk.client.get(f"/staff/finance{page}")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.REVIEWER])
def test_other_staff_see_nothing_of_it(desk: Desk, sign_in: SignIn, role: Role) -> None:
    platform_id = desk.fay.memberships[0].organization
    client = sign_in(make_member(platform_id, role))
    for page in PAGES:
        assert client.get(f"/staff/finance{page}").status_code == 403, page


@pytest.mark.parametrize(
    ("query", "name", "message"),
    [
        ("account=none", "account", "There is no account none."),
        ("currency=zzz", "currency", "There is no currency ZZZ."),
        ("kind=nope", "kind", "Nothing of the kind nope was posted."),
        ("partner=nope", "partner", "There is no organization nope."),
        ("order=nope", "order", "There is no order nope."),
        ("from=x", "from", "Type a day like 2026-10-05."),
        ("to=2026-99-99", "to", "Type a day like 2026-10-05."),
        ("from=2026-10-02&to=2026-10-01", "to", "It must not be before the first day."),
        ("source=order", "source", "A source is like order:12."),
    ],
)
def test_a_wrong_filter_is_said_at_its_field_and_nothing_is_shown(
    desk: Desk, query: str, name: str, message: str
) -> None:
    for page in ("entries", "transactions"):
        response = desk.client.get(f"/staff/finance/ledger/{page}?currency=EUR&{query}")
        if name == "currency":
            response = desk.client.get(f"/staff/finance/ledger/{page}?{query}")
        assert response.status_code == 422
        assert message in response.text
        if name != "source":
            assert f'id="filter-{name}-error"' in response.text
        assert "ledger/transactions/" not in response.text
    response = desk.client.get(f"/staff/finance/ledger/entries.csv?{query}")
    assert response.status_code == 422
    assert response.text == f"{name}: {message}\n"


def test_the_overview_rounds_the_share_of_refunds(desk: Desk) -> None:
    # 16.33 of 169.00 are 9.66%.
    data = {"amount": "16.33", "seen_amount": "1633", "seen_left": "11900", "reason": "Because"}
    path = f"/staff/finance/orders/{desk.order.public_id}/refund"
    assert desk.client.post(path, data=data).status_code == 303
    assert "9.7% of gross" in desk.client.get("/staff/finance").text


def test_the_overview_shows_figures_and_what_waits(desk: Desk) -> None:
    page = desk.client.get("/staff/finance").get_data(as_text=True)
    assert "€169.00" in page  # gross: 119 and 50
    assert "A customer asks for a refund" in page
    assert "Evidence for a dispute is due within three days" in page
    assert "A partner owes €7.00" in page
    assert "A partner&#39;s question waits" in page
    assert '<svg class="chart-plot"' in page
    assert "Show the numbers" in page


def test_the_overview_costs_the_same_however_much_was_sold(desk: Desk) -> None:
    desk.client.get("/staff/finance")
    few = count_queries(lambda: desk.client.get("/staff/finance"))
    for _ in range(5):
        make_sale(desk.publisher.id, desk.customer.id, currency="EUR")
    db.session.commit()
    assert count_queries(lambda: desk.client.get("/staff/finance")) == few


def test_the_lists_cost_the_same_however_long_they_are(desk: Desk) -> None:
    for page in ("/ledger/entries", "/ledger/transactions", "/refunds?show=all"):
        desk.client.get(f"/staff/finance{page}")
        few = count_queries(lambda page=page: desk.client.get(f"/staff/finance{page}"))  # type: ignore[misc]  # bound at once
        for _ in range(3):
            make_sale(desk.publisher.id, desk.customer.id)
        db.session.commit()
        assert (
            count_queries(lambda page=page: desk.client.get(f"/staff/finance{page}")) == few  # type: ignore[misc]  # bound at once
        ), page


def test_what_waits_costs_the_same_however_much_it_is(desk: Desk) -> None:
    def wait_for(order: Order) -> None:
        db.session.add_all(
            [
                RefundRequest(order_id=order.id, author_id=desk.buyer.id, amount=1, body="Please"),
                Dispute(
                    stripe_id=f"du_{order.id}", order_id=order.id, charge_id="", amount=1,
                    currency="EUR", state=DisputeState.OPEN,
                ),
            ]
        )  # fmt: skip
        earning_id = db.session.scalars(select(Earning.id).where(Earning.order_id == order.id))
        db.session.add(
            Objection(
                earning_id=earning_id.one(), partner_id=desk.publisher.id,
                author_id=desk.buyer.id, body="Why?",
            )
        )  # fmt: skip
        db.session.commit()

    for page in ("/refunds", "/disputes", "/questions"):
        address = f"/staff/finance{page}"
        desk.client.get(address)
        few = count_queries(lambda address=address: desk.client.get(address))  # type: ignore[misc]  # bound at once
        for _ in range(3):
            wait_for(make_sale(desk.publisher.id, desk.customer.id))
        assert count_queries(lambda address=address: desk.client.get(address)) == few, page  # type: ignore[misc]  # bound at once


def test_the_ledger_says_that_debits_equal_credits(desk: Desk) -> None:
    page = desk.client.get("/staff/finance/ledger").get_data(as_text=True)
    assert "Debits equal credits" in page
    assert "Partners, held" in page


def test_one_drills_down_from_an_account_to_a_transaction_and_its_order(desk: Desk) -> None:
    path = "/staff/finance/ledger/entries?account=stripe_pending&currency=EUR"
    page = desk.client.get(path).get_data(as_text=True)
    assert "€169.00" in page  # the running balance
    txn = db.session.scalar(
        select(LedgerTransaction).where(LedgerTransaction.order_id == desk.order.id)
    )
    assert txn is not None
    assert f"/staff/finance/ledger/transactions/{txn.id}" in page
    page = desk.client.get(f"/staff/finance/ledger/transactions/{txn.id}").get_data(as_text=True)
    assert f"order:{desk.order.id}:paid" in page
    assert f"/staff/finance/orders/{desk.order.public_id}" in page


def test_entries_are_downloaded_with_harmless_cells(desk: Desk) -> None:
    desk.publisher.name = "=cmd()"
    db.session.commit()
    path = f"/staff/finance/ledger/entries.csv?partner={desk.publisher.slug}"
    response = desk.client.get(path)
    assert response.content_type == "text/csv; charset=utf-8"
    lines = response.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert lines[0].startswith("entry,transaction,kind")
    assert len(lines) == 1 + 4
    assert all("'=cmd()" in line for line in lines[1:])
    assert any(",80.00," in line for line in lines[1:])


def test_an_order_shows_where_its_money_goes(desk: Desk) -> None:
    page = desk.client.get(f"/staff/finance/orders/{desk.order.public_id}").get_data(as_text=True)
    for text in ("Quayside", "Blue Kite", "€119.00", "€80.00", "€20.00", "20% of €100.00"):
        assert text in page, text
    assert desk.client.get("/staff/finance/orders/ord_nothing").status_code == 404


def test_an_organization_shows_its_balances_and_orders(desk: Desk) -> None:
    path = f"/staff/finance/organizations/{desk.publisher.slug}"
    page = desk.client.get(path).get_data(as_text=True)
    assert "Partners owe" in page
    assert "Write off" in page
    path = f"/staff/finance/organizations/{desk.customer.slug}"
    page = desk.client.get(path).get_data(as_text=True)
    assert desk.order.invoice_number in page


def test_an_id_or_a_name_finds_what_belongs_to_it(desk: Desk) -> None:
    def found(text: str) -> str:
        path = "/staff/finance/search"
        return desk.client.get(path, query_string={"q": text}).get_data(as_text=True)

    assert f"/staff/finance/orders/{desk.order.public_id}" in found(desk.order.charge_id or "")
    assert f"/staff/finance/organizations/{desk.publisher.slug}" in found("quays")
    assert "/staff/finance/disputes/" in found("du_1")
    assert "Give at least 3 characters" in found("q")
    assert "Nothing belongs to that" in found("100%_\\")


def test_partners_who_owe_are_paged_and_cost_the_same(desk: Desk) -> None:
    address = "/staff/finance/receivables"
    desk.client.get(address)
    few = count_queries(lambda: desk.client.get(address))
    for number in range(26):
        debtor = make_organization(f"Debtor {number:02}")
        post(
            "adjustment",
            source=("test", number),
            key=f"test:debtor:{number}",
            legs=[
                debit("partner_receivable", 100 + number, "EUR", debtor.id),
                credit("partner_held", 100 + number, "EUR", debtor.id),
            ],
        )
    db.session.commit()
    assert count_queries(lambda: desk.client.get(address)) == few
    first = desk.client.get(address).text
    second = desk.client.get(f"{address}?page=2").text
    # Whoever owes the most comes first.
    assert ("Debtor 25" in first, "Debtor 00" in first) == (True, False)
    assert ("Debtor 25" in second, "Debtor 00" in second) == (False, True)
