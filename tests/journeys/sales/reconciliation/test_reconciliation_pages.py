"""Finance over HTTP: breaks, the bank and the months."""

import io
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.accounts import BANK, STRIPE_IN_TRANSIT, SUSPENSE
from billing.ledger import balance
from billing.models import (
    BankImport,
    BankLine,
    BreakState,
    Period,
    PeriodState,
    ReconciliationBreak,
    ReconciliationRun,
    StripePayout,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role, User
from tests.conftest import SignIn
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.queries import count_queries
from tests.factories.reconciliation import (
    NOW,
    ListedStripe,
    listed_stripe,
    make_charged_order,
    reconcile,
)

HOME = "/staff/finance/reconciliation"


@pytest.fixture
def stripe(app: Flask) -> Iterator[ListedStripe]:
    with clock.frozen(NOW), listed_stripe() as found:
        yield found


@pytest.fixture
def finance(stripe: ListedStripe) -> User:
    return make_member(make_platform(), Role.FINANCE)


@pytest.fixture
def browser(finance: User, sign_in: SignIn) -> FlaskClient:
    return sign_in(finance)


def only_break() -> ReconciliationBreak:
    return db.session.scalars(
        select(ReconciliationBreak).where(ReconciliationBreak.state != BreakState.RESOLVED)
    ).one()


def test_reconciling_from_the_page_runs_as_a_job(
    browser: FlaskClient, stripe: ListedStripe, run_jobs: object
) -> None:
    make_charged_order(stripe)
    assert "Never reconciled" in browser.get(HOME).text
    answer = browser.post(f"{HOME}/runs")
    assert answer.status_code == 303
    page = browser.get(HOME).text
    assert "Reading Stripe’s list" in page or "Reading Stripe&#39;s list" in page
    run_jobs()  # type: ignore[operator]  # the fixture's function
    assert db.session.scalars(select(ReconciliationRun)).one().step == "done"
    page = browser.get(HOME).text
    assert "Everything agrees" in page
    assert "€98.25" in page
    assert "Agrees" in page
    ended = browser.get(f"{HOME}/progress")
    assert ended.headers["HX-Refresh"] == "true"


def test_a_break_is_taken_and_explained(
    browser: FlaskClient, finance: User, stripe: ListedStripe
) -> None:
    make_charged_order(stripe, book=False)
    reconcile()
    found = only_break()
    address = f"{HOME}/breaks/{found.id}"
    assert "Not in the ledger" in browser.get(HOME).text
    assert "Nothing in the ledger is this" in browser.get(address).text
    assert browser.post(f"{address}/owner", data={"owner": finance.id}).status_code == 303
    refused = browser.post(f"{address}/explanation", data={"reason": "no"})
    assert refused.status_code == 422
    assert "somebody else understands" in refused.text
    browser.post(f"{address}/explanation", data={"reason": "Test payment of the bank"})
    db.session.expire_all()
    assert (found.state, found.owner_id) == (BreakState.EXPLAINED, finance.id)
    page = browser.get(address).text
    assert "Test payment of the bank" in page
    assert "Given to Ada Okafor" in page
    assert browser.get(f"{HOME}?state=explained&mine=1").text.count("Charge txn_") == 1
    browser.post(f"{address}/reopening")
    db.session.expire_all()
    assert found.state is BreakState.OPEN


def test_what_lies_in_suspense_is_booked_where_it_belongs(
    browser: FlaskClient, stripe: ListedStripe
) -> None:
    stripe.add("contribution", -500, "")
    reconcile()
    found = only_break()
    address = f"{HOME}/breaks/{found.id}"
    assert "Book €5.00" in browser.get(address).text
    assert browser.post(f"{address}/booking", data={"account": "tax_payable"}).status_code == 422
    answer = browser.post(
        f"{address}/booking",
        data={"account": "processing_fee", "booking_reason": "Climate contribution of October"},
    )
    assert answer.status_code == 303
    db.session.expire_all()
    assert found.state is BreakState.RESOLVED
    assert balance(SUSPENSE, "EUR") == 0
    reconcile(NOW + timedelta(hours=1))
    assert db.session.scalars(select(ReconciliationBreak)).one().state is BreakState.RESOLVED


def test_a_bank_file_is_imported_matched_by_hand_and_taken_back(
    browser: FlaskClient, stripe: ListedStripe
) -> None:
    stripe.add_payout(3_000, arrival=date(2026, 10, 20))
    stripe.add_payout(2_000, arrival=date(2026, 10, 20))
    reconcile()
    data = "Date;Amount;Text\n2026-10-30;-800,00;Rent\n2026-10-31;30,00;STRIPE PAYMENTS\n"
    refused = browser.post(
        f"{HOME}/bank/files", data={"file": (io.BytesIO(b"x"), "a.csv"), "currency": "EUR"}
    )
    assert refused.status_code == 422
    assert "No line names the columns" in refused.text
    answer = browser.post(
        f"{HOME}/bank/files",
        data={"file": (io.BytesIO(data.encode()), "october.csv"), "currency": "EUR"},
    )
    assert answer.status_code == 303
    file = db.session.scalars(select(BankImport)).one()
    assert file.lines_new == 2
    page = browser.get(f"{HOME}/bank").text
    # Eleven days late: nothing is certain, so nothing was matched.
    assert "Rent" in page
    assert "STRIPE PAYMENTS" in page
    rent, money = db.session.scalars(select(BankLine).order_by(BankLine.id)).all()
    payout = db.session.scalars(select(StripePayout).where(StripePayout.amount == 3_000)).one()
    empty = browser.post(f"{HOME}/bank/matches", data={"payouts": [payout.id]})
    assert empty.status_code == 422
    assert "checked" in empty.text
    browser.post(f"{HOME}/bank/matches", data={"payouts": [payout.id], "lines": [money.id]})
    assert balance(BANK, "EUR") == 3_000
    assert balance(STRIPE_IN_TRANSIT, "EUR") == 2_000
    browser.post(f"{HOME}/bank/set-aside", data={"lines": [rent.id], "reason": "Rent"})
    page = browser.get(f"{HOME}/bank/files/{file.id}").text
    assert "by hand" in page
    assert "Set aside" in page
    assert "Take this match back" in browser.get(f"{HOME}/bank/lines/{money.id}/unmatching").text
    browser.post(f"{HOME}/bank/lines/{money.id}/unmatching")
    assert balance(BANK, "EUR") == 0
    browser.post(f"{HOME}/bank/matches", data={"payouts": [payout.id], "lines": [money.id]})
    assert balance(BANK, "EUR") == 3_000
    browser.post(f"{HOME}/bank/lines/{rent.id}/taking-up")
    db.session.expire_all()
    assert rent.ignored_reason == ""


def test_ids_that_no_row_can_have_are_refused(browser: FlaskClient) -> None:
    for name in ("payouts", "lines"):
        for number in ("9" * 30, "-1", "0", "x"):
            answer = browser.post(f"{HOME}/bank/matches", data={name: [number]})
            assert answer.status_code == 422, (name, number)
            answer = browser.post(f"{HOME}/bank/set-aside", data={name: [number], "reason": "x"})
            assert answer.status_code == 422, (name, number)


def test_a_file_with_an_endless_field_is_refused_with_words(browser: FlaskClient) -> None:
    data = b'Date,Amount,Text\n2026-10-31,1.00,"' + b"x" * 200_000
    answer = browser.post(
        f"{HOME}/bank/files", data={"file": (io.BytesIO(data), "a.csv"), "currency": "EUR"}
    )
    assert answer.status_code == 422
    assert "Line 2 cannot be read" in answer.text


def test_the_same_file_twice_changes_nothing(browser: FlaskClient) -> None:
    data = b"Date,Amount\n2026-10-30,1.00\n"
    for _ in range(2):
        answer = browser.post(
            f"{HOME}/bank/files",
            data={"file": (io.BytesIO(data), "a.csv"), "currency": "EUR"},
            follow_redirects=True,
        )
    assert "imported before" in answer.text
    assert len(db.session.scalars(select(BankLine)).all()) == 1


def test_a_month_shows_what_is_missing_then_closes_for_good(
    browser: FlaskClient, stripe: ListedStripe
) -> None:
    make_charged_order(stripe)
    month = "/staff/finance/months/2026-10"
    db.session.commit()
    assert "October 2026" in browser.get("/staff/finance/months").text
    page = browser.get(month).text
    assert "Reconcile once more" in page
    assert "cannot be closed yet" in browser.get(f"{month}/closing").text
    refused = browser.post(f"{month}/closing", follow_redirects=True)
    assert "cannot be closed yet" in refused.text
    reconcile()
    assert "Close 2026-10?" in browser.get(f"{month}/closing").text
    browser.post(f"{month}/closing", data={"note": "All in order"})
    period = db.session.scalars(select(Period).where(Period.code == "2026-10")).one()
    assert period.state is PeriodState.CLOSED
    page = browser.get(month).text
    assert "All in order" in page
    assert "debits equal credits" in page
    assert "is closed" in browser.get(f"{month}/closing").text


def test_the_journal_and_reports_leave_as_files(browser: FlaskClient, stripe: ListedStripe) -> None:
    make_charged_order(stripe, partner=make_organization("=Formula").id)
    reconcile()
    month = "/staff/finance/months/2026-10"
    journal = browser.get(f"{month}/journal.csv")
    assert journal.headers["Content-Disposition"] == 'attachment; filename="journal-2026-10.csv"'
    rows = journal.text.strip().splitlines()
    assert rows[0].lstrip("\ufeff").startswith("date,posted_at,transaction,kind")
    assert len(rows) == 1 + 3 + 2 + 2
    assert 'option "title" "Journal 2026-10"' in browser.get(f"{month}/journal.beancount").text
    assert "1020,stripe_available" in browser.get(f"{month}/trial-balance.csv").text
    assert "'=Formula,EUR,80.00" in browser.get(f"{month}/partners.csv").text


@pytest.mark.parametrize(
    "path",
    [
        "/reconciliation",
        "/reconciliation/bank",
        "/reconciliation/runs",
        "/months",
        "/months/2026-10",
    ],
)
def test_only_finance_sees_any_of_it(
    path: str, stripe: ListedStripe, sign_in: SignIn, client: FlaskClient
) -> None:
    make_charged_order(stripe)
    reviewer = make_member(make_platform(), Role.REVIEWER)
    partner = make_member(make_organization(), Role.FINANCE)
    for person in (reviewer, partner):
        assert sign_in(person).get(f"/staff/finance{path}").status_code in {403, 404}
    assert client.get(f"/staff/finance{path}").status_code in {302, 303, 401, 404}


@pytest.mark.parametrize("code", ["2026-13", "1999-01", "2026-1", "abc", "2027-01", "９９99-01"])
def test_what_is_no_month_is_not_found(code: str, browser: FlaskClient) -> None:
    assert browser.get(f"/staff/finance/months/{code}").status_code == 404


def test_the_list_of_breaks_costs_the_same_for_many(
    browser: FlaskClient, stripe: ListedStripe
) -> None:
    make_charged_order(stripe, book=False)
    reconcile()
    browser.get(HOME)
    few = count_queries(lambda: browser.get(HOME))
    for _ in range(12):
        make_charged_order(stripe, book=False)
    reconcile(NOW + timedelta(hours=1))
    assert count_queries(lambda: browser.get(HOME)) == few


@pytest.mark.parametrize(
    "query", ["type=nonsense", "state=x", "month=9999-99", "currency=zz", "page=-1", "mine=1"]
)
def test_an_odd_filter_is_ignored(query: str, browser: FlaskClient) -> None:
    assert browser.get(f"{HOME}?{query}").status_code == 200
